#pragma once
// Namespaces: the first component of every repository's name, who owns it, who belongs to it.

#include "meta/ids.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

enum class NamespaceKind : std::int64_t {
  unowned = 0,  // came into being by a push; the administrators' until somebody is given it
  user = 1,
  organization = 2,
};

/// Who may read a repository without any other right. Stored numbers; a wider one includes the narrower.
enum class Visibility : std::int64_t { closed = 0, internal = 1, open = 2 };  // private, internal, public

enum class Role : std::int64_t { reader = 1, writer = 2, admin = 3, owner = 4 };

struct Namespace {
  NamespaceId id = 0;
  std::string name;
  NamespaceKind kind = NamespaceKind::unowned;
  Visibility visibility = Visibility::closed;  // of repositories that come into being in it
  std::optional<PrincipalId> owner;            // of a user's
  std::string display_name;
  std::int64_t version = 1;
};

Result<std::optional<Namespace>> find_namespace(sql::Connection& db, std::string_view name);
Result<std::optional<Namespace>> find_namespace(sql::Connection& db, NamespaceId id);
/// When whoever owns it came by it, in milliseconds since 1970; nullopt: nobody owns it, or there is none.
Result<std::optional<std::int64_t>> owned_since(sql::Connection& db, std::string_view name);
/// Errors: already_exists, unless there is one that nobody owns: then that one is taken over.
Result<NamespaceId> claim_namespace(sql::Connection& db, const Namespace& wanted, const Stamp& stamp);
/// Back to nobody: its repositories stay, who was given something in it has it no more.
Result<void> release_namespace(sql::Connection& db, NamespaceId id);
/// Errors: precondition_failed if the row is not at `version` any more.
Result<void> update_namespace(sql::Connection& db, const Namespace& ns);
/// Of that kind, by name, after `last` (exclusive), at most `limit`.
Result<std::vector<Namespace>> list_namespaces(sql::Connection& db, std::string_view last, std::int64_t limit,
                                               Order order = Order::up);
/// Whether there is a repository in it that is not deleted.
Result<bool> has_repos(sql::Connection& db, NamespaceId id);

struct OrgMember {
  PrincipalId principal = 0;
  std::string name;
  Role role = Role::reader;
};
Result<void> put_org_member(sql::Connection& db, NamespaceId ns, PrincipalId principal, Role role);
/// False if there was none.
Result<bool> remove_org_member(sql::Connection& db, NamespaceId ns, PrincipalId principal);
Result<std::optional<Role>> find_role(sql::Connection& db, NamespaceId ns, PrincipalId principal);
Result<std::vector<OrgMember>> list_org_members(sql::Connection& db, NamespaceId ns, PrincipalId after,
                                                std::int64_t limit, Order order = Order::up);
/// The organisations somebody belongs to.
Result<std::vector<Namespace>> list_orgs_of(sql::Connection& db, PrincipalId principal);
/// Takes somebody out of every team of the organisation.
Result<void> leave_teams_of(sql::Connection& db, NamespaceId ns, PrincipalId principal);
/// Whether the organisation has another owner than that one, who is not disabled.
Result<bool> has_owner_beside(sql::Connection& db, NamespaceId ns, PrincipalId principal);

/// False if it was in the team already, and not by a group alone.
Result<bool> add_team_member(sql::Connection& db, PrincipalId team, PrincipalId principal);
Result<bool> remove_team_member(sql::Connection& db, PrincipalId team, PrincipalId principal);
Result<std::vector<OrgMember>> list_team_members(sql::Connection& db, PrincipalId team, PrincipalId after,
                                                 std::int64_t limit, Order order = Order::up);

}  // namespace berth::meta
