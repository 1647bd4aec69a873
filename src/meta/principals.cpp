#include "meta/principals.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kFindByName = R"(
  SELECT id, kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at, created_at, version,
    issuer, external_id
  FROM principal
  WHERE name = $1)";

constexpr sql::Sql kFindById = R"(
  SELECT id, kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at, created_at, version,
    issuer, external_id
  FROM principal
  WHERE id = $1)";

constexpr sql::Sql kFindExternal = R"(
  SELECT id, kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at, created_at, version,
    issuer, external_id
  FROM principal
  WHERE issuer = $1 AND external_id = $2)";

constexpr sql::Sql kListExternal = R"(
  SELECT id, kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at, created_at, version,
    issuer, external_id
  FROM principal
  WHERE issuer = $1 AND external_id > $2
  ORDER BY external_id
  LIMIT $3)";

constexpr sql::Sql kList = R"(
  SELECT id, kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at, created_at, version,
    issuer, external_id
  FROM principal
  WHERE kind = $1 AND name > $2
  ORDER BY name
  LIMIT $3)";

constexpr sql::Sql kListDown = R"(
  SELECT id, kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at, created_at, version,
    issuer, external_id
  FROM principal
  WHERE kind = $1 AND name < $2
  ORDER BY name DESC
  LIMIT $3)";

constexpr sql::Sql kListOf = R"(
  SELECT id, kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at, created_at, version,
    issuer, external_id
  FROM principal
  WHERE ns_id = $1 AND kind = $2 AND name > $3
  ORDER BY name
  LIMIT $4)";

constexpr sql::Sql kListOfDown = R"(
  SELECT id, kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at, created_at, version,
    issuer, external_id
  FROM principal
  WHERE ns_id = $1 AND kind = $2 AND name < $3
  ORDER BY name DESC
  LIMIT $4)";

constexpr sql::Sql kInsert = R"(
  INSERT INTO principal(kind, name, ns_id, email, display_name, is_admin, disabled, password_hash, expires_at,
    created_at, created_by, issuer, external_id)
  VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
  ON CONFLICT(name) DO NOTHING
  RETURNING id)";

constexpr sql::Sql kUpdate = R"(
  UPDATE principal
  SET email = $3, display_name = $4, is_admin = $5, disabled = $6, password_hash = $7, expires_at = $8,
    issuer = $9, external_id = $10, version = version + 1
  WHERE id = $1 AND version = $2)";

constexpr sql::Sql kReplaceHash = R"(
  UPDATE principal
  SET password_hash = $3
  WHERE id = $1 AND password_hash = $2)";

constexpr sql::Sql kDeletePrincipal = R"(
  DELETE FROM principal
  WHERE id = $1)";
constexpr sql::Sql kDeleteTeamPlaces = R"(
  DELETE FROM team_member
  WHERE principal_id = $1)";
constexpr sql::Sql kDeleteTeamMembers = R"(
  DELETE FROM team_member
  WHERE team_id = $1)";
constexpr sql::Sql kDeleteOrgPlaces = R"(
  DELETE FROM org_member
  WHERE principal_id = $1)";
constexpr sql::Sql kDeleteGrants = R"(
  DELETE FROM grant_
  WHERE principal_id = $1)";
constexpr sql::Sql kDeleteTokens = R"(
  DELETE FROM token
  WHERE principal_id = $1)";
constexpr sql::Sql kDeleteGroups = R"(
  DELETE FROM team_group
  WHERE team_id = $1)";
constexpr sql::Sql kDeleteTrustRules = R"(
  DELETE FROM trust_rule
  WHERE robot_id = $1)";

constexpr sql::Sql kAnyUser = R"(
  SELECT 1
  FROM principal
  WHERE kind = 1
  LIMIT 1)";

constexpr sql::Sql kTwoAdmins = R"(
  SELECT id
  FROM principal
  WHERE is_admin = 1 AND disabled = 0
  ORDER BY id
  LIMIT 2)";

Principal read(const sql::Row& row) {
  Principal out;
  out.id = row.int64(0);
  out.kind = static_cast<PrincipalKind>(row.int64(1));
  out.name = row.text(2);
  if (!row.is_null(3)) out.ns = row.int64(3);
  if (!row.is_null(4)) out.email = row.text(4);
  out.display_name = row.text(5);
  out.is_admin = row.int64(6) != 0;
  out.is_disabled = row.int64(7) != 0;
  if (!row.is_null(8)) out.password_hash = row.text(8);
  if (!row.is_null(9)) out.expires_at_ms = row.int64(9);
  out.created_at_ms = row.int64(10);
  out.version = row.int64(11);
  if (!row.is_null(12)) out.issuer = row.text(12);
  if (!row.is_null(13)) out.external_id = row.text(13);
  return out;
}

sql::Bind text_or_null(const std::string& text) {
  return text.empty() ? sql::Bind(nullptr) : sql::Bind(std::string_view(text));
}
sql::Bind flag(bool value) { return sql::Bind(std::int64_t{value ? 1 : 0}); }

}  // namespace

