#include "meta/namespaces.h"

#include "meta/namespace_row.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kFindByName = R"(
  SELECT id, name, kind, visibility, owner_id, display_name, version
  FROM ns
  WHERE name = $1)";

constexpr sql::Sql kFindById = R"(
  SELECT id, name, kind, visibility, owner_id, display_name, version
  FROM ns
  WHERE id = $1)";

constexpr sql::Sql kOwnedSince = R"(
  SELECT created_at
  FROM ns
  WHERE name = $1 AND kind <> 0)";

constexpr sql::Sql kList = R"(
  SELECT id, name, kind, visibility, owner_id, display_name, version
  FROM ns
  WHERE name > $1
  ORDER BY name
  LIMIT $2)";

constexpr sql::Sql kListDown = R"(
  SELECT id, name, kind, visibility, owner_id, display_name, version
  FROM ns
  WHERE name < $1
  ORDER BY name DESC
  LIMIT $2)";

constexpr sql::Sql kClaim = R"(
  INSERT INTO ns(name, kind, visibility, owner_id, display_name, created_at)
  VALUES($1, $2, $3, $4, $5, $6)
  ON CONFLICT(name) DO UPDATE
    SET kind = excluded.kind, visibility = excluded.visibility, owner_id = excluded.owner_id,
      display_name = excluded.display_name, created_at = excluded.created_at, version = ns.version + 1
    WHERE ns.kind = 0
  RETURNING id)";

constexpr sql::Sql kRelease = R"(
  UPDATE ns
  SET kind = 0, owner_id = NULL, version = version + 1
  WHERE id = $1)";
constexpr sql::Sql kDropGrants = R"(
  DELETE FROM grant_
  WHERE ns_id = $1)";
constexpr sql::Sql kDropMembers = R"(
  DELETE FROM org_member
  WHERE ns_id = $1)";

constexpr sql::Sql kUpdate = R"(
  UPDATE ns
  SET visibility = $3, display_name = $4, version = version + 1
  WHERE id = $1 AND version = $2)";

constexpr sql::Sql kHasRepos = R"(
  SELECT 1
  FROM repo
  WHERE ns_id = $1 AND deleted_at IS NULL
  LIMIT 1)";

constexpr sql::Sql kPutMember = R"(
  INSERT INTO org_member(ns_id, principal_id, role)
  VALUES($1, $2, $3)
  ON CONFLICT(ns_id, principal_id) DO UPDATE SET role = excluded.role, from_group = 0)";

constexpr sql::Sql kRemoveMember = R"(
  DELETE FROM org_member
  WHERE ns_id = $1 AND principal_id = $2)";

constexpr sql::Sql kFindRole = R"(
  SELECT role
  FROM org_member
  WHERE ns_id = $1 AND principal_id = $2)";

constexpr sql::Sql kListMembers = R"(
  SELECT m.principal_id, p.name, m.role
  FROM org_member m
  JOIN principal p ON p.id = m.principal_id
  WHERE m.ns_id = $1 AND m.principal_id > $2
  ORDER BY m.principal_id
  LIMIT $3)";

constexpr sql::Sql kListMembersDown = R"(
  SELECT m.principal_id, p.name, m.role
  FROM org_member m
  JOIN principal p ON p.id = m.principal_id
  WHERE m.ns_id = $1 AND m.principal_id < $2
  ORDER BY m.principal_id DESC
  LIMIT $3)";

constexpr sql::Sql kOrgsOf = R"(
  SELECT n.id, n.name, n.kind, n.visibility, n.owner_id, n.display_name, n.version
  FROM org_member m
  JOIN ns n ON n.id = m.ns_id
  WHERE m.principal_id = $1)";

constexpr sql::Sql kLeaveTeams = R"(
  DELETE FROM team_member
  WHERE principal_id = $2 AND team_id IN (
    SELECT id
    FROM principal
    WHERE ns_id = $1 AND kind = 3))";

constexpr sql::Sql kOtherOwner = R"(
  SELECT 1
  FROM org_member m
  JOIN principal p ON p.id = m.principal_id
  WHERE m.ns_id = $1 AND m.role = 4 AND m.principal_id <> $2 AND p.disabled = 0
  LIMIT 1)";

constexpr sql::Sql kAddTeamMember = R"(
  INSERT INTO team_member(team_id, principal_id)
  VALUES($1, $2)
  ON CONFLICT(team_id, principal_id) DO UPDATE SET from_group = 0
    WHERE team_member.from_group = 1)";

constexpr sql::Sql kRemoveTeamMember = R"(
  DELETE FROM team_member
  WHERE team_id = $1 AND principal_id = $2)";

constexpr sql::Sql kListTeamMembers = R"(
  SELECT m.principal_id, p.name
  FROM team_member m
  JOIN principal p ON p.id = m.principal_id
  WHERE m.team_id = $1 AND m.principal_id > $2
  ORDER BY m.principal_id
  LIMIT $3)";

constexpr sql::Sql kListTeamMembersDown = R"(
  SELECT m.principal_id, p.name
  FROM team_member m
  JOIN principal p ON p.id = m.principal_id
  WHERE m.team_id = $1 AND m.principal_id < $2
  ORDER BY m.principal_id DESC
  LIMIT $3)";

}  // namespace

Result<std::optional<Namespace>> find_namespace(sql::Connection& db, std::string_view name) {
  std::optional<Namespace> out;
  BERTH_TRYV(db.query(kFindByName, {name}, [&](const sql::Row& row) { out = read_namespace(row); }));
  return out;
}

