// No sequence of calls gives anybody more than he was given: random callers, by passwords and by secrets, narrow ones
// too, send random calls to the administration API. After each step the answer and everybody's rights everywhere are
// compared with what a model that shares no code with ours says of the same call (tests/support/admin_model.h). Seeds:
// tests/support/random_walk.h.
#include "api/admin/admin_api.h"
#include "support/admin_model.h"
#include "support/random_walk.h"
#include "support/rights_world.h"

#include <map>
#include <set>

namespace berth::api {
namespace {

using http::Method;
using meta::TokenKind;
using test::AdminModel;
using test::Letters;
using test::letters_of;
using test::one_of;

enum class Act {
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
  push,  // no call of the API: a repository comes into being
};
constexpr std::size_t kActs = 31;
using Step = test::WalkStep<Act>;

/// Where somebody may try to rule: organisations, one of them often, people's own, and what is not there.
constexpr std::array<std::string_view, 7> kSpaces = {"acme", "acme", "acme", "crew", "ann", "bob", "none"};
/// Most of one namespace: nothing else is renamed into another name.
constexpr std::array<std::string_view, 6> kRenamed = {"acme/web",   "acme/web/x", "acme/wob",
                                                      "acme/api/x", "acme",       "crew/web"};
constexpr std::array<std::string_view, 5> kRobotNames = {"acme+ci", "crew+ci", "ann+ci", "acme+x", "bot"};
constexpr std::array<std::string_view, 4> kRoles = {"reader", "writer", "admin", "owner"};
constexpr std::array<std::string_view, 9> kScopes = {
    "", "user", "admin:read", "admin:write", "", "admin:write", "org:admin:acme", "org:admin:crew", "org:admin:ann"};
constexpr std::array<std::string_view, 3> kVisibilities = {"private", "internal", "public"};

std::vector<std::string> words_of(const Letters& letters) {
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

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

class World : public test::RightsWorld {
 public:
  explicit World(AdminModel::Flaw flaw) {
    add_admin("root");
    model_.add_account("root", {.is_admin = true});
    expected_.flaw = flaw;
  }

  /// Sends it. In words: who did what, and what he was answered.
  std::string take(const Step& step) {
    if (step.act == Act::push) return push(one_of(test::kRepos, step.pick[0]));
    if (!choose_caller(step.pick[5])) return "";
    said_.clear();
    act_ = step.act;
    does(step);
    if (said_.empty()) return "";
    return by_ + ": " + said_ + " (" + std::to_string(answered_.status) + ")";
  }

  /// Empty, or where we and the model differ.
  std::string difference() {
    if (answered_.status != due_) {
      return "answered " + std::to_string(answered_.status) + ", not " + std::to_string(due_) + ": " + answered_.body;
    }
    return RightsWorld::difference();
  }

  /// What each act was answered so far.
  const std::map<Act, std::set<int>>& answers() const { return answers_; }

 private:
  // ---- who asks
  /// Of three steps one is an administrator's, or little would ever come of anything.
  bool choose_caller(unsigned pick) {
    const unsigned which = pick / 12;
    switch (pick % 12) {
      case 0: return as_nobody();
      case 1:
      case 2:
      case 3: return as_user("root");
      case 4:
      case 5:
      case 6:
      case 7: return as_user(one_of(test::kUsers, which));
      default: return as_secret(which);
    }
  }
  bool as_nobody() {
    caller_ = {};
    identity_ = authenticator_.anonymous();
    by_ = "nobody";
    return true;
  }
  bool as_user(const std::string& name) {
    const auto account = model_.accounts.find(name);
    if (account == model_.accounts.end() || account->second.is_disabled) return false;
    caller_ = {.name = name};
    root_.clear();
    identity_ = must(sign_in(name, kPassword));
    by_ = name;
    return identity_ != nullptr;
  }
  bool as_secret(unsigned pick) {
    std::vector<const Secret*> live;
    for (const Secret& secret : secrets_) {
      if (is_alive(secret)) live.push_back(&secret);
    }
    if (live.empty()) return false;
    const Secret& secret = *live[pick % live.size()];
    caller_ = {.name = secret.name,
               .is_narrow = secret.is_narrow,
               .pattern = secret.pattern,
               .letters = secret.letters,
               .scopes = secret.scopes,
               .is_robots_own = secret.kind == TokenKind::robot_secret};
    root_ = secret.root.empty() ? secret.text : secret.root;
    identity_ = must(sign_in(secret.name, secret.text));
    by_ = "a secret of " + secret.name + (secret.is_narrow ? " for " + scope_of(secret.pattern, secret.letters) : "");
    return identity_ != nullptr;
  }

  // ---- what is asked
  void does(const Step& step) {
    const unsigned a = step.pick[0];
    const unsigned b = step.pick[1];
    const unsigned c = step.pick[2];
    const unsigned d = step.pick[3];
    const std::string user = one_of(test::kUsers, a);
    const std::string person = a % 9 == 8 ? "root" : user;
    const std::string space = one_of(kSpaces, b);
    const std::string team = one_of(test::kTeams, b);
    switch (step.act) {
      case Act::create_user: return create_user(user, b % 2 == 0);
      case Act::remove_user: return remove_user(person);
      case Act::disable: return change_user(person, std::nullopt, b % 2 == 0);
      case Act::promote: return change_user(person, b % 3 == 0, std::nullopt);
      case Act::create_org: return create_org(one_of(test::kOrgs, b), user, c % 2 == 0);
      case Act::remove_org: return remove_org(space);
      case Act::put_member: return put_member(space, user, static_cast<int>(c % 4));
      case Act::remove_member: return remove_member(space, user);
      case Act::create_team: return create_team(team);
      case Act::remove_team: return remove_team(team);
      case Act::join_team: return join_team(team, user);
      case Act::leave_team: return leave_team(team, user);
      case Act::create_robot: return create_robot(space, one_of(kRobotNames, a), one_of(test::kPatterns, c), d % 32);
      case Act::remove_robot: return remove_robot(space, one_of(kRobotNames, a));
      case Act::rotate_robot: return rotate_robot(space, one_of(kRobotNames, a));
      case Act::rotate_self: return rotate_self();
      case Act::put_grant: return put_grant(step);
      case Act::remove_grant: return remove_grant(a, b);
      case Act::list_grants: return list_grants(space);
      case Act::set_visibility: return set_visibility(one_of(test::kRepos, a), b % 3);
      case Act::get_repo: return get_repo(one_of(test::kRepos, a));
      case Act::create_repo: return create_repo(one_of(test::kRepos, a), b % 4);
      case Act::rename_repo: return rename_repo(one_of(kRenamed, a), one_of(kRenamed, b));
      case Act::transfer_repo: return transfer_repo(one_of(test::kRepos, a), one_of(test::kRepos, b));
      case Act::remove_repo: return remove_repo(one_of(test::kRepos, a));
      case Act::make_token: return make_secret({one_of(test::kWide, a), letters_of(b % 32), scopes_of(d), c % 3 != 0});
      case Act::make_short_lived:
        return make_secret({one_of(test::kWide, a), letters_of(b % 32), scopes_of(d), c % 2 != 0});
      case Act::list_users: call("list users", expected_.list_users(caller_), Method::get, "users"); return;
      case Act::change_self: return change_self();
      case Act::revoke: return revoke(a);
      case Act::push: break;
    }
  }

  bool call(std::string said, int due, Method method, std::string path, const JsonObject& body = {}) {
    said_ = std::move(said);
    due_ = due;
    AdminRequest request;
    request.method = method;
    request.path = std::move(path);
    if (method != Method::get && method != Method::delete_) request.body = body.str();
    answered_ = test::run_task(api_.handle(*identity_, request, "r"));
    answers_[act_].insert(answered_.status);
    return answered_.succeeded();
  }

  void create_user(const std::string& name, bool adopts) {
    JsonObject body;
    body.text("name", name).text("password_hash", kHash).boolean("adopt_namespace", adopts);
    call("create user " + name, expected_.create_user(caller_, name, adopts), Method::post, "users", body);
  }
  void remove_user(const std::string& name) {
    call("remove user " + name, expected_.remove_user(caller_, name), Method::delete_, "users/" + name);
  }
  void change_user(const std::string& name, std::optional<bool> admin, std::optional<bool> disabled) {
    JsonObject body;
    if (admin) body.boolean("admin", *admin);
    if (disabled) body.boolean("disabled", *disabled);
    call("change " + name + " to " + body.str(), expected_.change_user(caller_, name, admin, disabled), Method::patch,
         "users/" + name, body);
  }
  void create_org(const std::string& name, const std::string& owner, bool adopts) {
    JsonObject body;
    body.text("name", name).text("owner", owner).boolean("adopt_namespace", adopts);
    call("create org " + name + " of " + owner, expected_.create_org(caller_, name, owner, adopts), Method::post,
         "orgs", body);
  }
  void remove_org(const std::string& org) {
    call("remove org " + org, expected_.remove_org(caller_, org), Method::delete_, "orgs/" + org);
  }
  void put_member(const std::string& org, const std::string& user, int role) {
    JsonObject body;
    body.text("role", kRoles[static_cast<std::size_t>(role)]);
    call("make " + user + " of " + org + " " + body.str(), expected_.put_member(caller_, org, user, role + 1),
         Method::put, "orgs/" + org + "/members/" + user, body);
  }
  void remove_member(const std::string& org, const std::string& user) {
    call("take " + user + " out of " + org, expected_.remove_member(caller_, org, user), Method::delete_,
         "orgs/" + org + "/members/" + user);
  }

  static std::string path_of_team(const std::string& team) {
    const std::size_t slash = team.find('/');
    return "orgs/" + team.substr(0, slash) + "/teams/" + team.substr(slash + 1);
  }
  void create_team(const std::string& team) {
    const std::size_t slash = team.find('/');
    JsonObject body;
    body.text("name", team.substr(slash + 1));
    call("create team " + team, expected_.create_team(caller_, team), Method::post,
         "orgs/" + team.substr(0, slash) + "/teams", body);
  }
  void remove_team(const std::string& team) {
    call("remove team " + team, expected_.remove_team(caller_, team), Method::delete_, path_of_team(team));
  }
  void join_team(const std::string& team, const std::string& user) {
    call(user + " joins " + team, expected_.join_team(caller_, team, user), Method::put,
         path_of_team(team) + "/members/" + user);
  }
  void leave_team(const std::string& team, const std::string& user) {
    call(user + " leaves " + team, expected_.leave_team(caller_, team, user), Method::delete_,
         path_of_team(team) + "/members/" + user);
  }

  /// With a permission at once, or without.
  void create_robot(const std::string& space, const std::string& name, const std::string& pattern, unsigned bits) {
    std::vector<AdminModel::RobotGrant> grants;
    JsonObject body;
    body.text("name", name);
    if (bits % 4 != 0) {
      grants.push_back({pattern, letters_of(bits / 2)});
      const std::string permission =
          JsonObject().text("repo", pattern).texts("actions", words_of(grants.front().gives)).str();
      body.raw("permissions", "[" + permission + "]");
    }
    const std::string with = grants.empty() ? "" : " with " + scope_of(pattern, grants.front().gives);
    if (call("create robot " + name + " in " + space + with, expected_.create_robot(caller_, space, name, grants),
             Method::post, "namespaces/" + space + "/robots", body))
      keep_robot_secret(name);
  }
  void remove_robot(const std::string& space, const std::string& name) {
    call("remove robot " + name + " of " + space, expected_.remove_robot(caller_, space, name), Method::delete_,
         "namespaces/" + space + "/robots/" + name);
  }
  void rotate_robot(const std::string& space, const std::string& name) {
    JsonObject body;
    body.text("overlap", "0s");
    if (call("rotate " + name + " of " + space, expected_.rotate_robot(caller_, space, name), Method::post,
             "namespaces/" + space + "/robots/" + name + "/rotate", body))
      keep_robot_secret(name);
  }
  void rotate_self() {
    JsonObject body;
    body.text("overlap", "0s");
    const std::string name = caller_.name;
    if (call("rotate itself", AdminModel::rotate_self(caller_), Method::post, "robot/rotate", body))
      keep_robot_secret(name);
  }
  /// The one in the answer; those before it are over.
  void keep_robot_secret(const std::string& name) {
    for (const Secret& secret : std::vector(secrets_)) {
      if (secret.name == name && secret.kind == TokenKind::robot_secret) end(secret.text);
    }
    Secret made{.name = name, .number = model_.accounts[name].number};
    made.text = must(json::parse(answered_.body)).text("secret");
    made.kind = TokenKind::robot_secret;
    secrets_.push_back(made);
  }

  void put_grant(const Step& step) {
    const std::string subject = one_of(test::kSubjects, step.pick[0]);
    const std::string pattern = one_of(test::kPatterns, step.pick[1]);
    const std::string own = pattern.substr(0, pattern.find('/'));
    const std::string space = step.pick[4] % 5 == 0 ? one_of(kSpaces, step.pick[4] / 5) : own;
    const unsigned allow = step.pick[2] % 32;
    const unsigned deny = step.pick[3] % 32 & ~(step.pick[3] % 7 == 0 ? 0 : allow);
    JsonObject body;
    body.text("subject", subject).text("repo", pattern);
    body.texts("allow", words_of(letters_of(allow))).texts("deny", words_of(letters_of(deny)));
    call("grant in " + space + " " + body.str(),
         expected_.put_grant(caller_, space, subject, pattern, {letters_of(allow), letters_of(deny)}), Method::put,
         "namespaces/" + space + "/grants", body);
  }
  /// By its number, which is good in its own namespace alone (S13).
  void remove_grant(unsigned which, unsigned where) {
    if (model_.grants.empty()) return;
    const auto key = std::next(model_.grants.begin(), which % model_.grants.size())->first;
    const std::string own = key.second.substr(0, key.second.find('/'));
    const std::string space = where % 4 == 0 ? one_of(kSpaces, where / 4) : own;
    const meta::GrantId id = grant_id(key.first, key.second);
    call("take from " + key.first + " " + key.second + ", in " + space, expected_.remove_grant(caller_, space, key),
         Method::delete_, "namespaces/" + space + "/grants/" + std::to_string(id));
  }
  void list_grants(const std::string& space) {
    call("list grants of " + space, expected_.list_grants(caller_, space), Method::get,
         "namespaces/" + space + "/grants");
  }
  void set_visibility(const std::string& name, unsigned visibility) {
    JsonObject body;
    body.text("visibility", kVisibilities[visibility]);
    call("make " + name + " " + body.str(), expected_.set_visibility(caller_, name, static_cast<int>(visibility)),
         Method::patch, "repos/" + name, body);
  }
  void get_repo(const std::string& name) {
    call("look at " + name, expected_.get_repo(caller_, name), Method::get, "repos/" + name);
  }

  /// With who sees it, or as the namespace has it.
  void create_repo(const std::string& name, unsigned visibility) {
    JsonObject body;
    body.text("name", name);
    std::optional<int> wanted;
    if (visibility < kVisibilities.size()) {
      wanted = static_cast<int>(visibility);
      body.text("visibility", kVisibilities[visibility]);
    }
    call("create " + body.str(), expected_.create_repo(caller_, name, wanted), Method::post, "repos", body);
  }
  void rename_repo(const std::string& name, const std::string& to) {
    JsonObject body;
    body.text("to", to);
    call("rename " + name + " to " + to, expected_.rename_repo(caller_, name, to), Method::post,
         "repos/" + name + "/-/rename", body);
  }
  void transfer_repo(const std::string& name, const std::string& to) {
    JsonObject body;
    body.text("to", to);
    call("transfer " + name + " to " + to, expected_.transfer_repo(caller_, name, to), Method::post,
         "repos/" + name + "/-/transfer", body);
  }
  void remove_repo(const std::string& name) {
    call("delete " + name, expected_.remove_repo(caller_, name), Method::delete_, "repos/" + name);
  }
  void change_self() {
    JsonObject body;
    body.text("display_name", "x");
    call("change itself", expected_.change_self(caller_), Method::patch, "user", body);
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
    const bool is_token = act_ == Act::make_token;
    std::vector<std::string> scopes(asks.scopes.begin(), asks.scopes.end());
    if (!asks.letters.empty()) scopes.push_back(scope_of(asks.pattern, asks.letters));
    JsonObject body;
    if (is_token) body.text("name", "x");
    if (asks.is_narrow) body.texts("scopes", scopes);
    const std::string said = (is_token ? "make a token " : "make a password for hours ") + body.str();
    const int due = is_token ? expected_.make_token(caller_) : expected_.make_short_lived(caller_, asks.is_narrow);
    const auto maker = caller_;
    if (!call(said, due, Method::post, is_token ? "user/tokens" : "auth/short-lived", body)) return;
    Secret made{.name = maker.name, .number = model_.accounts[maker.name].number};
    const auto parsed = must(json::parse(answered_.body));
    made.text = parsed.text("secret");
    made.id = std::stoll(parsed.text("id"));
    made.kind = is_token ? TokenKind::access : TokenKind::short_lived;
    made.is_narrow = asks.is_narrow || maker.is_narrow;
    made.pattern = asks.is_narrow ? asks.pattern : maker.pattern;
    made.letters = asks.is_narrow ? asks.letters : maker.letters;
    made.scopes = asks.is_narrow ? asks.scopes : maker.scopes;
    made.root = root_;
    secrets_.push_back(made);
  }
  /// Of one's own, or of somebody else's.
  void revoke(unsigned which) {
    std::vector<Secret*> made;  // whose numbers are known, and not given anew with their accounts gone
    for (Secret& secret : secrets_) {
      const auto account = model_.accounts.find(secret.name);
      const bool is_there = account != model_.accounts.end() && account->second.number == secret.number;
      if (secret.id != 0 && is_there) made.push_back(&secret);
    }
    if (made.empty()) return;
    Secret& secret = *made[which % made.size()];
    // Passwords for hours are ended with the sessions, or with what they were made by.
    const bool is_own = !secret.is_revoked && secret.name == caller_.name && secret.kind == TokenKind::access;
    if (call("revoke a secret of " + secret.name, expected_.revoke(caller_, is_own), Method::delete_,
             "user/tokens/" + std::to_string(secret.id)))
      end(secret.text);
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

  auth::SetupToken setup_{clock_};
  auth::SignInLimiter limiter_;
  AdminApi api_{{*store_, directory_, audit_, setup_, passwords_, clock_, random_, limiter_}};
  AdminModel expected_{model_};

  AdminModel::Caller caller_;
  auth::IdentityPtr identity_;
  std::string root_;  // of the caller: the lasting secret he comes with, or with what it made
  std::string by_;
  std::string said_;
  Act act_ = Act::push;
  std::map<Act, std::set<int>> answers_;
  int due_ = 200;
  AdminReply answered_;
};

constexpr unsigned kRoot = 1;  // of choose_caller

/// A registry in use: without people, teams and robots most calls mean nothing.
const test::WalkSteps<Act> kBeginning = {
    {Act::create_user, {0, 0, 0, 0, 0, kRoot}},
    {Act::create_user, {1, 0, 0, 0, 0, kRoot}},
    {Act::create_user, {2, 0, 0, 0, 0, kRoot}},
    {Act::create_user, {3, 0, 0, 0, 0, kRoot}},
    {Act::create_org, {3, 0, 0, 0, 0, kRoot}},
    {Act::create_org, {1, 1, 0, 0, 0, kRoot}},
    {Act::put_member, {0, 0, 2, 0, 0, kRoot}},  // ann is an admin of acme
    {Act::put_member, {1, 0, 1, 0, 0, kRoot}},  // bob writes there
    {Act::put_member, {2, 3, 0, 0, 0, kRoot}},  // eve reads in crew
    {Act::create_team, {0, 0, 0, 0, 0, kRoot}},
    {Act::create_team, {0, 2, 0, 0, 0, kRoot}},
    {Act::join_team, {1, 0, 0, 0, 0, kRoot}},
    {Act::join_team, {2, 2, 0, 0, 0, kRoot}},
    {Act::push, {0}},
    {Act::push, {6}},
    {Act::put_grant, {1, 2, 8, 1, 1, kRoot}},  // on acme/web bob deletes and does not read
    {Act::create_robot, {0, 0, 0, 3, 0, kRoot}},
    {Act::create_robot, {2, 4, 11, 31, 0, kRoot}},
};

test::WalkSteps<Act> draw(std::uint64_t seed, std::size_t count) {
  constexpr std::array kOften = {Act::put_member,       Act::put_member,   Act::put_grant,   Act::put_grant,
                                 Act::put_grant,        Act::create_robot, Act::make_token,  Act::make_token,
                                 Act::make_short_lived, Act::push,         Act::rename_repo, Act::rename_repo};
  const auto act_of = [&](std::uint64_t roll) {
    const std::size_t number = roll % (kActs + kOften.size());
    return number < kActs ? static_cast<Act>(number) : kOften[number - kActs];
  };
  return test::draw_walk(seed, kBeginning, count, act_of);
}

void run_seeds(std::uint64_t first, std::uint64_t count, std::size_t steps) {
  const auto make = [] { return World(AdminModel::Flaw::none); };
  for (const std::uint64_t seed : test::walk_seeds(first, count))
    ASSERT_EQ(test::find_difference(make, draw(seed, steps)), "") << "seed " << seed;
}

TEST(RandomCalls, GiveNobodyMoreThanHeWasGiven) { run_seeds(1, 8, 120); }  // S10, S13, A16
TEST(RandomCallsSlow, GiveNobodyMoreThanHeWasGiven) { run_seeds(1000, 300, 200); }

// Calls that are all refused would give nobody anything.
TEST(RandomCalls, AreAnsweredInEveryWay) {
  std::map<Act, std::set<int>> answers;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    World world(AdminModel::Flaw::none);
    for (const Step& step : draw(seed, 120)) world.take(step);
    for (const auto& [act, statuses] : world.answers()) answers[act].insert(statuses.begin(), statuses.end());
  }
  for (std::size_t i = 0; i < kActs; ++i) {
    const auto act = static_cast<Act>(i);
    if (act == Act::push) continue;
    const std::set<int>& met = answers[act];
    EXPECT_TRUE(std::ranges::any_of(met, [](int status) { return status < 300; })) << i << " never succeeds";
    EXPECT_TRUE(met.contains(401) || act == Act::get_repo) << i << " is never asked by nobody";
    EXPECT_TRUE(met.contains(403) || met.contains(404)) << i << " is never refused";
  }
}

// A comparison that finds no flaw would find no bug.
class RandomCallsFind : public ::testing::TestWithParam<AdminModel::Flaw> {};
TEST_P(RandomCallsFind, AModelWithAFlaw) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    if (!test::walk(World(GetParam()), draw(seed, 120)).difference.empty()) return;
  }
  FAIL() << "not found";
}
INSTANTIATE_TEST_SUITE_P(
    Flaws, RandomCallsFind,
    ::testing::Values(AdminModel::Flaw::grants_are_offices, AdminModel::Flaw::admins_make_owners,
                      AdminModel::Flaw::narrow_secrets_rule, AdminModel::Flaw::robots_go_where_they_like,
                      AdminModel::Flaw::patterns_are_not_compared, AdminModel::Flaw::children_are_wider,
                      AdminModel::Flaw::scopes_are_everywhere, AdminModel::Flaw::scopes_make_administrators,
                      AdminModel::Flaw::the_last_owner_may_go, AdminModel::Flaw::grants_stay_behind,
                      AdminModel::Flaw::names_are_for_admins, AdminModel::Flaw::transfers_need_no_taker,
                      AdminModel::Flaw::grants_outlive_their_repo));

}  // namespace
}  // namespace berth::api
