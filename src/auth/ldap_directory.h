#pragma once
// Names and passwords that an LDAP directory knows: OpenLDAP, 389 Directory Server, Active Directory. The entry is
// searched for in the name of a service account, and the password proved by signing in to the directory with it. A
// connection serves one question; what was verified is remembered by the authenticator, not here.
//
// What somebody types gets into filters only, escaped. A name that nobody has costs the directory the same round trips
// as a wrong password (S26).

#include "auth/ldap_connection.h"
#include "auth/ldap_settings.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

struct LdapQuestion {
  std::string name;
  std::string password;
  /// Asked with the number of the entry before the password is tried on it; its error is ask()'s.
  std::function<Result<void>(const std::string& id)> may_try;
};
struct LdapAnswer {
  std::optional<ExternalPerson> person;  // nullopt: wrong password, or nobody of that name, or several
  std::string id;                        // of the entry that was found
};

class LdapDirectory {
 public:
  struct Deps {
    LdapSettings settings;
    const Clock& clock;
    Random& random;
    const Log& log;
    /// Told what is done, step by step, for a person at a terminal. Empty: nobody.
    std::function<void(const std::string& step)> say;
  };
  explicit LdapDirectory(Deps deps);

  /// Blocks. Errors: unavailable, with the reason in the cause; those of may_try.
  Result<LdapAnswer> ask(const LdapQuestion& question);
  /// What is said of somebody by now, without a password. nullopt: the entry is gone, or the filter passes it over.
  Result<std::optional<ExternalPerson>> look_up(const std::string& id);
  /// Whoever would sign in by that name, without a password.
  Result<std::optional<ExternalPerson>> find(const std::string& name);

  /// Whether a server answers, and knows the service account. Errors: unavailable, with the reason in the cause.
  Result<void> reach();

 private:
  Result<LdapConnection> connect();
  Result<LdapConnection> open(const LdapServer& server);
  Result<void> bind_service(LdapConnection& connection);
  /// The one entry; nullopt: none, or several.
  Result<std::optional<LdapEntry>> find_entry(LdapConnection& connection, const std::string& filter);
  Result<std::optional<ExternalPerson>> find_person(const std::string& filter);
  Result<ExternalPerson> person_of(LdapConnection& connection, const LdapEntry& entry);
  Result<std::string> id_of(const LdapEntry& entry) const;
  Result<std::vector<std::string>> groups_named(const LdapEntry& entry) const;
  Result<std::vector<std::string>> groups_found(LdapConnection& connection, const LdapEntry& entry);
  void say(const std::string& step) const;

  Deps deps_;
  std::mutex mutex_;                         // guards: rest_until_ms_
  std::vector<std::int64_t> rest_until_ms_;  // of each server, on the monotonic clock
};

}  // namespace berth::auth
