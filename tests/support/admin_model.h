#pragma once
// What the administration API answers to whom, and what comes of it: written a second time, over the model of rights
// (rights_model.h), without a row, a route or a function of ours. Each function is a call: it says the status that is
// due, and has the model changed if that is a success.

#include "support/rights_model.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

class AdminModel {
 public:
  /// What the model lets through on purpose: a comparison that does not notice compares nothing.
  enum class Flaw {
    none,
    grants_are_offices,         // the right admin on acme makes an admin of acme
    admins_make_owners,         // though they are none
    narrow_secrets_rule,        // what a secret is narrowed to does not matter
    robots_go_where_they_like,  // a robot's grants need not be in its namespace
    patterns_are_not_compared,  // with the namespace they are granted in
    children_are_wider,         // a secret made by a narrow one is as wide as it asks to be
    scopes_are_everywhere,      // what administers one namespace administers all
    scopes_make_administrators,
    the_last_owner_may_go,
    grants_stay_behind,        // on the old name of what is called something else
    names_are_for_admins,      // the right admin on both names is enough to rename
    transfers_need_no_taker,   // whoever has the repository moves it where he likes
    grants_outlive_their_repo  // and wait for the next of that name
  };

  /// Who asks. name empty: nobody. A secret's letters count where its pattern fits.
  struct Caller {
    std::string name;
    bool is_narrow = false;
    std::string pattern = {};
    Letters letters = {};
    std::set<std::string> scopes = {};  // "user", "org:admin:acme", …
    bool is_robots_own = false;         // the secret by which a robot is itself
  };
  struct RobotGrant {
    std::string pattern;
    Letters gives;
  };

  explicit AdminModel(RightsModel& model) : model_(model) {}

  Flaw flaw = Flaw::none;

  // ---- people
  int create_user(const Caller& caller, const std::string& name, bool adopts) {
    if (const int no = administrator(caller)) return no;
    if (model_.accounts.contains(name) || !is_free(name, adopts)) return 409;
    model_.add_account(name, {});
    return 201;
  }
  int remove_user(const Caller& caller, const std::string& name) {
    if (const int no = administrator(caller)) return no;
    if (!is_user(name)) return 404;
    if (is_last_admin(name)) return 409;
    for (const auto& [org, _] : model_.spaces) {
      if (is_last_owner(org, name)) return 409;
    }
    model_.remove_account(name);
    return 204;
  }
  int change_user(const Caller& caller, const std::string& name, std::optional<bool> admin,
                  std::optional<bool> disabled) {
    if (const int no = administrator(caller)) return no;
    if (admin && !is_whole(caller) && flaw != Flaw::scopes_make_administrators) return 403;
    if (!is_user(name)) return 404;
    if ((admin == false || disabled == true) && is_last_admin(name)) return 409;
    auto& account = model_.accounts[name];
    account.is_admin = admin.value_or(account.is_admin);
    account.is_disabled = disabled.value_or(account.is_disabled);
    return 200;
  }

  int list_users(const Caller& caller) const {
    const bool reads = caller.scopes.contains("admin:read") || caller.scopes.contains("admin:write");
    return in_office(caller, reads) != 0 ? in_office(caller, reads) : 200;
  }
  int change_self(const Caller& caller) const {
    if (caller.name.empty()) return 401;
    return is_user(caller.name) && (is_whole(caller) || caller.scopes.contains("user")) ? 200 : 403;
  }

  // ---- organisations
  int create_org(const Caller& caller, const std::string& name, const std::string& owner, bool adopts) {
    if (const int no = administrator(caller)) return no;
    if (!is_user(owner)) return 404;
    if (model_.accounts.contains(name) || !is_free(name, adopts)) return 409;
    model_.spaces[name].roles[owner] = 4;
    return 201;
  }
  int remove_org(const Caller& caller, const std::string& org) {
    if (const int no = in_charge(caller, org)) return no;
    if (!is_org(org)) return 404;
    if (has_repos(org)) return 409;
    model_.remove_org(org);
    return 204;
  }
  int put_member(const Caller& caller, const std::string& org, const std::string& user, int role) {
    if (const int no = in_charge(caller, org)) return no;
    if (!may_touch_owners(caller, org) && (role == 4 || role_of(org, user) == 4)) return 403;
    if (!is_org(org) || !is_user(user)) return 404;
    if (role != 4 && is_last_owner(org, user)) return 409;
    int& place = model_.spaces[org].roles[user];
    return std::exchange(place, role) == 0 ? 201 : 200;
  }
  int remove_member(const Caller& caller, const std::string& org, const std::string& user) {
    if (const int no = in_charge(caller, org)) return no;
    if (!may_touch_owners(caller, org) && role_of(org, user) == 4) return 403;
    if (!is_org(org) || !is_user(user)) return 404;
    if (is_last_owner(org, user)) return 409;
    if (role_of(org, user) == 0) return 404;
    model_.leave(org, user);
    return 204;
  }

