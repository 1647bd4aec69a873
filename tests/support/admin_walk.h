#pragma once
// What is done at random in an administered registry (admin_world.h): each act draws what it is about from its step,
// sends the call, and tells the model (admin_model.h) of it.

#include "support/admin_world.h"
#include "support/random_walk.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace berth::test {

enum class AdminAct {
  create_user,
  remove_user,
  disable,
  promote,
  create_org,
  remove_org,
  put_member,
  remove_member,
  create_team,
  remove_team,
  join_team,
  leave_team,
  create_robot,
  remove_robot,
  rotate_robot,
  rotate_self,
  put_grant,
  remove_grant,
  list_grants,
  set_visibility,
  get_repo,
  create_repo,
  rename_repo,
  transfer_repo,
  remove_repo,
  make_token,
  make_short_lived,
  revoke,
  list_users,
  change_self,
  create_rule,
  change_rule,
  remove_rule,
  create_invitation,
  revoke_invitation,
  sign_up,
  end_session,
  end_own_sessions,
  end_sessions_of,
  // No calls of the API: a repository comes into being, a person or a job signs in.
  push,
  open_browser,
  docker_login,
};
inline constexpr std::size_t kActs = 42;
inline bool is_call(AdminAct act) { return act < AdminAct::push; }
/// Nobody may do it, or look.
inline bool is_for_all(AdminAct act) { return act == AdminAct::get_repo || act == AdminAct::sign_up; }
using AdminStep = WalkStep<AdminAct>;

/// Where somebody may try to rule: organisations, one of them often, people's own, and what is not there.
inline constexpr std::array<std::string_view, 7> kSpaces = {"acme", "acme", "acme", "crew", "ann", "bob", "none"};
/// Most of one namespace: nothing else is renamed into another name.
inline constexpr std::array<std::string_view, 6> kRenamed = {"acme/web",   "acme/web/x", "acme/wob",
                                                             "acme/api/x", "acme",       "crew/web"};
inline constexpr std::array<std::string_view, 4> kNewcomers = {"bob", "dan", "fay", "gus"};
inline constexpr std::array<std::string_view, 4> kClaims = {"acme/web", "acme/*", "crew/*", "acme/w*"};
inline constexpr std::array<std::string_view, 4> kRoles = {"reader", "writer", "admin", "owner"};
inline constexpr std::array<std::string_view, 9> kScopes = {
    "", "user", "admin:read", "admin:write", "", "admin:write", "org:admin:acme", "org:admin:crew", "org:admin:ann"};
inline constexpr std::array<std::string_view, 3> kVisibilities = {"private", "internal", "public"};

inline std::vector<std::string> words_of(const Letters& letters) {
  std::vector<std::string> out;
  for (const char letter : letters) {
    switch (letter) {
      case 'r': out.emplace_back("read"); break;
      case 'w': out.emplace_back("write"); break;
      case 'o': out.emplace_back("overwrite"); break;
      case 'd': out.emplace_back("delete"); break;
      default: out.emplace_back("admin"); break;
    }
  }
  return out;
}

inline std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

class AdminWalk : public AdminWorld {
 public:
  using AdminWorld::AdminWorld;

  /// Sends it. In words: who did what, and what he was answered.
  std::string take(const AdminStep& step) {
    if (step.act == AdminAct::push) return push(one_of(kRepos, step.pick[0]));
    if (!choose_caller(step.pick[5])) return "";
    if (!is_call(step.act)) return sign_in_again(step.act);
    said_.clear();
    act_ = step.act;
    does(step);
    if (said_.empty()) return "";
    answers_[act_].insert(answered_.status);
    return by_ + ": " + said_ + " (" + std::to_string(answered_.status) + ")";
  }

  /// What each act was answered so far.
  const std::map<AdminAct, std::set<int>>& answers() const { return answers_; }

