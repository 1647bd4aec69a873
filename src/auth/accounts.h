#pragma once
// The rules of accounts: names, who owns which namespace, what must never be without an owner. Every function is for
// the inside of one write transaction, and the same for the API and for the commands that work on a stopped server's
// folder. Who may call it is the caller's business.

#include "auth/decision.h"
#include "auth/identity.h"
#include "meta/principals.h"
#include "meta/tokens.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

/// A user's or an organisation's name, which is also the first component of its repositories: 2 to 64 of a-z and 0-9,
/// joined by single '.', '_' or '-', and none of the few words that mean something else. Errors: account_invalid.
Result<void> check_account_name(std::string_view name);
/// "acme+ci", or a free plain name; the namespace of the former.
Result<std::optional<std::string_view>> check_robot_name(std::string_view name);
Result<void> check_email(std::string_view email);
/// What people call a user or an organisation: at most 200 bytes of text.
Result<void> check_display_name(std::string_view text);

struct NewUser {
  std::string name;
  std::string email;
  std::string display_name;
  bool is_admin = false;
  std::string password_hash;                               // empty: signs in from outside only
  meta::Visibility visibility = meta::Visibility::closed;  // of what he will push, until he says otherwise
};
/// With the first account the set-up page closes, so that must be somebody who can make others.
/// Errors: state_conflict.
Result<void> check_first_user(sql::Connection& db, const NewUser& user);
/// The user and the namespace of the same name. One that nobody owns is taken over with its repositories, if
/// `adopts_namespace`. Errors: account_invalid, already_exists.
Result<meta::PrincipalId> create_user(sql::Connection& db, const NewUser& user, bool adopts_namespace,
                                      const meta::Stamp& stamp);
/// A new password ends what was opened by the old one: refresh tokens, web sessions, short-lived passwords.
Result<void> set_password(sql::Connection& db, std::string_view user, std::string_view password_hash,
                          const meta::Stamp& stamp);
struct UserChange {
  std::optional<std::string> email;
  std::optional<std::string> display_name;
  std::optional<bool> is_admin;
  std::optional<bool> is_disabled;
};
/// Errors: account_unknown, account_invalid; state_conflict for the last administrator.
Result<void> change_user(sql::Connection& db, std::string_view user, const UserChange& change);
/// Its namespace goes back to nobody: its repositories stay, its robots and what it granted do not. Errors:
/// account_unknown; state_conflict for the last administrator or the last owner of an organisation.
Result<void> remove_user(sql::Connection& db, std::string_view user);

struct NewOrg {
  std::string name;
  std::string display_name;
  meta::PrincipalId owner = 0;
  meta::Visibility visibility = meta::Visibility::closed;  // of what comes into being there, until it says otherwise
};
/// Errors: account_invalid, already_exists.
Result<meta::NamespaceId> create_org(sql::Connection& db, const NewOrg& org, bool adopts_namespace,
                                     const meta::Stamp& stamp);
/// Errors: account_unknown; state_conflict while it has repositories.
Result<void> remove_org(sql::Connection& db, std::string_view name);
/// Errors: account_unknown; state_conflict if it left the organisation without an owner.
Result<void> put_member(sql::Connection& db, std::string_view org, std::string_view user, meta::Role role);
Result<void> remove_member(sql::Connection& db, std::string_view org, std::string_view user);
/// What somebody is there; nullopt: nothing, or there is no such organisation or user.
Result<std::optional<meta::Role>> role_of_member(sql::Connection& db, std::string_view org, std::string_view user);
std::optional<meta::Role> parse_role(std::string_view word);
std::string_view to_word(meta::Role role);

/// "acme/devs". Errors: account_invalid, account_unknown (the organisation), already_exists.
Result<meta::PrincipalId> create_team(sql::Connection& db, std::string_view name, const meta::Stamp& stamp);
Result<void> remove_team(sql::Connection& db, std::string_view name);
/// Members of the organisation only; false if it is in it already. Errors: account_unknown, state_conflict.
Result<bool> add_to_team(sql::Connection& db, std::string_view team, std::string_view user);
Result<void> remove_from_team(sql::Connection& db, std::string_view team, std::string_view user);

struct NewRobot {
  std::string name;  // "acme+ci", or plain
  std::string ns;    // the namespace it belongs to; may be empty for "acme+ci"
  std::optional<std::int64_t> expires_at_ms;
  std::string description;
};
Result<meta::PrincipalId> create_robot(sql::Connection& db, const NewRobot& robot, const meta::Stamp& stamp);
/// At most two live secrets: a third is refused (state_conflict) until one of them is over. The older one ends at
/// `overlap_until_ms`; where that is not in the future, those before are revoked.
Result<meta::TokenId> add_robot_secret(sql::Connection& db, std::string_view robot, const crypto::Sha256Sum& hash,
                                       std::int64_t overlap_until_ms, const meta::Stamp& stamp);
struct RobotChange {
  struct End {
    std::optional<std::int64_t> at_ms;  // nullopt: never
  };
  std::optional<std::string> description;
  std::optional<bool> is_disabled;
  std::optional<End> end;
};
/// Its secrets end with it, and go on with it. Errors: account_unknown.
Result<void> change_robot(sql::Connection& db, std::string_view robot, const RobotChange& change);
Result<void> remove_robot(sql::Connection& db, std::string_view robot);

inline constexpr std::int64_t kGrantsPerSubjectMax = 1'000;  // of one subject in one namespace
/// Gives to (or takes from, by `deny`) a user, robot or team. The pattern names the namespace.
/// Errors: account_invalid, account_unknown, state_conflict (too many).
Result<meta::GrantId> put_grant(sql::Connection& db, std::string_view principal, std::string_view pattern, Rights allow,
                                Rights deny, const meta::Stamp& stamp);
Result<void> remove_grant(sql::Connection& db, std::string_view ns, meta::GrantId id);

std::optional<meta::Visibility> parse_visibility(std::string_view word);
std::string_view to_word(meta::Visibility visibility);

}  // namespace berth::auth