  // ---- teams, named whole: "acme/devs"
  int create_team(const Caller& caller, const std::string& team) {
    if (const int no = in_charge(caller, space_of(team))) return no;
    if (!is_org(space_of(team))) return 404;
    if (model_.teams.contains(team)) return 409;
    model_.teams[team] = {};
    return 201;
  }
  int remove_team(const Caller& caller, const std::string& team) {
    if (const int no = in_charge(caller, space_of(team))) return no;
    if (!model_.teams.contains(team)) return 404;
    model_.remove_team(team);
    return 204;
  }
  int join_team(const Caller& caller, const std::string& team, const std::string& user) {
    if (const int no = in_charge(caller, space_of(team))) return no;
    if (!model_.teams.contains(team) || !is_user(user)) return 404;
    if (role_of(space_of(team), user) == 0) return 409;
    return model_.teams[team].insert(user).second ? 201 : 200;
  }
  int leave_team(const Caller& caller, const std::string& team, const std::string& user) {
    if (const int no = in_charge(caller, space_of(team))) return no;
    if (!model_.teams.contains(team) || !is_user(user)) return 404;
    return model_.teams[team].erase(user) == 1 ? 204 : 404;
  }

  // ---- robots
  int create_robot(const Caller& caller, const std::string& space, const std::string& name,
                   const std::vector<RobotGrant>& grants) {
    if (const int no = in_charge(caller, space)) return no;
    const bool all_inside = std::ranges::all_of(grants, [&](const auto& g) { return space_of(g.pattern) == space; });
    if (!all_inside && flaw != Flaw::robots_go_where_they_like) return 422;
    const std::size_t plus = name.find('+');
    if (plus == std::string::npos && administrator(caller) != 0) return 403;
    if (plus != std::string::npos && name.substr(0, plus) != space) return 422;
    if (!is_owned(space)) return 404;
    if (plus == std::string::npos && model_.spaces.contains(name)) return 409;
    if (model_.accounts.contains(name)) return 409;
    if (std::ranges::any_of(grants, [](const auto& grant) { return grant.gives.empty(); })) return 422;
    model_.add_account(name, {.is_robot = true, .space = space});
    for (const RobotGrant& grant : grants) model_.grants[{name, grant.pattern}] = {grant.gives, {}};
    return 201;
  }
  int remove_robot(const Caller& caller, const std::string& space, const std::string& name) {
    if (const int no = in_charge(caller, space)) return no;
    if (!is_robot_of(name, space)) return 404;
    model_.remove_account(name);
    return 204;
  }
  int rotate_robot(const Caller& caller, const std::string& space, const std::string& name) const {
    if (const int no = in_charge(caller, space)) return no;
    return is_robot_of(name, space) ? 201 : 404;
  }
  static int rotate_self(const Caller& caller) {
    if (caller.name.empty()) return 401;
    return caller.is_robots_own ? 201 : 403;
  }

  // ---- repositories and grants
  int put_grant(const Caller& caller, const std::string& space, const std::string& subject, const std::string& pattern,
                RightsModel::Grant grant) {
    if (const int no = in_charge(caller, space)) return no;
    if (space_of(pattern) != space && flaw != Flaw::patterns_are_not_compared) return 422;
    if (!knows(caller, space, subject)) return 404;
    if (grant.gives.empty() && grant.denies.empty()) return 422;
    if (!both(grant.gives, grant.denies).empty()) return 422;
    if (!model_.accounts.contains(subject) && !model_.teams.contains(subject)) return 404;
    if (!model_.spaces.contains(space)) return 404;
    return model_.grants.insert_or_assign({subject, pattern}, std::move(grant)).second ? 201 : 200;
  }
  /// That grant, asked for in that namespace.
  int remove_grant(const Caller& caller, const std::string& space,
                   const std::pair<std::string, std::string>& subject_and_pattern) {
    if (const int no = in_charge(caller, space)) return no;
    if (space_of(subject_and_pattern.second) != space) return 404;
    return model_.grants.erase(subject_and_pattern) == 1 ? 204 : 404;
  }
  int list_grants(const Caller& caller, const std::string& space) const {
    if (const int no = in_charge(caller, space)) return no;
    return model_.spaces.contains(space) ? 200 : 404;
  }
  int set_visibility(const Caller& caller, const std::string& repo, int visibility) {
    if (const int no = administers(caller, repo)) return no;
    if (!model_.repos.contains(repo)) return 404;
    model_.repos[repo] = visibility;
    return 200;
  }
  int get_repo(const Caller& caller, const std::string& repo) const {
    return worth(caller, repo).contains('r') && model_.repos.contains(repo) ? 200 : 404;
  }