 private:
  // ---- what is asked
  void does(const AdminStep& step) {
    const unsigned a = step.pick[0];
    const unsigned b = step.pick[1];
    const unsigned c = step.pick[2];
    const unsigned d = step.pick[3];
    const std::string user = one_of(kUsers, a);
    const std::string person = a % 5 == 4 ? "root" : user;
    const std::string space = one_of(kSpaces, b);
    const std::string team = one_of(kTeams, b);
    switch (step.act) {
      case AdminAct::create_user: return create_user(user, b % 2 == 0);
      case AdminAct::remove_user: return remove_user(person);
      case AdminAct::disable: return change_user(person, std::nullopt, b % 2 == 0);
      case AdminAct::promote: return change_user(person, b % 3 == 0, std::nullopt);
      case AdminAct::create_org: return create_org(one_of(kOrgs, b), user, c % 2 == 0);
      case AdminAct::remove_org: return remove_org(space);
      case AdminAct::put_member: return put_member(space, user, static_cast<int>(c % 4));
      case AdminAct::remove_member: return remove_member(space, user);
      case AdminAct::create_team: return create_team(team);
      case AdminAct::remove_team: return remove_team(team);
      case AdminAct::join_team: return join_team(team, user);
      case AdminAct::leave_team: return leave_team(team, user);
      case AdminAct::create_robot: return create_robot(space, one_of(kRobotNames, a), one_of(kPatterns, c), d % 32);
      case AdminAct::remove_robot: return remove_robot(space, one_of(kRobotNames, a));
      case AdminAct::rotate_robot: return rotate_robot(space, one_of(kRobotNames, a));
      case AdminAct::rotate_self: return rotate_self();
      case AdminAct::put_grant: return put_grant(step);
      case AdminAct::remove_grant: return remove_grant(a, b);
      case AdminAct::list_grants: return list_grants(space);
      case AdminAct::set_visibility: return set_visibility(one_of(kRepos, a), b % 3);
      case AdminAct::get_repo: return get_repo(one_of(kRepos, a));
      case AdminAct::create_repo: return create_repo(one_of(kRepos, a), b % 4);
      case AdminAct::rename_repo: return rename_repo(one_of(kRenamed, a), one_of(kRenamed, b));
      case AdminAct::transfer_repo: return transfer_repo(one_of(kRepos, a), one_of(kRepos, b));
      case AdminAct::remove_repo: return remove_repo(one_of(kRepos, a));
      case AdminAct::make_token: return make_secret({one_of(kWide, a), letters_of(b % 32), scopes_of(d), c % 3 != 0});
      case AdminAct::make_short_lived:
        return make_secret({one_of(kWide, a), letters_of(b % 32), scopes_of(d), c % 2 != 0});
      case AdminAct::list_users: call("list users", expected_.list_users(caller_), http::Method::get, "users"); return;
      case AdminAct::change_self: return change_self();
      case AdminAct::revoke: return revoke(a);
      case AdminAct::create_rule:
        return create_rule(d % 4 == 0 ? space : "", one_of(kRobotNames, a), one_of(kClaims, c));
      case AdminAct::change_rule: return change_rule(a, b, c % 2 == 0);
      case AdminAct::remove_rule: return remove_rule(a, b);
      case AdminAct::create_invitation: return create_invitation();
      case AdminAct::revoke_invitation: return revoke_invitation(a);
      case AdminAct::sign_up: return sign_up(one_of(kNewcomers, a), b);
      case AdminAct::end_session: return end_session(a);
      case AdminAct::end_own_sessions: return end_own_sessions();
      case AdminAct::end_sessions_of: return end_sessions_of(person);
      case AdminAct::push:
      case AdminAct::open_browser:
      case AdminAct::docker_login: break;
    }
  }

