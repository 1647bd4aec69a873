#include "meta/belongings.h"

#include "meta/principals.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kSecrets = R"(
  SELECT count(*)
  FROM token
  WHERE principal_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2))";
constexpr sql::Sql kGrants = R"(
  SELECT count(*)
  FROM grant_
  WHERE principal_id = $1)";
constexpr sql::Sql kOrgPlaces = R"(
  SELECT count(*)
  FROM org_member
  WHERE principal_id = $1)";
constexpr sql::Sql kTeamPlaces = R"(
  SELECT count(*)
  FROM team_member
  WHERE principal_id = $1)";
constexpr sql::Sql kTrustRules = R"(
  SELECT count(*)
  FROM trust_rule
  WHERE robot_id = $1)";

constexpr sql::Sql kPrincipalsOf = R"(
  SELECT count(*)
  FROM principal
  WHERE ns_id = $1 AND kind = $2)";
constexpr sql::Sql kMembers = R"(
  SELECT count(*)
  FROM org_member
  WHERE ns_id = $1)";
constexpr sql::Sql kGrantsIn = R"(
  SELECT count(*)
  FROM grant_
  WHERE ns_id = $1)";

constexpr sql::Sql kTeamMembers = R"(
  SELECT count(*)
  FROM team_member
  WHERE team_id = $1)";
constexpr sql::Sql kSignedIn = R"(
  SELECT count(*)
  FROM token
  WHERE principal_id = $1 AND kind IN (2, 3, 5) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2))";

Result<std::int64_t> count(sql::Connection& db, sql::Sql sql, std::initializer_list<sql::Bind> binds) {
  std::int64_t out = 0;
  BERTH_TRYV(db.query(sql, binds, [&](const sql::Row& row) { out = row.int64(0); }));
  return out;
}

}  // namespace

Result<Belongings> belongings_of(sql::Connection& db, PrincipalId id, std::int64_t now_ms) {
  Belongings out;
  BERTH_TRY(out.secrets, count(db, kSecrets, {id, now_ms}));
  BERTH_TRY(out.grants, count(db, kGrants, {id}));
  BERTH_TRY(out.organizations, count(db, kOrgPlaces, {id}));
  BERTH_TRY(out.teams, count(db, kTeamPlaces, {id}));
  BERTH_TRY(out.trust_rules, count(db, kTrustRules, {id}));
  return out;
}

Result<Residents> residents_of(sql::Connection& db, NamespaceId ns) {
  Residents out;
  BERTH_TRY(out.robots, count(db, kPrincipalsOf, {ns, static_cast<std::int64_t>(PrincipalKind::robot)}));
  BERTH_TRY(out.teams, count(db, kPrincipalsOf, {ns, static_cast<std::int64_t>(PrincipalKind::team)}));
  BERTH_TRY(out.members, count(db, kMembers, {ns}));
  BERTH_TRY(out.grants, count(db, kGrantsIn, {ns}));
  return out;
}

Result<std::int64_t> count_team_members(sql::Connection& db, PrincipalId team) {
  return count(db, kTeamMembers, {team});
}

Result<std::int64_t> count_signed_in(sql::Connection& db, PrincipalId id, std::int64_t now_ms) {
  return count(db, kSignedIn, {id, now_ms});
}

}  // namespace berth::meta
