#pragma once
// What goes with whom, counted: for somebody who wants to know before it does. Each is a walk over one range of an
// index, as long as what is counted.

#include "meta/ids.h"

namespace berth::meta {

/// Of a user, robot or team; what remove_principal() takes along, of secrets those that are good at `now_ms`.
struct Belongings {
  std::int64_t secrets = 0;
  std::int64_t grants = 0;
  std::int64_t organizations = 0;
  std::int64_t teams = 0;
  std::int64_t trust_rules = 0;
};
Result<Belongings> belongings_of(sql::Connection& db, PrincipalId id, std::int64_t now_ms);
/// Of a namespace; what it loses when nobody owns it any more.
struct Residents {
  std::int64_t robots = 0;
  std::int64_t teams = 0;
  std::int64_t members = 0;
  std::int64_t grants = 0;
};
Result<Residents> residents_of(sql::Connection& db, NamespaceId ns);
Result<std::int64_t> count_team_members(sql::Connection& db, PrincipalId team);
/// Sessions, logins and short-lived passwords that are not over at `now_ms`.
Result<std::int64_t> count_signed_in(sql::Connection& db, PrincipalId id, std::int64_t now_ms);

}  // namespace berth::meta