  void create_user(const std::string& name, bool adopts) {
    api::JsonObject body;
    body.text("name", name).text("password_hash", kHash).boolean("adopt_namespace", adopts);
    call("create user " + name, expected_.create_user(caller_, name, adopts), http::Method::post, "users", body);
  }
  void remove_user(const std::string& name) {
    call("remove user " + name, expected_.remove_user(caller_, name), http::Method::delete_, "users/" + name);
  }
  void change_user(const std::string& name, std::optional<bool> admin, std::optional<bool> disabled) {
    api::JsonObject body;
    if (admin) body.boolean("admin", *admin);
    if (disabled) body.boolean("disabled", *disabled);
    call("change " + name + " to " + body.str(), expected_.change_user(caller_, name, admin, disabled),
         http::Method::patch, "users/" + name, body);
  }
  void create_org(const std::string& name, const std::string& owner, bool adopts) {
    api::JsonObject body;
    body.text("name", name).text("owner", owner).boolean("adopt_namespace", adopts);
    call("create org " + name + " of " + owner, expected_.create_org(caller_, name, owner, adopts), http::Method::post,
         "orgs", body);
  }
  void remove_org(const std::string& org) {
    call("remove org " + org, expected_.remove_org(caller_, org), http::Method::delete_, "orgs/" + org);
  }
  void put_member(const std::string& org, const std::string& user, int role) {
    api::JsonObject body;
    body.text("role", kRoles[static_cast<std::size_t>(role)]);
    call("make " + user + " of " + org + " " + body.str(), expected_.put_member(caller_, org, user, role + 1),
         http::Method::put, "orgs/" + org + "/members/" + user, body);
  }
  void remove_member(const std::string& org, const std::string& user) {
    call("take " + user + " out of " + org, expected_.remove_member(caller_, org, user), http::Method::delete_,
         "orgs/" + org + "/members/" + user);
  }

  static std::string path_of_team(const std::string& team) {
    const std::size_t slash = team.find('/');
    return "orgs/" + team.substr(0, slash) + "/teams/" + team.substr(slash + 1);
  }
  void create_team(const std::string& team) {
    const std::size_t slash = team.find('/');
    api::JsonObject body;
    body.text("name", team.substr(slash + 1));
    call("create team " + team, expected_.create_team(caller_, team), http::Method::post,
         "orgs/" + team.substr(0, slash) + "/teams", body);
  }
  void remove_team(const std::string& team) {
    call("remove team " + team, expected_.remove_team(caller_, team), http::Method::delete_, path_of_team(team));
  }
  void join_team(const std::string& team, const std::string& user) {
    call(user + " joins " + team, expected_.join_team(caller_, team, user), http::Method::put,
         path_of_team(team) + "/members/" + user);
  }
  void leave_team(const std::string& team, const std::string& user) {
    call(user + " leaves " + team, expected_.leave_team(caller_, team, user), http::Method::delete_,
         path_of_team(team) + "/members/" + user);
  }

  /// With a permission at once, or without.
  void create_robot(const std::string& space, const std::string& name, const std::string& pattern, unsigned bits) {
    std::vector<AdminModel::RobotGrant> grants;
    api::JsonObject body;
    body.text("name", name);
    if (bits % 4 != 0) {
      grants.push_back({pattern, letters_of(bits / 2)});
      const std::string permission =
          api::JsonObject().text("repo", pattern).texts("actions", words_of(grants.front().gives)).str();
      body.raw("permissions", "[" + permission + "]");
    }
    const std::string with = grants.empty() ? "" : " with " + scope_of(pattern, grants.front().gives);
    if (call("create robot " + name + " in " + space + with, expected_.create_robot(caller_, space, name, grants),
             http::Method::post, "namespaces/" + space + "/robots", body))
      keep_robot_secret(name);
  }
  void remove_robot(const std::string& space, const std::string& name) {
    call("remove robot " + name + " of " + space, expected_.remove_robot(caller_, space, name), http::Method::delete_,
         "namespaces/" + space + "/robots/" + name);
  }
  void rotate_robot(const std::string& space, const std::string& name) {
    api::JsonObject body;
    body.text("overlap", "0s");
    if (call("rotate " + name + " of " + space, expected_.rotate_robot(caller_, space, name), http::Method::post,
             "namespaces/" + space + "/robots/" + name + "/rotate", body))
      keep_robot_secret(name);
  }
  void rotate_self() {
    api::JsonObject body;
    body.text("overlap", "0s");
    const std::string name = caller_.name;
    if (call("rotate itself", expected_.rotate_self(caller_), http::Method::post, "robot/rotate", body))
      keep_robot_secret(name);
  }
  /// The one in the answer; those before it are over.
  void keep_robot_secret(const std::string& name) {
    for (const Secret& secret : std::vector(secrets_)) {
      if (secret.name == name && secret.kind == meta::TokenKind::robot_secret) end(secret.text);
    }
    secrets_.push_back({.name = name,
                        .number = model_.accounts[name].number,
                        .text = answer().text("secret"),
                        .kind = meta::TokenKind::robot_secret});
  }