  int create_repo(const Caller& caller, const std::string& repo, std::optional<int> visibility) {
    if (caller.name.empty()) return 401;
    const Letters letters = worth(caller, repo);
    if (!letters.contains('r') || !letters.contains('w')) return 403;
    if (visibility && !letters.contains('a')) return 403;
    if (model_.repos.contains(repo)) return 409;
    model_.repos[repo] = visibility.value_or(0);
    model_.spaces[space_of(repo)];
    return 201;
  }
  int rename_repo(const Caller& caller, const std::string& repo, const std::string& to) {
    if (const int no = administers(caller, repo)) return no;
    if (space_of(to) != space_of(repo) || to == repo) return 422;
    if (!may_rename(caller, repo) || !may_rename(caller, to)) return 403;
    if (!model_.repos.contains(repo)) return 404;
    if (model_.repos.contains(to)) return 409;
    const auto before = model_.grants;
    model_.rename_repo(repo, to);
    if (flaw == Flaw::grants_stay_behind) model_.grants = before;
    return 200;
  }
  int transfer_repo(const Caller& caller, const std::string& repo, const std::string& to) {
    if (const int no = administers(caller, repo)) return no;
    if (space_of(to) == space_of(repo)) return 422;
    if (worth(caller, repo) != kAllLetters) return 403;
    if (in_charge(caller, space_of(to)) != 0 && flaw != Flaw::transfers_need_no_taker) return 403;
    if (!model_.repos.contains(repo) || !model_.spaces.contains(space_of(to))) return 404;
    if (model_.repos.contains(to)) return 409;
    model_.repos[to] = model_.repos[repo];
    model_.remove_repo(repo);
    return 200;
  }
  int remove_repo(const Caller& caller, const std::string& repo) {
    if (const int no = administers(caller, repo)) return no;
    if (worth(caller, repo) != kAllLetters) return 403;
    if (!model_.repos.contains(repo)) return 404;
    const auto before = model_.grants;
    model_.remove_repo(repo);
    if (flaw == Flaw::grants_outlive_their_repo) model_.grants = before;
    return 204;
  }

  // ---- secrets
  int make_token(const Caller& caller) const { return user(caller) != 0 ? user(caller) : 201; }
  /// What a secret for a while would be narrowed to: what is asked, or what made it is.
  int make_short_lived(const Caller& caller, bool asks_narrow) const {
    if (caller.name.empty()) return 401;
    return caller.is_narrow && asks_narrow && flaw != Flaw::children_are_wider ? 403 : 201;
  }
  /// is_own: a live secret of the caller's.
  int revoke(const Caller& caller, bool is_own) const {
    if (const int no = user(caller)) return no;
    return is_own ? 204 : 404;
  }

 private:
  static std::string space_of(const std::string& name) { return name.substr(0, name.find('/')); }

