#pragma once
// Who there is: users, robots, teams. Rows as they are; the rules are auth/accounts.h's.

#include "meta/ids.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

enum class PrincipalKind : std::int64_t { user = 1, robot = 2, team = 3 };

struct Principal {
  PrincipalId id = 0;
  PrincipalKind kind = PrincipalKind::user;
  std::string name;
  std::optional<NamespaceId> ns;  // of a robot or team
  std::string email;
  std::string display_name;
  bool is_admin = false;
  bool is_disabled = false;
  std::string password_hash;  // empty: no password opens it
  std::string issuer;         // of who signs in elsewhere: who says who it is, and its number there
  std::string external_id;
  std::optional<std::int64_t> expires_at_ms;
  std::int64_t created_at_ms = 0;
  std::int64_t version = 1;
};

Result<std::optional<Principal>> find_principal(sql::Connection& db, std::string_view name);
Result<std::optional<Principal>> find_principal(sql::Connection& db, PrincipalId id);
/// Whoever that issuer calls by that number.
Result<std::optional<Principal>> find_external(sql::Connection& db, std::string_view issuer, std::string_view id);
/// Whoever signs in by that issuer, by number there, after `last` (exclusive), at most `limit`.
Result<std::vector<Principal>> list_external(sql::Connection& db, std::string_view issuer, std::string_view last,
                                             std::int64_t limit);
/// Errors: already_exists.
Result<PrincipalId> insert_principal(sql::Connection& db, const Principal& principal, const Stamp& stamp);
/// Writes every column that may change, and raises the version. Errors: precondition_failed if the row is not at
/// `principal.version` any more, or gone.
Result<void> update_principal(sql::Connection& db, const Principal& principal);
/// Puts `made` in the place of `old`, if that is what is there: the same password in a better form.
Result<void> replace_password_hash(sql::Connection& db, PrincipalId id, std::string_view old, std::string_view made);
/// With its memberships, grants, tokens and trust rules. What it did stays told under its number.
Result<void> remove_principal(sql::Connection& db, PrincipalId id);
/// Robots and teams of a namespace, each as remove_principal() does.
Result<void> remove_principals_of(sql::Connection& db, NamespaceId ns);
/// Robots or teams of a namespace, by name, after `last` (exclusive), at most `limit`.
Result<std::vector<Principal>> list_principals_of(sql::Connection& db, NamespaceId ns, PrincipalKind kind,
                                                  std::string_view last, std::int64_t limit, Order order = Order::up);
/// By name, after `last` (exclusive), at most `limit`.
Result<std::vector<Principal>> list_principals(sql::Connection& db, PrincipalKind kind, std::string_view last,
                                               std::int64_t limit, Order order = Order::up);
/// Whether somebody could sign in at all.
Result<bool> has_users(sql::Connection& db);
/// Administrators that are not disabled, counted up to two: whether one is the last.
Result<std::int64_t> count_admins(sql::Connection& db);

}  // namespace berth::meta