  void put_grant(const AdminStep& step) {
    const std::string subject = one_of(kSubjects, step.pick[0]);
    const std::string pattern = one_of(kPatterns, step.pick[1]);
    const std::string own = pattern.substr(0, pattern.find('/'));
    const std::string space = step.pick[4] % 5 == 0 ? one_of(kSpaces, step.pick[4] / 5) : own;
    const unsigned allow = step.pick[2] % 32;
    const unsigned deny = step.pick[3] % 32 & ~(step.pick[3] % 7 == 0 ? 0 : allow);
    api::JsonObject body;
    body.text("subject", subject).text("repo", pattern);
    body.texts("allow", words_of(letters_of(allow))).texts("deny", words_of(letters_of(deny)));
    call("grant in " + space + " " + body.str(),
         expected_.put_grant(caller_, space, subject, pattern, {letters_of(allow), letters_of(deny)}),
         http::Method::put, "namespaces/" + space + "/grants", body);
  }
  /// By its number, which is good in its own namespace alone (S13).
  void remove_grant(unsigned which, unsigned where) {
    if (model_.grants.empty()) return;
    const auto key = std::next(model_.grants.begin(), which % model_.grants.size())->first;
    const std::string own = key.second.substr(0, key.second.find('/'));
    const std::string space = where % 4 == 0 ? one_of(kSpaces, where / 4) : own;
    const meta::GrantId id = grant_id(key.first, key.second);
    call("take from " + key.first + " " + key.second + ", in " + space, expected_.remove_grant(caller_, space, key),
         http::Method::delete_, "namespaces/" + space + "/grants/" + std::to_string(id));
  }
  void list_grants(const std::string& space) {
    call("list grants of " + space, expected_.list_grants(caller_, space), http::Method::get,
         "namespaces/" + space + "/grants");
  }
  void set_visibility(const std::string& name, unsigned visibility) {
    api::JsonObject body;
    body.text("visibility", kVisibilities[visibility]);
    call("make " + name + " " + body.str(), expected_.set_visibility(caller_, name, static_cast<int>(visibility)),
         http::Method::patch, "repos/" + name, body);
  }
  void get_repo(const std::string& name) {
    call("look at " + name, expected_.get_repo(caller_, name), http::Method::get, "repos/" + name);
  }

  /// With who sees it, or as the namespace has it.
  void create_repo(const std::string& name, unsigned visibility) {
    api::JsonObject body;
    body.text("name", name);
    std::optional<int> wanted;
    if (visibility < kVisibilities.size()) {
      wanted = static_cast<int>(visibility);
      body.text("visibility", kVisibilities[visibility]);
    }
    call("create " + body.str(), expected_.create_repo(caller_, name, wanted), http::Method::post, "repos", body);
  }
  void rename_repo(const std::string& name, const std::string& to) {
    api::JsonObject body;
    body.text("to", to);
    call("rename " + name + " to " + to, expected_.rename_repo(caller_, name, to), http::Method::post,
         "repos/" + name + "/-/rename", body);
  }
  void transfer_repo(const std::string& name, const std::string& to) {
    api::JsonObject body;
    body.text("to", to);
    call("transfer " + name + " to " + to, expected_.transfer_repo(caller_, name, to), http::Method::post,
         "repos/" + name + "/-/transfer", body);
  }
  void remove_repo(const std::string& name) {
    call("delete " + name, expected_.remove_repo(caller_, name), http::Method::delete_, "repos/" + name);
  }
  void change_self() {
    api::JsonObject body;
    body.text("display_name", "x");
    call("change itself", expected_.change_self(caller_), http::Method::patch, "user", body);
  }

