#pragma once
// The built-in token service: who asks, and for what → a token that says what was granted (A7, A8).

#include "auth/authenticator.h"
#include "auth/directory.h"

#include <string>
#include <vector>

namespace berth::auth {

struct IssuedToken {
  std::string text;
  std::int64_t expires_in_s = 0;
  std::string scope;  // what was granted, as a client would ask for it
};

class TokenService {
 public:
  struct Deps {
    Directory& directory;
    const KeyRing& keys;
    const Clock& clock;
    Random& random;
    std::string service;
    std::int64_t lifetime_s = 900;  // A11: never under 60
  };
  explicit TokenService(Deps deps) : deps_(std::move(deps)) {}

  /// What the identity may do of what it asks, for no longer than a job's own token lives. Nothing is no error (A8):
  /// the token then says so.
  Result<IssuedToken> issue(const Identity& identity, const std::vector<Scope>& wanted);

 private:
  Result<Actions> granted(const Identity& identity, const Scope& scope);

  Deps deps_;
};

}  // namespace berth::auth
