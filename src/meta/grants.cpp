#include "meta/grants.h"

#include "meta/namespace_row.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kPut = R"(
  INSERT INTO grant_(principal_id, ns_id, pattern, allow, deny, created_at, created_by)
  VALUES($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT(principal_id, ns_id, pattern) DO UPDATE
    SET allow = excluded.allow, deny = excluded.deny, created_at = excluded.created_at,
      created_by = excluded.created_by
  RETURNING id)";

constexpr sql::Sql kFind = R"(
  SELECT id
  FROM grant_
  WHERE principal_id = $1 AND ns_id = $2 AND pattern = $3)";

constexpr sql::Sql kFindById = R"(
  SELECT g.id, g.principal_id, p.name, g.pattern, g.allow, g.deny
  FROM grant_ g
  JOIN principal p ON p.id = g.principal_id
  WHERE g.id = $1 AND g.ns_id = $2)";

constexpr sql::Sql kRemove = R"(
  DELETE FROM grant_
  WHERE id = $1 AND ns_id = $2)";

constexpr sql::Sql kList = R"(
  SELECT g.id, g.principal_id, p.name, g.pattern, g.allow, g.deny
  FROM grant_ g
  JOIN principal p ON p.id = g.principal_id
  WHERE g.ns_id = $1 AND g.id > $2
  ORDER BY g.id
  LIMIT $3)";

constexpr sql::Sql kListDown = R"(
  SELECT g.id, g.principal_id, p.name, g.pattern, g.allow, g.deny
  FROM grant_ g
  JOIN principal p ON p.id = g.principal_id
  WHERE g.ns_id = $1 AND g.id < $2
  ORDER BY g.id DESC
  LIMIT $3)";

constexpr sql::Sql kCount = R"(
  SELECT count(*)
  FROM grant_
  WHERE principal_id = $1 AND ns_id = $2)";

constexpr sql::Sql kMergeInto = R"(
  UPDATE grant_
  SET allow = (allow | (SELECT o.allow FROM grant_ o
        WHERE o.principal_id = grant_.principal_id AND o.ns_id = $1 AND o.pattern = $2))
      & ~(deny | (SELECT o.deny FROM grant_ o
        WHERE o.principal_id = grant_.principal_id AND o.ns_id = $1 AND o.pattern = $2)),
    deny = deny | (SELECT o.deny FROM grant_ o
        WHERE o.principal_id = grant_.principal_id AND o.ns_id = $1 AND o.pattern = $2)
  WHERE ns_id = $1 AND pattern = $3 AND EXISTS(SELECT 1 FROM grant_ o
    WHERE o.principal_id = grant_.principal_id AND o.ns_id = $1 AND o.pattern = $2))";

constexpr sql::Sql kDropMerged = R"(
  DELETE FROM grant_
  WHERE ns_id = $1 AND pattern = $2 AND EXISTS(SELECT 1 FROM grant_ o
    WHERE o.principal_id = grant_.principal_id AND o.ns_id = $1 AND o.pattern = $3))";

constexpr sql::Sql kMovePattern = R"(
  UPDATE grant_
  SET pattern = $3
  WHERE ns_id = $1 AND pattern = $2)";

constexpr sql::Sql kDropOn = R"(
  DELETE FROM grant_
  WHERE ns_id = $1 AND pattern = $2)";

/// The namespace, or the one behind where it would be, for the same reason as with kRepo. The role is of an
/// organisation alone: a row that was left over gives none in a user's namespace.
constexpr sql::Sql kNamespaceAndRole = R"(
  SELECT n.id, n.name, n.kind, n.visibility, n.owner_id, n.display_name, n.version, m.role
  FROM ns n
  LEFT JOIN org_member m ON n.kind = 2 AND m.ns_id = n.id AND m.principal_id = $2
  WHERE n.name >= $1
  ORDER BY n.name
  LIMIT 1)";

// Its own, and those of its teams: from the teams to their grants, never the other way round, for the namespace may
// have a hundred thousand. SQLite keeps the order of a CROSS JOIN. The index has all that is selected. No names:
// whoever decides needs none.
constexpr sql::Sql kOwnAndOfTeams = R"(
  SELECT id, principal_id, '', pattern, allow, deny
  FROM grant_
  WHERE principal_id = $1 AND ns_id = $2
  UNION ALL
  SELECT g.id, g.principal_id, '', g.pattern, g.allow, g.deny
  FROM team_member m
  CROSS JOIN grant_ g
  WHERE m.principal_id = $1 AND g.principal_id = m.team_id AND g.ns_id = $2)";

