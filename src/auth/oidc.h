#pragma once
// People who sign in at an OpenID Connect provider: the authorization code flow with PKCE (OpenID Connect Core 1.0,
// RFC 7636, RFC 9700). The browser is sent there with a state, comes back with a code, and the code is exchanged for
// an ID token by us.
//
// Between the two nothing is kept here: what binds the answer to the browser is one random secret in a cookie of that
// browser, from which state, nonce and PKCE verifier are derived. A code that somebody else's browser fetched is of no
// use with it, and the provider sees each of the three only where it is meant to.

#include "auth/external_accounts.h"
#include "auth/issuer_keys.h"
#include "auth/jwt.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "io/async_mutex.h"
#include "io/blocking_pool.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::auth {

struct OidcSettings {
  std::string issuer;
  std::string client_id;
  std::string client_secret;  // empty: a public client, which PKCE alone protects
  std::string label;          // what people call the provider: "Sign in with <label>"
  std::string scopes = "openid profile email";
  std::string name_claim = "preferred_username";  // what an account gets its name from
  std::string groups_claim = "groups";            // empty: groups do not matter
  ReceptionRules rules;
};

/// What the person is told when the fault is not his; the reason is in the error's cause.
inline constexpr std::string_view kSignInFailed =
    "the sign-in did not work; begin it anew, and if that does not help, the registry's log says why";

/// What a token endpoint answers. Errors: denied with a sentence.
struct TokenAnswer {
  std::string id_token;
  std::string access_token;  // may be empty
};
Result<TokenAnswer> parse_token_answer(std::string_view text);

/// Who an ID token speaks of. Errors: denied with a sentence: it was not made for us, or not for this sign-in.
Result<ExternalPerson> person_of(const IdToken& token, const OidcSettings& settings, std::string_view nonce);
/// Groups as a claim has them: a list of texts, or one. nullopt: the claim is not there.
std::optional<std::vector<std::string>> groups_of(const json::Value& claims, std::string_view claim);

class Oidc {
 public:
  /// A question to the provider.
  struct Question {
    std::string url;
    std::string form;  // of a POST; empty: a GET
    std::string user;  // of Basic credentials
    std::string secret;
    std::string bearer;
  };
  /// The body of a successful answer, 256 KiB at most. Blocks; it runs on the pool. Errors: unavailable; denied if the
  /// provider refuses, kSignInFailed with its own words in the cause.
  using Ask = std::function<Result<std::string>(const Question& question)>;

  struct Deps {
    IssuerKeys& issuers;
    Ask ask;
    io::BlockingPool& pool;
    const Clock& clock;
    Random& random;
    const Log& log;
    std::int64_t leeway_s = kTokenLeewayS;  // A12
  };
  Oidc(OidcSettings settings, Deps deps) : settings_(std::move(settings)), deps_(std::move(deps)) {}

  const OidcSettings& settings() const { return settings_; }

  struct Begun {
    std::string url;     // where the browser goes
    std::string secret;  // for its cookie
  };
  /// back: our own address that the provider sends it back to. Errors: unavailable.
  io::Task<Result<Begun>> begin(std::string back);

  /// Whether the browser with that cookie was sent for this answer; nothing else of the answer is to be believed
  /// before.
  static bool is_answer_to(std::string_view secret, std::string_view state);

  /// What the browser came back with, and the secret of its cookie.
  struct Returned {
    std::string secret;
    std::string state;
    std::string code;
    std::string issuer;  // RFC 9207; empty: not said
    std::string back;    // as to begin()
  };
  /// Errors: denied with a sentence for the person, the reason in its cause; unavailable.
  io::Task<Result<ExternalPerson>> finish(Returned returned);

 private:
  // shared: sign-ins use the addresses they began with.
  using ProviderPtr = std::shared_ptr<const Discovery>;
  io::Task<Result<ProviderPtr>> provider();
  ProviderPtr fresh() const;
  Result<ProviderPtr> discover() const;
  Result<std::string> exchange(const Discovery& provider, const Returned& returned) const;
  /// What the ID token did not say, as some providers keep it for the userinfo endpoint.
  Result<std::optional<std::vector<std::string>>> ask_for_groups(const Discovery& provider, const std::string& token,
                                                                 std::string_view subject) const;

  OidcSettings settings_;
  Deps deps_;
  io::AsyncMutex asking_;
  mutable std::mutex mutex_;  // guards: what follows
  ProviderPtr provider_;
  std::int64_t fetched_ms_ = 0;  // of the monotonic clock, as the next one
  std::optional<std::int64_t> tried_ms_;
};

}  // namespace berth::auth
