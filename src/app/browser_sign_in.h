#pragma once
// Signing in with a browser, built from the settings: sessions, codes of programs, the identity provider.

#include "api/context.h"
#include "app/config.h"
#include "http/networks.h"

#include <atomic>
#include <memory>

namespace berth::app {

struct BrowserSignInParts {
  std::unique_ptr<auth::WebSessions> sessions;
  std::unique_ptr<auth::DeviceCodes> devices;
  std::unique_ptr<auth::SignInLimiter> limiter;
  std::unique_ptr<auth::Oidc> oidc;  // nullptr: no provider
  std::unique_ptr<api::BrowserSignIn> all;
};

struct BrowserSignInDeps {
  const ServeConfig& config;
  meta::Store& store;
  auth::ExternalAccounts& accounts;
  auth::IssuerKeys& issuers;
  io::BlockingPool& outbound;
  const http::Networks& issuer_networks;
  const Clock& clock;
  Random& random;
  const Log& log;
  const std::atomic<bool>& stopping;
};
/// What is in `deps` outlives the parts. Errors: io_failed, parameter_invalid with a sentence about the secret's file.
Result<BrowserSignInParts> build_browser_sign_in(const BrowserSignInDeps& deps);

}  // namespace berth::app
