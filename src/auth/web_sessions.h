#pragma once
// Browsers that are signed in. The secret of a session is in a cookie of the browser; here is its hash, among the other
// secrets of the account, so that it ends as they do: by itself, by revocation, with the password that was changed.

#include "auth/identity.h"
#include "base/clock.h"
#include "base/random.h"
#include "meta/store.h"

#include <string>
#include <string_view>

namespace berth::auth {

class WebSessions {
 public:
  static constexpr std::int64_t kLifeMs = 7LL * 24 * 60 * 60 * 1000;  // from the sign-in on
  static constexpr std::int64_t kIdleMs = 12LL * 60 * 60 * 1000;      // between two requests

  struct Deps {
    meta::Store& store;
    const Clock& clock;
    Random& random;
  };
  explicit WebSessions(Deps deps) : deps_(deps) {}

  /// The cookie's value. `browser` is what the person sees in the list of sessions. Errors: unauthorized, if the
  /// account or its password changed since the person was identified.
  io::Task<Result<std::string>> open(IdentityPtr person, std::string browser, std::string address);
  /// Who that is; nullptr: nobody, or not any more. Notes now and then that it was used.
  Result<IdentityPtr> find(std::string_view cookie, std::string_view address);
  io::Task<Result<void>> close(IdentityPtr session);
  /// Whether a session that was found before is one still.
  Result<bool> is_open(const Identity& session) const;

 private:
  Deps deps_;
};

/// What a form of the session must bring along, so that no other site's page can send it: a hash of the cookie, which
/// those cannot read.
std::string form_token(std::string_view cookie);
bool is_form_token(std::string_view given, std::string_view cookie);

}  // namespace berth::auth