Result<std::optional<Principal>> find_principal(sql::Connection& db, std::string_view name) {
  std::optional<Principal> out;
  BERTH_TRYV(db.query(kFindByName, {name}, [&](const sql::Row& row) { out = read(row); }));
  return out;
}

Result<std::optional<Principal>> find_principal(sql::Connection& db, PrincipalId id) {
  std::optional<Principal> out;
  BERTH_TRYV(db.query(kFindById, {id}, [&](const sql::Row& row) { out = read(row); }));
  return out;
}

Result<std::optional<Principal>> find_external(sql::Connection& db, std::string_view issuer, std::string_view id) {
  std::optional<Principal> out;
  BERTH_TRYV(db.query(kFindExternal, {issuer, id}, [&](const sql::Row& row) { out = read(row); }));
  return out;
}

Result<PrincipalId> insert_principal(sql::Connection& db, const Principal& p, const Stamp& stamp) {
  std::optional<PrincipalId> id;
  BERTH_TRYV(db.query(kInsert,
                      {static_cast<std::int64_t>(p.kind), std::string_view(p.name), bind_optional(p.ns),
                       text_or_null(p.email), std::string_view(p.display_name), flag(p.is_admin), flag(p.is_disabled),
                       text_or_null(p.password_hash), bind_optional(p.expires_at_ms), stamp.at_ms,
                       bind_optional(stamp.principal), text_or_null(p.issuer), text_or_null(p.external_id)},
                      [&](const sql::Row& row) { id = row.int64(0); }));
  if (!id) return fail(Errc::already_exists, "the name " + p.name + " is taken");
  return *id;
}

Result<void> update_principal(sql::Connection& db, const Principal& p) {
  BERTH_TRY(const std::int64_t changed,
            db.execute(kUpdate, {p.id, p.version, text_or_null(p.email), std::string_view(p.display_name),
                                 flag(p.is_admin), flag(p.is_disabled), text_or_null(p.password_hash),
                                 bind_optional(p.expires_at_ms), text_or_null(p.issuer), text_or_null(p.external_id)}));
  if (changed == 0) return fail(Errc::precondition_failed, p.name + " was changed meanwhile");
  return {};
}

Result<void> replace_password_hash(sql::Connection& db, PrincipalId id, std::string_view old, std::string_view made) {
  BERTH_TRYV(db.execute(kReplaceHash, {id, old, made}));
  return {};
}

Result<void> remove_principal(sql::Connection& db, PrincipalId id) {
  BERTH_TRYV(db.execute(kDeleteTokens, {id}));
  BERTH_TRYV(db.execute(kDeleteTrustRules, {id}));
  BERTH_TRYV(db.execute(kDeleteGrants, {id}));
  BERTH_TRYV(db.execute(kDeleteOrgPlaces, {id}));
  BERTH_TRYV(db.execute(kDeleteTeamPlaces, {id}));
  BERTH_TRYV(db.execute(kDeleteTeamMembers, {id}));
  BERTH_TRYV(db.execute(kDeleteGroups, {id}));
  BERTH_TRYV(db.execute(kDeletePrincipal, {id}));
  return {};
}

Result<std::vector<Principal>> list_principals(sql::Connection& db, PrincipalKind kind, std::string_view last,
                                               std::int64_t limit, Order order) {
  std::vector<Principal> out;
  BERTH_TRYV(db.query(order == Order::up ? kList : kListDown, {static_cast<std::int64_t>(kind), last, limit},
                      [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::vector<Principal>> list_external(sql::Connection& db, std::string_view issuer, std::string_view last,
                                             std::int64_t limit) {
  std::vector<Principal> out;
  BERTH_TRYV(db.query(kListExternal, {issuer, last, limit}, [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::vector<Principal>> list_principals_of(sql::Connection& db, NamespaceId ns, PrincipalKind kind,
                                                  std::string_view last, std::int64_t limit, Order order) {
  std::vector<Principal> out;
  BERTH_TRYV(db.query(order == Order::up ? kListOf : kListOfDown, {ns, static_cast<std::int64_t>(kind), last, limit},
                      [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<void> remove_principals_of(sql::Connection& db, NamespaceId ns) {
  constexpr std::int64_t kPage = 500;
  for (const PrincipalKind kind : {PrincipalKind::robot, PrincipalKind::team}) {
    for (;;) {
      BERTH_TRY(const auto page, list_principals_of(db, ns, kind, "", kPage));
      for (const Principal& principal : page) BERTH_TRYV(remove_principal(db, principal.id));
      if (page.size() < kPage) break;
    }
  }
  return {};
}

Result<bool> has_users(sql::Connection& db) {
  bool found = false;
  BERTH_TRYV(db.query(kAnyUser, {}, [&](const sql::Row&) { found = true; }));
  return found;
}

Result<std::int64_t> count_admins(sql::Connection& db) {
  std::int64_t count = 0;
  BERTH_TRYV(db.query(kTwoAdmins, {}, [&](const sql::Row&) { ++count; }));
  return count;
}

}  // namespace berth::meta
