#pragma once
// From an Authorization header to an identity. What was verified once is remembered for a while under a keyed hash of
// the header, so that a client which sends its password or token with every request costs a lookup, not a signature or
// a slow hash; a change of any account forgets all of it.

#include "auth/audit_log.h"
#include "auth/directory.h"
#include "auth/external_tokens.h"
#include "auth/identity.h"
#include "auth/key_ring.h"
#include "auth/recent_credentials.h"
#include "auth/sign_in_limiter.h"
#include "auth/trust.h"
#include "auth/verified_passwords.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "io/blocking_pool.h"

#include <array>
#include <functional>
#include <string>
#include <string_view>

namespace berth::auth {

class LdapSignIn;

/// How long what a job makes is good, however soon its ID token ends; the rule that let it in ends it at any time.
inline constexpr std::int64_t kJobLifeMs = 60LL * 60 * 1000;

/// A name and what is to prove it.
struct NameAndSecret {
  std::string name;
  std::string secret;
};
/// "Basic dXNlcjpwYXNz". nullopt if it is not that.
std::optional<NameAndSecret> parse_basic(std::string_view authorization);
/// The token of "Bearer …", or nullopt.
std::optional<std::string_view> parse_bearer(std::string_view authorization);

class Authenticator {
 public:
  struct Deps {
    meta::Store& store;
    io::BlockingPool& passwords;  // argon2 runs here: few threads, a short queue
    const KeyRing& keys;
    const Clock& clock;
    Random& random;
    const Log& log;
    AuditLog& audit;
    /// Of our tokens: iss and aud (A12), and the `service` of a token request.
    std::string service;
    Trust* trust = nullptr;      // of tokens that jobs sign in with; nullptr: none do
    LdapSignIn* ldap = nullptr;  // whom people without a password here are asked for; nullptr: nobody
    /// Whose tokens count instead of ours and of every account's credentials; nullptr: nobody's.
    const ExternalTokens* external = nullptr;
    std::int64_t job_life_ms = kJobLifeMs;
    std::int64_t leeway_s = kTokenLeewayS;  // of our tokens (A12)
  };
  explicit Authenticator(Deps deps);

  /// Who that was, if it is remembered; nullptr says nothing. `authorization` empty: nobody.
  IdentityPtr find_cached(std::string_view authorization);
  /// Errors: unauthorized if the credential proves nothing; too_many_requests; unavailable.
  io::Task<Result<IdentityPtr>> authenticate(std::string authorization, std::string address);
  /// Likewise for a name and a password, a secret or a job's ID token that came in another way.
  io::Task<Result<IdentityPtr>> authenticate(NameAndSecret given, std::string address);
  /// The same, checked again even if it was a moment ago, and each time on record: for a person at a page.
  io::Task<Result<IdentityPtr>> sign_in(NameAndSecret given, std::string address);
  /// A refresh token (A15), which is good for nothing but new access tokens.
  Result<IdentityPtr> refresh(std::string_view secret, std::string_view address);
  /// Stores a refresh token of the identity and returns it.
  io::Task<Result<std::string>> make_refresh_token(IdentityPtr identity);

  /// What a token says even though it has expired, if it has not been for longer than `grace_ms` and is good otherwise:
  /// for who goes on with what was begun in time.
  IdentityPtr find_expired(std::string_view authorization, std::int64_t grace_ms);

  /// For whoever else asks for a password.
  SignInLimiter& limiter() { return limiter_; }
  const std::string& service() const { return deps_.service; }
  const IdentityPtr& anonymous() const { return anonymous_; }

 private:
  using CacheKey = std::array<std::byte, 16>;
  CacheKey key_of(std::string_view authorization) const;
  void remember(std::string_view authorization, const std::optional<meta::Epochs::Stamp>& stamp,
                const IdentityPtr& identity);
  /// Of a password that was right a moment ago for the account as it is now; nullptr: it is to be verified.
  Result<IdentityPtr> recall(std::string_view authorization) const;
  void keep_password(std::string_view authorization, const std::optional<meta::Epochs::Stamp>& stamp,
                     const Identity& identity);
  Result<IdentityPtr> check_token(std::string_view token, std::int64_t grace_s);
  Result<IdentityPtr> check_external(std::string_view token, std::int64_t grace_s) const;
  Result<IdentityPtr> check_secret(const NameAndSecret& given, std::string_view address);
  io::Task<Result<IdentityPtr>> check_password(NameAndSecret given, std::string address);
  io::Task<Result<IdentityPtr>> ask_directory(NameAndSecret given, std::string address, SignInLimiter::Attempt attempt);
  void note_sign_in(std::string_view name, const std::optional<Subject>& subject, std::string_view address,
                    std::string_view rule);
  /// When and from where a secret was last seen, and now and then a record of it.
  void note_use(const meta::TokenRow& row, const Subject& subject, std::string_view address);
  void upgrade_hash(const meta::Principal& principal, std::string password);

  Deps deps_;
  std::array<unsigned char, 16> cache_key_;
  meta::ReadCache<Identity> cache_;
  RecentCredentials recent_;  // in front of it
  VerifiedPasswords verified_;
  SignInLimiter limiter_;
  IdentityPtr anonymous_ = std::make_shared<const Identity>();
};

}  // namespace berth::auth
