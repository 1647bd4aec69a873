#pragma once
// Asking an issuer of ID tokens for its documents, within what the settings allow (S17).

#include "auth/oidc.h"
#include "base/result.h"
#include "http/networks.h"

#include <cstddef>
#include <string>

namespace berth::app {

/// The body behind the address. Only public addresses are connected to, and those of `networks`; http:// is for literal
/// addresses of `networks` alone. Redirects are not followed. Blocks, ten seconds at most.
/// Errors: unavailable, denied, parameter_invalid, with a sentence.
Result<std::string> fetch_from_issuer(const std::string& url, std::size_t bytes_max, const http::Networks& networks);

/// A question of the sign-in of people, by the same rules. Errors: likewise; denied also where the provider refuses,
/// its words in the cause.
Result<std::string> ask_provider(const auth::Oidc::Question& question, const http::Networks& networks);

}  // namespace berth::app
