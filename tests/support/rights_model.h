#pragma once
// What accounts may do, written a second time and in another way than auth/decision.cpp: no row, no bit, no shared
// function. Rights are letters: r read, w write, o overwrite, d delete, a admin.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::test {

/// Whether the pattern fits the name, character by character.
inline bool fits(std::string_view pattern, std::string_view name) {
  if (pattern == "**") return true;
  if (pattern == "/**") return name.empty() || name.front() == '/';
  if (pattern.empty()) return name.empty();
  if (pattern.front() != '*')
    return !name.empty() && name.front() == pattern.front() && fits(pattern.substr(1), name.substr(1));
  for (;; name.remove_prefix(1)) {
    if (fits(pattern.substr(1), name)) return true;
    if (name.empty() || name.front() == '/') return false;
  }
}

/// The larger, the narrower: no star at all, components without a star, components, letters, few stars.
inline std::vector<int> narrowness(std::string_view pattern) {
  std::vector<int> out(5);
  std::string component;
  for (const char c : std::string(pattern) + "/") {
    if (c != '/') {
      component += c;
      continue;
    }
    const auto stars = static_cast<int>(std::ranges::count(component, '*'));
    out[1] += stars == 0 ? 1 : 0;
    out[2] += component == "**" ? 0 : 1;
    out[3] += static_cast<int>(component.size()) - stars;
    out[4] -= stars;
    component.clear();
  }
  out[0] = out[4] == 0 ? 1 : 0;
  return out;
}

using Letters = std::set<char>;
inline const Letters kAllLetters = {'r', 'w', 'o', 'd', 'a'};

inline Letters both(const Letters& a, const Letters& b) {
  Letters out;
  std::ranges::set_intersection(a, b, std::inserter(out, out.end()));
  return out;
}

class RightsModel {
 public:
  /// What the model gets wrong on purpose: a comparison that does not notice compares nothing.
  enum class Flaw {
    none,
    allow_beats_deny,
    wide_beats_narrow,
    teams_forgotten,
    grants_outlive_owners,
    robots_are_people
  };

  struct Account {
    bool is_robot = false;
    bool is_admin = false;
    bool is_disabled = false;
    std::string space;  // a robot's
    int number = 0;     // another one of that name is another
  };
  struct Space {
    std::string owner;                 // a user's; empty: an organisation's, or nobody's
    std::map<std::string, int> roles;  // 1 reader 2 writer 3 admin 4 owner
  };
  struct Grant {
    Letters gives;
    Letters denies;
  };

  Flaw flaw = Flaw::none;
  std::map<std::string, Account> accounts;
  std::map<std::string, Space> spaces;
  std::map<std::string, std::set<std::string>> teams;
  std::map<std::string, int> repos;                             // 0 private 1 internal 2 public
  std::map<std::pair<std::string, std::string>, Grant> grants;  // by subject and pattern

  void add_account(const std::string& name, Account account) {
    account.number = ++last_number_;
    accounts[name] = account;
    if (!account.is_robot) spaces[name].owner = name;
  }
  void remove_account(const std::string& name) {
    const bool has_space = !accounts[name].is_robot;
    accounts.erase(name);
    forget(name);
    for (auto& [_, space] : spaces) space.roles.erase(name);
    for (auto& [_, members] : teams) members.erase(name);
    if (has_space) release(name);
  }
  void remove_org(const std::string& name) {
    std::erase_if(teams, [&](const auto& team) {
      if (!team.first.starts_with(name + "/")) return false;
      forget(team.first);
      return true;
    });
    release(name);
  }
  void remove_team(const std::string& name) {
    teams.erase(name);
    forget(name);
  }
  void leave(const std::string& org, const std::string& user) {
    spaces[org].roles.erase(user);
    for (auto& [name, members] : teams) {
      if (name.starts_with(org + "/")) members.erase(user);
    }
  }