  static std::string scope_of(const std::string& pattern, const Letters& letters) {
    return pattern + ":" + joined(words_of(letters));
  }
  /// None, one or two.
  static std::set<std::string> scopes_of(unsigned pick) {
    std::set<std::string> out = {one_of(kScopes, pick), one_of(kScopes, pick / 9)};
    out.erase("");
    return out;
  }
  struct Asks {
    std::string pattern;
    Letters letters;
    std::set<std::string> scopes;
    bool is_narrow;
  };
  /// A token, or a password for hours. Without letters and scopes it is narrowed to nothing.
  void make_secret(const Asks& asks) {
    const bool is_token = act_ == AdminAct::make_token;
    std::vector<std::string> scopes(asks.scopes.begin(), asks.scopes.end());
    if (!asks.letters.empty()) scopes.push_back(scope_of(asks.pattern, asks.letters));
    api::JsonObject body;
    if (is_token) body.text("name", "x");
    if (asks.is_narrow) body.texts("scopes", scopes);
    const std::string said = (is_token ? "make a token " : "make a password for hours ") + body.str();
    const int due = is_token ? expected_.make_token(caller_) : expected_.make_short_lived(caller_, asks.is_narrow);
    const auto maker = caller_;
    if (!call(said, due, http::Method::post, is_token ? "user/tokens" : "auth/short-lived", body)) return;
    Secret made =
        made_by_caller(is_token ? meta::TokenKind::access : meta::TokenKind::short_lived, answer().text("secret"));
    made.id = answered_id();
    made.is_narrow = asks.is_narrow || maker.is_narrow;
    made.pattern = asks.is_narrow ? asks.pattern : maker.pattern;
    made.letters = asks.is_narrow ? asks.letters : maker.letters;
    made.scopes = asks.is_narrow ? asks.scopes : maker.scopes;
    secrets_.push_back(made);
  }
  /// Of three times two one of the caller's that it can be done to, if he has any; nullptr: there is none at all.
  template <class F>
  const Secret* pick_secret(unsigned which, F is_meant) const {
    std::vector<const Secret*> all;
    std::vector<const Secret*> own;
    for (const Secret& secret : secrets_) {
      // Numbers are given anew when an account is gone.
      const auto account = model_.accounts.find(secret.name);
      const bool is_there = account != model_.accounts.end() && account->second.number == secret.number;
      if (secret.id == 0 || !is_there) continue;
      all.push_back(&secret);
      if (secret.name == caller_.name && is_meant(secret)) own.push_back(&secret);
    }
    const auto& from = which % 3 != 0 && !own.empty() ? own : all;
    return from.empty() ? nullptr : from[which / 3 % from.size()];
  }
  static bool is_token(const Secret& secret) { return secret.kind == meta::TokenKind::access; }
  static bool is_session(const Secret& secret) {
    return secret.kind != meta::TokenKind::access && secret.kind != meta::TokenKind::robot_secret;
  }
  /// Of one's own, or of somebody else's; what signing in opened is ended as a session.
  template <class F>
  void end_one(unsigned which, F is_meant, int (AdminModel::*due)(const AdminModel::Caller&, bool) const,
               const std::string& below) {
    const Secret* secret = pick_secret(which, is_meant);
    if (secret == nullptr) return;
    const bool is_own = !secret->is_revoked && secret->name == caller_.name && is_meant(*secret);
    if (call("end " + below + " of " + secret->name, (expected_.*due)(caller_, is_own), http::Method::delete_,
             "user/" + below + "/" + std::to_string(secret->id)))
      end(secret->text);
  }
  void revoke(unsigned which) { end_one(which, is_token, &AdminModel::revoke, "tokens"); }
  void end_session(unsigned which) { end_one(which, is_session, &AdminModel::end_session, "sessions"); }
  void end_own_sessions() {
    const std::string name = caller_.name;
    if (call("end all sessions", expected_.end_own_sessions(caller_), http::Method::delete_, "user/sessions"))
      end_all_sessions(name);
  }
  void end_sessions_of(const std::string& name) {
    if (call("end all sessions of " + name, expected_.end_sessions_of(caller_, name), http::Method::delete_,
             "users/" + name + "/sessions"))
      end_all_sessions(name);
  }
  void end_all_sessions(const std::string& name) {
    if (expected_.flaw == AdminModel::Flaw::sessions_do_not_end) return;
    for (Secret& secret : secrets_) {
      if (secret.name == name && is_session(secret)) secret.is_revoked = true;
    }
  }

