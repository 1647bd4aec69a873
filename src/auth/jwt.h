#pragma once
// Tokens that docker and the others carry to the registry: JSON Web Tokens with an `access` claim (A12). Berth signs
// its own with ES256 and accepts others' of the issuers and keys that are configured.
//
// What a token says of itself is believed as little as possible (S8): the key is one of ours, chosen by `kid` alone;
// its kind fixes the algorithm; `jwk`, `jku`, `x5u` and `x5c` are not looked at; claims are parsed once the signature
// holds.
//
// Cost of one verify_token with ES256: 94 µs, of which 84 are the signature (crypto/verify_key.h); of sign_token: 33
// µs. A client sends the same token with each request of a pull, so whoever checks per request should remember what was
// verified, for no longer than the token lives.

#include "base/json.h"
#include "base/result.h"
#include "crypto/signing_key.h"
#include "crypto/verify_key.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

/// What one entry of `access` allows. An empty list of actions: asked for and denied.
struct Access {
  std::string type;  // "repository", "registry"
  std::string name;
  std::vector<std::string> actions;  // "pull", "push", …

  friend bool operator==(const Access&, const Access&) = default;
};

/// Times are seconds since 1970 UTC.
struct Claims {
  std::string issuer;
  std::string subject;  // empty: anonymous (A9)
  std::vector<std::string> audiences;
  std::int64_t expires = 0;
  std::optional<std::int64_t> not_before;
  std::optional<std::int64_t> issued_at;
  std::string id;
  std::vector<Access> access;
  /// Of our own tokens: the number of the account, so that the next one of that name is another, and of the secret it
  /// was made with, so that it ends with it. 0: none. Claims uid and via.
  std::int64_t principal = 0;
  std::int64_t via = 0;
  /// Likewise of the trust rule, for a job that signed in with another issuer's token. Claim rule.
  std::int64_t rule = 0;

  friend bool operator==(const Claims&, const Claims&) = default;
};

/// Header, claims, signature. Nothing of the claims is checked: they are the caller's own. Text that is not UTF-8 comes
/// out changed (base/json_text.h).
std::string sign_token(const crypto::SigningKey& key, const Claims& claims);

inline constexpr std::int64_t kTokenLeewayS = 60;  // A12

struct TokenExpectations {
  std::string issuer;    // iss must be this, byte for byte
  std::string audience;  // aud must be or contain this
  std::int64_t now_ms = 0;
  std::int64_t leeway_s = kTokenLeewayS;  // for clocks that differ
  std::int64_t grace_s = 0;               // how long after its end a token counts all the same
  /// A token with a hundred repositories has about 10 KB; it travels in a header.
  std::size_t bytes_max = 32 * 1024;
};

/// The two messages of a refused token. Which rule it broke is in the error's cause.
inline constexpr std::string_view kTokenExpired = "the token has expired";
inline constexpr std::string_view kTokenInvalid = "the token is not valid";

/// A12. keys: those of this issuer.
/// Errors: unauthorized with one of the two messages; kTokenExpired only for a token that is good in all other
/// respects.
Result<Claims> verify_token(std::string_view text, std::span<const crypto::VerifyKey> keys,
                            const TokenExpectations& expected);

// ---- tokens of others, which say who somebody is

/// Whether a text has the shape of a token, so that it is no password: three parts, the first a JSON object's.
bool looks_like_token(std::string_view text);

/// What a token says of itself before anything is checked: where to look for rules and keys, and good for nothing else.
struct TokenHint {
  std::string issuer;
  std::string kid;
};
/// Errors: as verify_token().
Result<TokenHint> peek_token(std::string_view text, std::size_t bytes_max = TokenExpectations{}.bytes_max);

struct IdToken {
  Claims claims;        // the registered ones (RFC 7519 4.1); no access, nothing of ours
  json::Value payload;  // all of them
};
/// As verify_token(), but any audience: whoever calls compares claims.audiences with what it was to be (S9).
Result<IdToken> verify_id_token(std::string_view text, std::span<const crypto::VerifyKey> keys,
                                TokenExpectations expected);

}  // namespace berth::auth
