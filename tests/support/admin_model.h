#pragma once
// What the administration API answers to whom, and what comes of it: written a second time, over the model of rights
// (rights_model.h), without a row, a route or a function of ours. Each function is a call: it says the status that is
// due, and has the model changed if that is a success.

#include "support/rights_model.h"

#include <algorithm>
#include <cstdint>
#include <map>
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
    scopes_take_over,  // what nobody owned, for whom the token's owner likes
    the_last_owner_may_go,
    grants_stay_behind,         // on the old name of what is called something else
    names_are_for_admins,       // the right admin on both names is enough to rename
    transfers_need_no_taker,    // whoever has the repository moves it where he likes
    grants_outlive_their_repo,  // and wait for the next of that name
    rules_name_any_robot,       // not only one of the namespace they are made in
    rules_go_by_number,         // in whatever namespace they are asked for
    disabled_rules_count,
    strangers_catch_jobs,  // that do not say whose they are
    jobs_rotate_robots,
    secrets_outlive_their_rule,
    secrets_outlive_their_maker,
    invitations_outlive_their_maker,  // as an administrator
    invitations_are_good_twice,
    newcomers_take_what_is_there,  // repositories that nobody owned
    sessions_go_by_number,         // whosever they are
    sessions_do_not_end
  };

  /// Who asks. name empty: nobody. A secret's letters count where its pattern fits.
  struct Caller {
    std::string name;
    bool is_narrow = false;
    std::string pattern = {};
    Letters letters = {};
    std::set<std::string> scopes = {};  // "user", "org:admin:acme", …
    bool is_robots_own = false;         // the secret by which a robot is itself
    bool is_job = false;                // the robot by a rule
  };
  /// Jobs are told apart by the repository they run for. pattern: of its name; a star at the end stands for anything.
  struct Rule {
    std::string space;
    std::string robot;
    int robot_number = 0;
    std::string pattern;
    bool is_disabled = false;
  };
  struct Invitation {
    std::string maker;
    int maker_number = 0;
    bool is_open = true;
  };
  struct RobotGrant {
    std::string pattern;
    Letters gives;
  };

  explicit AdminModel(RightsModel& model) : model_(model) {}

  Flaw flaw = Flaw::none;
  // By the numbers that the answers gave them.
  std::map<std::int64_t, Rule> rules;
  std::map<std::int64_t, Invitation> invitations;

  // ---- people
  int create_user(const Caller& caller, const std::string& name, bool adopts) {
    if (const int no = administrator(caller)) return no;
    if (adopts && !may_adopt(caller)) return 403;
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
    if (has_repos(name)) return 409;
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
  int change_self(const Caller& caller) const { return profile(caller) != 0 ? profile(caller) : 200; }

  // ---- invitations
  int create_invitation(const Caller& caller) const { return administrator(caller) != 0 ? administrator(caller) : 201; }
  int revoke_invitation(const Caller& caller, std::int64_t id) {
    if (const int no = administrator(caller)) return no;
    Invitation& found = invitations.at(id);
    if (!found.is_open || !is_account(found.maker, found.maker_number)) return 404;
    found.is_open = false;
    return 204;
  }
  bool is_good(std::int64_t id) const {
    const auto found = invitations.find(id);
    const bool is_open = found != invitations.end() && found->second.is_open &&
                         is_account(found->second.maker, found->second.maker_number);
    if (!is_open) return false;
    const auto& maker = model_.accounts.at(found->second.maker);
    return (maker.is_admin && !maker.is_disabled) || flaw == Flaw::invitations_outlive_their_maker;
  }
  int sign_up(const std::string& name, std::int64_t id) {
    if (!is_good(id)) return 403;
    if (model_.accounts.contains(name) || !is_free(name, flaw == Flaw::newcomers_take_what_is_there)) return 409;
    invitations.at(id).is_open = flaw == Flaw::invitations_are_good_twice;
    model_.add_account(name, {});
    return 201;
  }

  // ---- organisations
  int create_org(const Caller& caller, const std::string& name, const std::string& owner, bool adopts) {
    if (const int no = administrator(caller)) return no;
    if (adopts && !may_adopt(caller)) return 403;
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
  int rotate_self(const Caller& caller) const {
    if (caller.name.empty()) return 401;
    return caller.is_robots_own || (caller.is_job && flaw == Flaw::jobs_rotate_robots) ? 201 : 403;
  }

  // ---- rules about jobs
  int create_rule(const Caller& caller, const std::string& space, const std::string& robot,
                  const std::string& pattern) const {
    if (const int no = in_charge(caller, space)) return no;
    const auto found = model_.accounts.find(robot);
    const bool is_robot = found != model_.accounts.end() && found->second.is_robot;
    if (!is_robot || (found->second.space != space && flaw != Flaw::rules_name_any_robot)) return 404;
    const auto says_the_same = [&](const auto& rule) {
      return is_there(rule.second) && rule.second.robot == robot && rule.second.pattern == pattern;
    };
    return std::ranges::any_of(rules, says_the_same) ? 409 : 201;
  }
  int change_rule(const Caller& caller, const std::string& space, std::int64_t id, bool disabled) {
    if (const int no = in_charge(caller, space)) return no;
    if (!is_rule_of(id, space)) return 404;
    rules.at(id).is_disabled = disabled;
    return 200;
  }
  int remove_rule(const Caller& caller, const std::string& space, std::int64_t id) {
    if (const int no = in_charge(caller, space)) return no;
    if (!is_rule_of(id, space)) return 404;
    rules.erase(id);
    return 204;
  }
  /// By which rule a job that runs for the repository is a robot; 0: by none. robot: whose rules it asks for; empty: it
  /// does not say.
  std::int64_t rule_for(const std::string& robot, const std::string& repository) const {
    std::set<std::string> spaces;
    std::map<std::string, std::int64_t> matching;  // the first of each robot
    for (const auto& [id, rule] : rules) {
      if (!is_there(rule) || (!robot.empty() && rule.robot != robot)) continue;
      spaces.insert(rule.space);
      const bool counts = !rule.is_disabled || flaw == Flaw::disabled_rules_count;
      if (counts && matches(rule.pattern, repository)) matching.emplace(rule.robot, id);
    }
    const bool is_clear = spaces.size() == 1 || flaw == Flaw::strangers_catch_jobs;
    return is_clear && matching.size() == 1 ? matching.begin()->second : 0;
  }
  /// Whether what a job made by it is good still.
  bool holds(std::int64_t id) const {
    const auto found = rules.find(id);
    if (flaw == Flaw::secrets_outlive_their_rule) return true;
    return found != rules.end() && is_there(found->second) && !found->second.is_disabled;
  }

  // ---- repositories and grants
  int put_grant(const Caller& caller, const std::string& space, const std::string& subject, const std::string& pattern,
                RightsModel::Grant grant) {
    if (const int no = in_charge(caller, space)) return no;
    if (space_of(pattern) != space && flaw != Flaw::patterns_are_not_compared) return 422;
    if (grant.gives.empty() && grant.denies.empty()) return 422;
    if (!both(grant.gives, grant.denies).empty()) return 422;
    if (!knows(caller, space, subject)) return 404;
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
  /// The same of what signing in opened.
  int end_session(const Caller& caller, bool is_own) const {
    if (const int no = profile(caller)) return no;
    return is_own || flaw == Flaw::sessions_go_by_number ? 204 : 404;
  }
  int end_own_sessions(const Caller& caller) const { return profile(caller) != 0 ? profile(caller) : 204; }
  int end_sessions_of(const Caller& caller, const std::string& name) const {
    if (const int no = administrator(caller)) return no;
    return is_user(name) ? 204 : 404;
  }

 private:
  static std::string space_of(const std::string& name) { return name.substr(0, name.find('/')); }

  // ---- who may; 0: he may
  /// Whoever is given a namespace reads the private repositories in it.
  bool may_adopt(const Caller& caller) const { return is_whole(caller) || flaw == Flaw::scopes_take_over; }
  bool is_whole(const Caller& caller) const { return !caller.is_narrow || flaw == Flaw::narrow_secrets_rule; }
  int user(const Caller& caller) const {
    if (caller.name.empty()) return 401;
    return is_user(caller.name) && is_whole(caller) ? 0 : 403;
  }
  int profile(const Caller& caller) const {
    if (caller.name.empty()) return 401;
    return is_user(caller.name) && (is_whole(caller) || caller.scopes.contains("user")) ? 0 : 403;
  }
  int administrator(const Caller& caller) const { return in_office(caller, caller.scopes.contains("admin:write")); }
  int in_office(const Caller& caller, bool has_scope) const {
    if (caller.name.empty()) return 401;
    return model_.accounts.at(caller.name).is_admin && (is_whole(caller) || has_scope) ? 0 : 403;
  }
  int in_charge(const Caller& caller, const std::string& space) const {
    if (caller.name.empty()) return 401;
    if (caller.is_job) return 403;
    if (!is_whole(caller) && !administers_by_scope(caller, space)) return 403;
    if (model_.accounts.at(caller.name).is_admin) return 0;
    const auto found = model_.spaces.find(space);
    if (found != model_.spaces.end() && found->second.owner == caller.name) return 0;
    if (role_of(space, caller.name) >= 3) return 0;
    if (flaw == Flaw::grants_are_offices && model_.rights(caller.name, space).contains('a')) return 0;
    return role_of(space, caller.name) > 0 && !caller.is_narrow ? 403 : 404;  // who is in it sees it
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
  bool is_account(const std::string& name, int number) const {
    const auto found = model_.accounts.find(name);
    return found != model_.accounts.end() && found->second.number == number;
  }
  /// A rule goes with its robot.
  bool is_there(const Rule& rule) const { return is_account(rule.robot, rule.robot_number); }
  bool is_rule_of(std::int64_t id, const std::string& space) const {
    const auto found = rules.find(id);
    return found != rules.end() && is_there(found->second) &&
           (found->second.space == space || flaw == Flaw::rules_go_by_number);
  }
  static bool matches(const std::string& pattern, const std::string& text) {
    return pattern.ends_with('*') ? text.starts_with(pattern.substr(0, pattern.size() - 1)) : text == pattern;
  }
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
