#pragma once
// Accounts of the LDAP directory, looked up again now and then: access tokens and docker's refresh tokens never ask the
// directory, and would outlive an employment. Whose entry is gone, or who may not sign in any more, is disabled here
// until an administrator says otherwise; groups that changed are teams at once.
//
// A directory that suddenly knows few of those it knew is taken for one that was set up wrongly: nobody is disabled.

#include "auth/audit_log.h"
#include "auth/external_accounts.h"
#include "base/log.h"
#include "meta/store.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace berth::auth {

struct RecheckReport {
  std::size_t looked_up = 0;
  std::size_t changed = 0;
  std::size_t disabled = 0;
  std::size_t passed_over = 0;  // could not be looked at
  bool is_doubted = false;      // so many are gone that none was disabled
};

class LdapRecheck {
 public:
  struct Deps {
    /// LdapDirectory::look_up. Blocks.
    std::function<Result<std::optional<ExternalPerson>>(const std::string& id)> look_up;
    meta::Store& store;
    ReceptionRules rules;
    std::string issuer;
    const Clock& clock;
    const Log& log;
  };
  explicit LdapRecheck(Deps deps) : deps_(std::move(deps)) { deps_.rules.creates = false; }

  /// All accounts once. Blocks. `pace` is called before each; false stops, and disables nobody.
  /// Errors: unavailable if the directory cannot be asked; those of the database.
  Result<RecheckReport> run(const std::function<bool()>& pace);

 private:
  struct Gone {
    meta::PrincipalId account = 0;
    std::string why;
  };
  /// One account. Errors: it cannot be looked at now.
  Result<void> look_at_one(const meta::Principal& account, RecheckReport& report, std::vector<Gone>& gone);
  /// A whole page; false: stopped. What is wrong with one entry keeps no other from being looked at.
  Result<bool> look_at(const std::vector<meta::Principal>& page, const std::function<bool()>& pace,
                       RecheckReport& report, std::vector<Gone>& gone);
  Result<void> follow(const ExternalPerson& person);
  /// False: it was disabled, or belongs to somebody else, by now.
  Result<bool> disable(const Gone& gone);

  Deps deps_;
};

}  // namespace berth::auth