  // ---- who may; 0: he may
  bool is_whole(const Caller& caller) const { return !caller.is_narrow || flaw == Flaw::narrow_secrets_rule; }
  int user(const Caller& caller) const {
    if (caller.name.empty()) return 401;
    return is_user(caller.name) && is_whole(caller) ? 0 : 403;
  }
  int administrator(const Caller& caller) const { return in_office(caller, caller.scopes.contains("admin:write")); }
  int in_office(const Caller& caller, bool has_scope) const {
    if (caller.name.empty()) return 401;
    return model_.accounts.at(caller.name).is_admin && (is_whole(caller) || has_scope) ? 0 : 403;
  }
  int in_charge(const Caller& caller, const std::string& space) const {
    if (caller.name.empty()) return 401;
    if (!is_whole(caller) && !administers_by_scope(caller, space)) return 403;
    if (model_.accounts.at(caller.name).is_admin) return 0;
    const auto found = model_.spaces.find(space);
    if (found != model_.spaces.end() && found->second.owner == caller.name) return 0;
    if (role_of(space, caller.name) >= 3) return 0;
    if (flaw == Flaw::grants_are_offices && model_.rights(caller.name, space).contains('a')) return 0;
    return 404;
  }
  /// Whether who administers that namespace may know of the account: be there none, or one of another namespace.
  bool knows(const Caller& caller, const std::string& space, const std::string& subject) const {
    const auto account = model_.accounts.find(subject);
    std::string home = model_.teams.contains(subject) ? space_of(subject) : std::string();
    if (account != model_.accounts.end() && account->second.is_robot) home = account->second.space;
    if (home.empty() || home == space) return true;
    const auto is_here = [&](const auto& grant) {
      return grant.first.first == subject && space_of(grant.first.second) == space;
    };
    if (std::ranges::any_of(model_.grants, is_here)) return true;
    if (!is_whole(caller) && !administers_by_scope(caller, home)) return false;
    const auto found = model_.spaces.find(home);
    const bool is_owner = found != model_.spaces.end() && found->second.owner == caller.name;
    return model_.accounts.at(caller.name).is_admin || is_owner || role_of(home, caller.name) > 0;
  }
  bool administers_by_scope(const Caller& caller, const std::string& space) const {
    if (caller.scopes.contains("org:admin:" + space)) return true;
    return flaw == Flaw::scopes_are_everywhere &&
           std::ranges::any_of(caller.scopes, [](const std::string& scope) { return scope.starts_with("org:admin:"); });
  }
  bool may_touch_owners(const Caller& caller, const std::string& org) const {
    return model_.accounts.at(caller.name).is_admin || role_of(org, caller.name) == 4 ||
           flaw == Flaw::admins_make_owners;
  }
  int administers(const Caller& caller, const std::string& repo) const {
    if (caller.name.empty()) return 401;
    const Letters letters = worth(caller, repo);
    return letters.contains('a') ? 0 : letters.contains('r') ? 403 : 404;
  }
  bool may_rename(const Caller& caller, const std::string& repo) const {
    const Letters letters = worth(caller, repo);
    return letters == kAllLetters || (flaw == Flaw::names_are_for_admins && letters.contains('a'));
  }
  Letters worth(const Caller& caller, const std::string& repo) const {
    const Letters whole = model_.rights(caller.name, repo);
    if (is_whole(caller)) return whole;
    return fits(caller.pattern, repo) ? both(whole, caller.letters) : Letters();
  }

  // ---- how things stand
  bool is_user(const std::string& name) const {
    const auto found = model_.accounts.find(name);
    return found != model_.accounts.end() && !found->second.is_robot;
  }
  bool is_robot_of(const std::string& name, const std::string& space) const {
    const auto found = model_.accounts.find(name);
    return found != model_.accounts.end() && found->second.is_robot && found->second.space == space;
  }
  bool is_org(const std::string& name) const {
    const auto found = model_.spaces.find(name);
    return found != model_.spaces.end() && !found->second.roles.empty();
  }
  bool is_owned(const std::string& name) const {
    const auto found = model_.spaces.find(name);
    return found != model_.spaces.end() && (!found->second.roles.empty() || !found->second.owner.empty());
  }
  bool has_repos(const std::string& space) const {
    return std::ranges::any_of(model_.repos, [&](const auto& repo) { return space_of(repo.first) == space; });
  }
  /// For a new owner: one with repositories that nobody owns has to be taken over on purpose.
  bool is_free(const std::string& space, bool adopts) const {
    return !is_owned(space) && (adopts || !has_repos(space));
  }
  int role_of(const std::string& org, const std::string& user) const {
    const auto space = model_.spaces.find(org);
    if (space == model_.spaces.end()) return 0;
    const auto role = space->second.roles.find(user);
    return role == space->second.roles.end() ? 0 : role->second;
  }
  bool is_last_admin(const std::string& name) const {
    const auto counts = [](const auto& account) { return account.second.is_admin && !account.second.is_disabled; };
    return counts(*model_.accounts.find(name)) && std::ranges::count_if(model_.accounts, counts) == 1;
  }
  /// Owners who cannot sign in keep nothing going.
  bool is_last_owner(const std::string& org, const std::string& user) const {
    if (flaw == Flaw::the_last_owner_may_go || role_of(org, user) != 4) return false;
    return std::ranges::none_of(model_.spaces.at(org).roles, [&](const auto& place) {
      return place.second == 4 && place.first != user && !model_.accounts.at(place.first).is_disabled;
    });
  }

  RightsModel& model_;
};

}  // namespace berth::test
