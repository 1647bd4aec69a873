#pragma once
// Groups of a directory outside that are teams here, and the places in teams that they gave. Rows as they are; when a
// place is given and taken is auth/external_accounts.h's.

#include "meta/ids.h"

#include <string>
#include <string_view>
#include <vector>

namespace berth::meta {

/// A team and the organisation it belongs to.
struct TeamPlace {
  PrincipalId team = 0;
  NamespaceId ns = 0;

  friend bool operator==(const TeamPlace&, const TeamPlace&) = default;
};

/// By name.
Result<std::vector<std::string>> groups_of_team(sql::Connection& db, PrincipalId team);
/// Puts those in the place of whichever there were.
Result<void> set_groups_of_team(sql::Connection& db, PrincipalId team, const std::vector<std::string>& groups);
Result<std::vector<TeamPlace>> teams_of_group(sql::Connection& db, std::string_view group);
/// Where somebody is because of a group.
Result<std::vector<TeamPlace>> places_from_groups(sql::Connection& db, PrincipalId principal);
Result<bool> is_in_team(sql::Connection& db, PrincipalId team, PrincipalId principal);
/// Takes out whom groups brought; they come back with their next sign-in, where a group still does.
Result<void> drop_group_members(sql::Connection& db, const TeamPlace& place);
/// As a reader of the organisation, if that one is nothing there yet.
Result<void> enter_by_group(sql::Connection& db, const TeamPlace& place, PrincipalId principal);
/// The last place that a group gave in an organisation takes the membership with it that came with the first.
Result<void> leave_by_group(sql::Connection& db, const TeamPlace& place, PrincipalId principal);

}  // namespace berth::meta