/// The repository, or the one behind where it would be: so that the same is read whether it exists or not, and the time
/// of a refusal does not tell.
constexpr sql::Sql kRepo = R"(
  SELECT name, visibility, deleted_at IS NULL
  FROM repo
  WHERE name >= $1
  ORDER BY name
  LIMIT 1)";

GrantRow read(const sql::Row& row) {
  return {row.int64(0), row.int64(1), std::string(row.text(2)), std::string(row.text(3)), row.int64(4), row.int64(5)};
}

}  // namespace

Result<Place> load_place(sql::Connection& db, std::optional<PrincipalId> principal, std::string_view ns) {
  Place out;
  BERTH_TRYV(db.query(kNamespaceAndRole, {ns, bind_optional(principal)}, [&](const sql::Row& row) {
    Namespace found = read_namespace(row);
    if (found.name != ns) return;
    out.ns = std::move(found);
    if (!row.is_null(7)) out.role = static_cast<Role>(row.int64(7));
  }));
  if (!principal) return out;
  out.grants.reserve(4);                                                      // most have fewer
  BERTH_TRYV(db.query(kOwnAndOfTeams, {*principal, out.ns ? out.ns->id : 0},  // 0: of none, in the same time
                      [&](const sql::Row& row) { out.grants.push_back(read(row)); }));
  return out;
}

Result<GrantId> put_grant(sql::Connection& db, NamespaceId ns, const GrantRow& grant, const Stamp& stamp) {
  GrantId id = 0;
  BERTH_TRYV(db.query(kPut,
                      {grant.principal, ns, std::string_view(grant.pattern), grant.allow, grant.deny, stamp.at_ms,
                       bind_optional(stamp.principal)},
                      [&](const sql::Row& row) { id = row.int64(0); }));
  return id;
}

Result<std::optional<GrantId>> find_grant(sql::Connection& db, NamespaceId ns, PrincipalId principal,
                                          std::string_view pattern) {
  std::optional<GrantId> id;
  BERTH_TRYV(db.query(kFind, {principal, ns, pattern}, [&](const sql::Row& row) { id = row.int64(0); }));
  return id;
}

Result<std::optional<GrantRow>> find_grant(sql::Connection& db, NamespaceId ns, GrantId id) {
  std::optional<GrantRow> out;
  BERTH_TRYV(db.query(kFindById, {id, ns}, [&](const sql::Row& row) { out = read(row); }));
  return out;
}

Result<bool> remove_grant(sql::Connection& db, NamespaceId ns, GrantId id) {
  BERTH_TRY(const std::int64_t changed, db.execute(kRemove, {id, ns}));
  return changed > 0;
}

Result<std::int64_t> count_grants(sql::Connection& db, PrincipalId principal, NamespaceId ns) {
  std::int64_t count = 0;
  BERTH_TRYV(db.query(kCount, {principal, ns}, [&](const sql::Row& row) { count = row.int64(0); }));
  return count;
}

Result<std::vector<GrantRow>> list_grants(sql::Connection& db, NamespaceId ns, GrantId after, std::int64_t limit,
                                          Order order) {
  std::vector<GrantRow> out;
  BERTH_TRYV(db.query(order == Order::up ? kList : kListDown, {ns, after, limit},
                      [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::int64_t> move_grants(sql::Connection& db, NamespaceId ns, std::string_view from, std::string_view to) {
  BERTH_TRYV(db.execute(kMergeInto, {ns, from, to}));
  BERTH_TRY(const std::int64_t merged, db.execute(kDropMerged, {ns, from, to}));
  BERTH_TRY(const std::int64_t moved, db.execute(kMovePattern, {ns, from, to}));
  return merged + moved;
}

Result<std::int64_t> drop_grants_on(sql::Connection& db, NamespaceId ns, std::string_view name) {
  return db.execute(kDropOn, {ns, name});
}

Result<std::optional<Visibility>> load_visibility(sql::Connection& db, const oci::RepoName& repo) {
  std::optional<Visibility> out;
  BERTH_TRYV(db.query(kRepo, {std::string_view(repo.str())}, [&](const sql::Row& row) {
    const auto visibility = static_cast<Visibility>(row.int64(1));
    if ((row.text(0) == repo.str()) & (row.int64(2) != 0)) out = visibility;
  }));
  return out;
}

Result<Standing> load_standing(sql::Connection& db, std::optional<PrincipalId> principal, const oci::RepoName& repo) {
  Standing out;
  BERTH_TRY(Place place, load_place(db, principal, repo.first_component()));
  BERTH_TRY(out.repo, load_visibility(db, repo));  // looked for where there is no namespace, too, for the same time
  out.place = std::make_shared<const Place>(std::move(place));
  return out;
}

}  // namespace berth::meta
