#include "meta/team_groups.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kGroupsOf = R"(
  SELECT name
  FROM team_group
  WHERE team_id = $1
  ORDER BY name)";

constexpr sql::Sql kDropGroups = R"(
  DELETE FROM team_group
  WHERE team_id = $1)";

constexpr sql::Sql kAddGroup = R"(
  INSERT INTO team_group(name, team_id)
  VALUES($1, $2)
  ON CONFLICT(name, team_id) DO NOTHING)";

constexpr sql::Sql kTeamsOf = R"(
  SELECT g.team_id, p.ns_id
  FROM team_group g
  JOIN principal p ON p.id = g.team_id
  WHERE g.name = $1)";

constexpr sql::Sql kPlaces = R"(
  SELECT m.team_id, p.ns_id
  FROM team_member m
  JOIN principal p ON p.id = m.team_id
  WHERE m.principal_id = $1 AND m.from_group = 1)";

constexpr sql::Sql kIsIn = R"(
  SELECT 1
  FROM team_member
  WHERE team_id = $1 AND principal_id = $2)";

constexpr sql::Sql kEnterOrg = R"(
  INSERT INTO org_member(ns_id, principal_id, role, from_group)
  VALUES($1, $2, 1, 1)
  ON CONFLICT(ns_id, principal_id) DO NOTHING)";

constexpr sql::Sql kEnterTeam = R"(
  INSERT INTO team_member(team_id, principal_id, from_group)
  VALUES($1, $2, 1)
  ON CONFLICT(team_id, principal_id) DO NOTHING)";

constexpr sql::Sql kLeaveTeam = R"(
  DELETE FROM team_member
  WHERE team_id = $1 AND principal_id = $2 AND from_group = 1)";

// A team that somebody put him into by hand keeps him a member.
constexpr sql::Sql kLeaveOrg = R"(
  DELETE FROM org_member
  WHERE ns_id = $1 AND principal_id = $2 AND from_group = 1
    AND NOT EXISTS (
      SELECT 1
      FROM team_member m
      JOIN principal p ON p.id = m.team_id
      WHERE m.principal_id = $2 AND p.ns_id = $1))";

constexpr sql::Sql kDropMembers = R"(
  DELETE FROM team_member
  WHERE team_id = $1 AND from_group = 1)";

constexpr sql::Sql kDropFromOrg = R"(
  DELETE FROM org_member
  WHERE ns_id = $1 AND from_group = 1
    AND NOT EXISTS (
      SELECT 1
      FROM team_member m
      JOIN principal p ON p.id = m.team_id
      WHERE m.principal_id = org_member.principal_id AND p.ns_id = $1))";

Result<std::vector<TeamPlace>> list_places(sql::Connection& db, const sql::Sql& statement, sql::Bind key) {
  std::vector<TeamPlace> out;
  BERTH_TRYV(db.query(statement, {key}, [&](const sql::Row& row) { out.push_back({row.int64(0), row.int64(1)}); }));
  return out;
}

}  // namespace

Result<std::vector<std::string>> groups_of_team(sql::Connection& db, PrincipalId team) {
  std::vector<std::string> out;
  BERTH_TRYV(db.query(kGroupsOf, {team}, [&](const sql::Row& row) { out.emplace_back(row.text(0)); }));
  return out;
}

Result<void> set_groups_of_team(sql::Connection& db, PrincipalId team, const std::vector<std::string>& groups) {
  BERTH_TRYV(db.execute(kDropGroups, {team}));
  for (const std::string& group : groups) BERTH_TRYV(db.execute(kAddGroup, {std::string_view(group), team}));
  return {};
}

Result<std::vector<TeamPlace>> teams_of_group(sql::Connection& db, std::string_view group) {
  return list_places(db, kTeamsOf, group);
}

Result<std::vector<TeamPlace>> places_from_groups(sql::Connection& db, PrincipalId principal) {
  return list_places(db, kPlaces, principal);
}

Result<bool> is_in_team(sql::Connection& db, PrincipalId team, PrincipalId principal) {
  bool found = false;
  BERTH_TRYV(db.query(kIsIn, {team, principal}, [&](const sql::Row&) { found = true; }));
  return found;
}

Result<void> drop_group_members(sql::Connection& db, const TeamPlace& place) {
  BERTH_TRYV(db.execute(kDropMembers, {place.team}));
  BERTH_TRYV(db.execute(kDropFromOrg, {place.ns}));
  return {};
}

Result<void> enter_by_group(sql::Connection& db, const TeamPlace& place, PrincipalId principal) {
  BERTH_TRYV(db.execute(kEnterOrg, {place.ns, principal}));
  BERTH_TRYV(db.execute(kEnterTeam, {place.team, principal}));
  return {};
}

Result<void> leave_by_group(sql::Connection& db, const TeamPlace& place, PrincipalId principal) {
  BERTH_TRYV(db.execute(kLeaveTeam, {place.team, principal}));
  BERTH_TRYV(db.execute(kLeaveOrg, {place.ns, principal}));
  return {};
}

}  // namespace berth::meta