Result<std::optional<std::int64_t>> owned_since(sql::Connection& db, std::string_view name) {
  std::optional<std::int64_t> out;
  BERTH_TRYV(db.query(kOwnedSince, {name}, [&](const sql::Row& row) { out = row.int64(0); }));
  return out;
}

Result<std::optional<Namespace>> find_namespace(sql::Connection& db, NamespaceId id) {
  std::optional<Namespace> out;
  BERTH_TRYV(db.query(kFindById, {id}, [&](const sql::Row& row) { out = read_namespace(row); }));
  return out;
}

Result<NamespaceId> claim_namespace(sql::Connection& db, const Namespace& wanted, const Stamp& stamp) {
  std::optional<NamespaceId> id;
  BERTH_TRYV(db.query(kClaim,
                      {std::string_view(wanted.name), static_cast<std::int64_t>(wanted.kind),
                       static_cast<std::int64_t>(wanted.visibility), bind_optional(wanted.owner),
                       std::string_view(wanted.display_name), stamp.at_ms},
                      [&](const sql::Row& row) { id = row.int64(0); }));
  if (!id) return fail(Errc::already_exists, "the namespace " + wanted.name + " is taken");
  return *id;
}

Result<void> release_namespace(sql::Connection& db, NamespaceId id) {
  BERTH_TRYV(db.execute(kDropGrants, {id}));
  BERTH_TRYV(db.execute(kDropMembers, {id}));
  BERTH_TRYV(db.execute(kRelease, {id}));
  return {};
}

Result<void> update_namespace(sql::Connection& db, const Namespace& ns) {
  BERTH_TRY(const std::int64_t changed,
            db.execute(kUpdate, {ns.id, ns.version, static_cast<std::int64_t>(ns.visibility),
                                 std::string_view(ns.display_name)}));
  if (changed == 0) return fail(Errc::precondition_failed, ns.name + " was changed meanwhile");
  return {};
}

Result<std::vector<Namespace>> list_namespaces(sql::Connection& db, std::string_view last, std::int64_t limit,
                                               Order order) {
  std::vector<Namespace> out;
  BERTH_TRYV(db.query(order == Order::up ? kList : kListDown, {last, limit},
                      [&](const sql::Row& row) { out.push_back(read_namespace(row)); }));
  return out;
}

Result<bool> has_repos(sql::Connection& db, NamespaceId id) {
  bool found = false;
  BERTH_TRYV(db.query(kHasRepos, {id}, [&](const sql::Row&) { found = true; }));
  return found;
}

Result<void> put_org_member(sql::Connection& db, NamespaceId ns, PrincipalId principal, Role role) {
  BERTH_TRYV(db.execute(kPutMember, {ns, principal, static_cast<std::int64_t>(role)}));
  return {};
}

Result<bool> remove_org_member(sql::Connection& db, NamespaceId ns, PrincipalId principal) {
  BERTH_TRY(const std::int64_t changed, db.execute(kRemoveMember, {ns, principal}));
  return changed > 0;
}

Result<std::optional<Role>> find_role(sql::Connection& db, NamespaceId ns, PrincipalId principal) {
  std::optional<Role> out;
  BERTH_TRYV(db.query(kFindRole, {ns, principal}, [&](const sql::Row& row) { out = static_cast<Role>(row.int64(0)); }));
  return out;
}

Result<std::vector<OrgMember>> list_org_members(sql::Connection& db, NamespaceId ns, PrincipalId after,
                                                std::int64_t limit, Order order) {
  std::vector<OrgMember> out;
  BERTH_TRYV(
      db.query(order == Order::up ? kListMembers : kListMembersDown, {ns, after, limit}, [&](const sql::Row& row) {
        out.push_back({row.int64(0), std::string(row.text(1)), static_cast<Role>(row.int64(2))});
      }));
  return out;
}

Result<std::vector<Namespace>> list_orgs_of(sql::Connection& db, PrincipalId principal) {
  std::vector<Namespace> out;
  BERTH_TRYV(db.query(kOrgsOf, {principal}, [&](const sql::Row& row) { out.push_back(read_namespace(row)); }));
  return out;
}

Result<void> leave_teams_of(sql::Connection& db, NamespaceId ns, PrincipalId principal) {
  BERTH_TRYV(db.execute(kLeaveTeams, {ns, principal}));
  return {};
}

Result<bool> has_owner_beside(sql::Connection& db, NamespaceId ns, PrincipalId principal) {
  bool found = false;
  BERTH_TRYV(db.query(kOtherOwner, {ns, principal}, [&](const sql::Row&) { found = true; }));
  return found;
}

Result<bool> add_team_member(sql::Connection& db, PrincipalId team, PrincipalId principal) {
  BERTH_TRY(const std::int64_t changed, db.execute(kAddTeamMember, {team, principal}));
  return changed > 0;
}

Result<bool> remove_team_member(sql::Connection& db, PrincipalId team, PrincipalId principal) {
  BERTH_TRY(const std::int64_t changed, db.execute(kRemoveTeamMember, {team, principal}));
  return changed > 0;
}

Result<std::vector<OrgMember>> list_team_members(sql::Connection& db, PrincipalId team, PrincipalId after,
                                                 std::int64_t limit, Order order) {
  std::vector<OrgMember> out;
  BERTH_TRYV(
      db.query(order == Order::up ? kListTeamMembers : kListTeamMembersDown, {team, after, limit},
               [&](const sql::Row& row) { out.push_back({row.int64(0), std::string(row.text(1)), Role::reader}); }));
  return out;
}

}  // namespace berth::meta
