#pragma once
// What an endpoint may use. Built once per request from services that live as long as the server.

#include "api/admin/admin_api.h"
#include "api/routes.h"
#include "auth/audit_log.h"
#include "auth/certificate_sign_in.h"
#include "auth/device_codes.h"
#include "auth/external_accounts.h"
#include "auth/oidc.h"
#include "auth/sign_in_limiter.h"
#include "auth/subject_budgets.h"
#include "auth/token_service.h"
#include "auth/web_sessions.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "oci/repo_name.h"
#include "registry/blobs.h"
#include "registry/listings.h"
#include "registry/manifests.h"
#include "registry/uploads.h"

#include <functional>
#include <string>
#include <vector>

namespace berth::http {
class Networks;
}

namespace berth::api {

/// What callers without an account may do.
enum class Anonymous : std::uint8_t { off, read, write };

/// What a listener is for.
enum class Face : std::uint8_t {
  everything,
  registry,       // all but /metrics, which has an address of its own or none
  operator_only,  // health, readiness, metrics
};

class RequestObserver;

/// How callers prove who they are, once there are accounts.
enum class AuthMode : std::uint8_t {
  token,     // Bearer, from the built-in token service; Basic is understood, too
  basic,     // Basic only
  external,  // Bearer, from another server; its tokens are all that is asked, no account
};

/// Signing in with a browser, and with the help of one.
struct BrowserSignIn {
  auth::WebSessions& sessions;
  auth::DeviceCodes& devices;
  auth::ExternalAccounts& external;
  auth::SignInLimiter& limiter;  // of codes that are typed, and of answers that a provider is asked about
  auth::Oidc* oidc = nullptr;    // nullptr: there is no provider
};

/// Accounts, and everything that decides with them.
struct Auth {
  auth::Directory& directory;
  auth::Authenticator& authenticator;
  auth::TokenService& tokens;
  auth::CertificateSignIn& certificates;
  auth::AuditLog& audit;
  const auth::KeyRing& keys;
  const http::Networks& trusted_proxies;
  BrowserSignIn& browser;
  AuthMode mode = AuthMode::token;
  std::string external_url;             // A5: what the realm is built from; may be empty
  std::vector<std::string> hosts = {};  // names a client may call us by, where external_url is not set
  std::string external_realm = {};      // where tokens come from, if the mode is external
};

struct Services {
  registry::Uploads& uploads;
  registry::Blobs& blobs;
  registry::Manifests& manifests;
  registry::Listings& listings;
  const registry::Limits& limits;
  auth::SubjectBudgets& budgets;
  Auth& auth;
  AdminApi& admin;
  const Clock& clock;
  Random& random;
  const Log& log;
  Anonymous anonymous = Anonymous::off;
  Deletes deletes = Deletes::on;
  RequestObserver& observer;
  const Metrics& metrics;
  Face face = Face::everything;
  /// Why the server should get no traffic now, a sentence each; empty: it is ready. Must not block.
  std::function<std::vector<std::string>()> problems;
};

struct Context {
  Services& services;
  Route route;
  auth::SubjectBudgets::Payer& payer;         // who pays for what is transferred; 0: nobody
  auth::IdentityPtr identity = {};            // who asks; empty while there are no accounts
  auth::Rights rights = auth::Rights::all();  // on the route's repository

  std::string address = {};  // the client's, and what the log calls the request: for the record
  std::string request_id = {};
  std::string rule = {};  // what gave the right to change something

  /// An entry of the audit log about this request, still without its action; nullopt while there are no accounts.
  std::optional<meta::AuditEntry> audit_entry() const {
    if (!identity) return std::nullopt;
    auto entry = services.auth.audit.entry(*identity, address, request_id);
    entry.rule = rule;
    return entry;
  }
  /// Whose pushes these are.
  registry::Uploader uploader() const {
    if (!identity || identity->is_anonymous()) return {};
    const auto id = identity->subject.id;  // 0: of another server's token, which no account stands behind
    // The number, too: an account made anew under a name that was removed has not begun what that one began (S13).
    if (id != 0) return {identity->subject.name + "#" + std::to_string(id), id};
    return {identity->subject.name, std::nullopt};
  }
};

}  // namespace berth::api