  /// What was said of exactly that name is said of another one.
  void rename_repo(const std::string& name, const std::string& to) {
    repos[to] = repos[name];
    repos.erase(name);
    for (const auto& [key, grant] : std::map(grants)) {
      if (key.second != name) continue;
      Grant& there = grants[{key.first, to}];
      there.denies.insert(grant.denies.begin(), grant.denies.end());
      there.gives.insert(grant.gives.begin(), grant.gives.end());
      for (const char letter : there.denies) there.gives.erase(letter);
      grants.erase(key);
    }
  }
  void remove_repo(const std::string& name) {
    repos.erase(name);
    std::erase_if(grants, [&](const auto& grant) { return grant.first.second == name; });
  }

  /// who: empty for an anonymous caller.
  Letters rights(const std::string& who, const std::string& repo) const {
    const std::string space_name = repo.substr(0, repo.find('/'));
    const auto account = accounts.find(who);
    const auto space = spaces.find(space_name);
    const bool is_known = account != accounts.end();
    if (is_known && account->second.is_admin) return kAllLetters;
    int role = 0;
    if (is_known && space != spaces.end()) {
      if (space->second.owner == who) return kAllLetters;
      if (const auto found = space->second.roles.find(who); found != space->second.roles.end()) role = found->second;
      if (role >= 3) return kAllLetters;
    }
    Letters out;
    if (role == 2) out = {'r', 'w', 'o'};
    if (role == 1) out = {'r'};
    const bool is_person = is_known && (flaw == Flaw::robots_are_people || !account->second.is_robot);
    if (const auto found = repos.find(repo); found != repos.end()) {
      if (found->second == 2 || (found->second == 1 && is_person)) out.insert('r');
    }
    for (const char letter : kAllLetters) overrule(out, letter, who, repo);
    return out;
  }

 private:
  void forget(const std::string& subject) {
    std::erase_if(grants, [&](const auto& grant) { return grant.first.first == subject; });
  }
  /// A namespace goes back to nobody.
  void release(const std::string& name) {
    spaces[name] = {};
    std::vector<std::string> robots;
    for (const auto& [robot, account] : accounts) {
      if (account.is_robot && account.space == name) robots.push_back(robot);
    }
    for (const std::string& robot : robots) {
      accounts.erase(robot);
      forget(robot);
    }
    if (flaw == Flaw::grants_outlive_owners) return;
    std::erase_if(grants, [&](const auto& grant) {
      return grant.first.second == name || grant.first.second.starts_with(name + "/");
    });
  }
  bool speaks_for(const std::string& subject, const std::string& who) const {
    if (subject == who) return true;
    const auto team = teams.find(subject);
    return flaw != Flaw::teams_forgotten && team != teams.end() && team->second.contains(who);
  }
  /// What the narrowest grants that speak of the right say; one that denies is enough.
  void overrule(Letters& rights, char letter, const std::string& who, const std::string& repo) const {
    std::vector<int> narrowest;
    bool gives = false;
    bool denies = false;
    for (const auto& [key, grant] : grants) {
      const bool speaks = grant.gives.contains(letter) || grant.denies.contains(letter);
      if (!speaks || !speaks_for(key.first, who) || !fits(key.second, repo)) continue;
      auto rank = narrowness(key.second);
      if (flaw == Flaw::wide_beats_narrow) {
        for (int& part : rank) part = 1000 - part;
      }
      if (rank < narrowest) continue;
      if (rank > narrowest) gives = denies = false;
      narrowest = std::move(rank);
      gives = gives || grant.gives.contains(letter);
      denies = denies || grant.denies.contains(letter);
    }
    if (!gives && !denies) return;
    const bool is_given = flaw == Flaw::allow_beats_deny ? gives : !denies;
    if (is_given) {
      rights.insert(letter);
    } else {
      rights.erase(letter);
    }
  }

  int last_number_ = 0;
};

}  // namespace berth::test
