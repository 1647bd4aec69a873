#pragma once
// People whom somebody else vouches for: an OpenID Connect provider, an LDAP directory. Who that is here is told by
// issuer and number there and by nothing else, least of all by an e-mail address, which its owner may choose. Groups
// there are teams here, where an owner of the team said so.

#include "auth/audit_log.h"
#include "auth/directory.h"
#include "auth/identity.h"
#include "base/clock.h"
#include "meta/principals.h"
#include "meta/store.h"
#include "meta/team_groups.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

/// What is said about somebody who proved there who he is. Nothing of it is checked.
struct ExternalPerson {
  std::string issuer;
  std::string id;    // there; never given to anybody else
  std::string name;  // what he calls himself; an account of his gets its name from it
  std::string email;
  std::string display_name;
  std::optional<std::vector<std::string>> groups;  // nullopt: nothing was said about groups, which changes none
};

struct ReceptionRules {
  bool creates = true;                                     // an account at the first sign-in
  std::vector<std::string> allowed_groups;                 // one of them is needed; empty: none is
  std::string admin_group;                                 // makes administrators, and unmakes them; empty: nobody asks
  meta::Visibility visibility = meta::Visibility::closed;  // of the namespaces of accounts that are made
  /// How long one sign-in vouches for an account that has no password here: until then its tokens work. 0: for ever.
  std::int64_t vouched_ms = 0;
};

/// "Ann.Lee@acme.example" → "ann.lee". Errors: account_invalid if nothing is left that could be a name.
Result<std::string> account_name_from(std::string_view text);

/// The account of whoever that is, made and brought in line with his groups if need be: what receive() would change.
struct Reception {
  std::optional<meta::Principal> account;  // nullopt: it is to be made
  bool changes_account = false;            // `account` is what it is to be
  std::vector<meta::TeamPlace> enters;
  std::vector<meta::TeamPlace> leaves;

  bool is_settled() const { return account && !changes_account && enters.empty() && leaves.empty(); }
};
/// Errors: denied with a sentence: not of an allowed group, no account and none is made.
Result<Reception> plan_reception(sql::Connection& db, const ExternalPerson& person, const ReceptionRules& rules,
                                 std::int64_t now_ms);
/// Does it, inside of one write transaction. Errors: as plan_reception(); already_exists if the name is another's.
Result<meta::Principal> receive(sql::Connection& db, const ExternalPerson& person, const ReceptionRules& rules,
                                const meta::Stamp& stamp);

/// Errors: account_invalid: one without the other, or too long.
Result<void> check_link(std::string_view issuer, std::string_view id);
/// Ties an account to somebody elsewhere; empty issuer and id: unties it.
/// Errors: account_unknown, account_invalid; already_exists if another account is tied to that one.
Result<void> link_account(sql::Connection& db, std::string_view user, std::string_view issuer, std::string_view id,
                          std::optional<std::int64_t> version);

class ExternalAccounts {
 public:
  struct Deps {
    meta::Store& store;
    Directory& directory;
    const Clock& clock;
    AuditLog& audit;
  };
  explicit ExternalAccounts(Deps deps) : deps_(deps) {}

  /// Who that is here. `rules` and `how` ("LDAP", "OpenID Connect") are the source's. On record either way.
  /// Errors: denied with a sentence for the person; those of the database.
  io::Task<Result<Subject>> sign_in(ExternalPerson person, ReceptionRules rules, std::string how, std::string address);
  /// Ties an account to that person; `entry` goes on record with it. Errors: as link_account().
  io::Task<Result<void>> link(std::string user, ExternalPerson person, meta::AuditEntry entry);

 private:
  io::Task<Result<meta::Principal>> find_or_make(ExternalPerson person, ReceptionRules rules);
  Deps deps_;
};

}  // namespace berth::auth