  /// space: empty: the robot's.
  void create_rule(std::string space, const std::string& robot, const std::string& pattern) {
    if (space.empty()) space = robot.substr(0, robot.find('+'));
    api::JsonObject body;
    body.text("robot", robot).text("issuer", JobIssuer::kName).text("audience", JobIssuer::kAudience);
    body.raw("claims", api::JsonObject().text("repository", pattern).str());
    if (call("trust jobs of " + pattern + " in " + space + " as " + robot,
             expected_.create_rule(caller_, space, robot, pattern), http::Method::post,
             "namespaces/" + space + "/trust", body))
      expected_.rules[answered_id()] = {space, robot, model_.accounts[robot].number, pattern};
  }
  /// By its number, in its namespace or in another one (S13).
  struct RulePath {
    std::int64_t id;
    std::string space;
    std::string str() const { return "namespaces/" + space + "/trust/" + std::to_string(id); }
  };
  std::optional<RulePath> pick_rule(unsigned which, unsigned where) const {
    if (expected_.rules.empty()) return std::nullopt;
    const auto& [id, rule] = *std::next(expected_.rules.begin(), which % expected_.rules.size());
    return RulePath{id, where % 4 == 0 ? one_of(kSpaces, where / 4) : rule.space};
  }
  void change_rule(unsigned which, unsigned where, bool disabled) {
    const auto at = pick_rule(which, where);
    if (!at) return;
    api::JsonObject body;
    body.boolean("disabled", disabled);
    call("change " + at->str() + " to " + body.str(), expected_.change_rule(caller_, at->space, at->id, disabled),
         http::Method::patch, at->str(), body);
  }
  void remove_rule(unsigned which, unsigned where) {
    if (const auto at = pick_rule(which, where))
      call("remove " + at->str(), expected_.remove_rule(caller_, at->space, at->id), http::Method::delete_, at->str());
  }

  void create_invitation() {
    if (!call("invite somebody", expected_.create_invitation(caller_), http::Method::post, "invites")) return;
    expected_.invitations[answered_id()] = {caller_.name, model_.accounts[caller_.name].number};
    invitations_.push_back({answered_id(), answer().text("secret")});
  }
  void revoke_invitation(unsigned which) {
    if (invitations_.empty()) return;
    const auto id = invitations_[which % invitations_.size()].id;
    call("take back invitation " + std::to_string(id), expected_.revoke_invitation(caller_, id), http::Method::delete_,
         "invites/" + std::to_string(id));
  }
  /// With an invitation, every second time one that is not good, or with none. Whoever comes has an address of his
  /// own: the limit on how often one makes accounts is another test's.
  void sign_up(const std::string& name, unsigned which) {
    const bool is_meant_well = which % 2 == 0;  // a password is hashed then, which is slow
    std::vector<Invitation> fitting = {{0, "none"}};
    for (const Invitation& invitation : invitations_) {
      if (expected_.is_good(invitation.id) == is_meant_well) fitting.push_back(invitation);
    }
    const Invitation& with = fitting[which / 2 % fitting.size()];
    api::JsonObject body;
    body.text("name", name).text("password", "of a new account").text("invite", with.secret);
    address_ = "192.0.2." + std::to_string(++newcomers_);
    if (call("sign up as " + name, expected_.sign_up(name, with.id), http::Method::post, "signup", body))
      set_password_of_all(name);
    address_ = kAddress;
  }
  /// The others' one, which is cheap to try.
  void set_password_of_all(const std::string& name) {
    expect_ok(change([&](sql::Connection& db) -> Result<void> {
      BERTH_TRY(auto row, meta::find_principal(db, name));
      row->password_hash = kHash;
      return meta::update_principal(db, *row);
    }));
  }

  /// With the password or a job's token: what secrets open is another thing (make_secret).
  std::string sign_in_again(AdminAct act) {
    if (identity_->via != 0 || caller_.name.empty() || (caller_.is_job && act == AdminAct::open_browser)) return "";
    answered_ = {};
    due_ = answered_.status;
    return open_session(act == AdminAct::open_browser ? meta::TokenKind::web_session : meta::TokenKind::refresh);
  }

  std::string push(const std::string& name) {
    answered_ = {};
    due_ = answered_.status;
    if (model_.repos.contains(name)) return "";
    add_repo(name);
    model_.repos[name] = 0;
    model_.spaces[name.substr(0, name.find('/'))];
    return "push " + name;
  }

  struct Invitation {
    meta::TokenId id = 0;
    std::string secret;
  };
  std::vector<Invitation> invitations_;
  int newcomers_ = 0;
  AdminAct act_ = AdminAct::push;
  std::map<AdminAct, std::set<int>> answers_;
};

}  // namespace berth::test
