// Accounts do at random what accounts can do, and after each step everybody's rights everywhere are compared with those
// of a model that shares no code with ours (tests/support/rights_model.h), those of every secret and token too. What
// fails is run again with fewer and fewer steps until each of them is needed.
// BERTH_RIGHTS_SEED=n runs one seed.
#include "base/base64.h"
#include "support/accounts_fixture.h"
#include "support/rights_model.h"

#include <array>
#include <cstdlib>

namespace berth::auth {
namespace {

using test::Letters;
using test::RightsModel;

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
  put_grant,
  remove_grant,
  set_visibility,
  make_secret,
  revoke_secret,
  make_token,
};
constexpr int kActs = 20;

/// Numbers choose among what there is, so that a step means something whatever was left out before it.
struct Step {
  Act act;
  std::array<unsigned, 4> pick;
};

template <std::size_t N>
std::string of(const std::array<std::string_view, N>& names, unsigned pick) {
  return std::string(names[pick % N]);
}
constexpr std::array<std::string_view, 4> kUsers = {"ann", "bob", "eve", "dan"};
constexpr std::array<std::string_view, 2> kOrgs = {"acme", "crew"};
constexpr std::array<std::string_view, 3> kTeams = {"acme/devs", "acme/ops", "crew/devs"};
constexpr std::array<std::string_view, 3> kRobots = {"acme+ci", "crew+ci", "ann+ci"};
constexpr std::array<std::string_view, 10> kSubjects = {"ann",    "bob",     "eve",       "dan",      "acme+ci",
                                                        "ann+ci", "crew+ci", "acme/devs", "acme/ops", "crew/devs"};
constexpr std::array<std::string_view, 8> kRepos = {"acme/web", "acme/web/x", "acme/wob", "acme/api/x",
                                                    "acme",     "crew/web",   "ann/app",  "bob/app"};
constexpr std::array<std::string_view, 14> kPatterns = {"acme/**",  "acme/*",      "acme/web", "acme/w*",  "acme/*b",
                                                        "acme/*/x", "acme/web/**", "acme",     "crew/**",  "crew/w*",
                                                        "ann/**",   "ann/app",     "bob/*",    "acme/*/**"};
constexpr std::array<std::string_view, 5> kWide = {"**", "*/web", "acme/**", "acme/w*", "*/*"};

Letters letters_of(unsigned bits) {
  Letters out;
  constexpr std::string_view kLetters = "rwoda";
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    if ((bits >> i & 1U) != 0) out.insert(kLetters[i]);
  }
  return out;
}
Letters letters_of(Rights rights) { return letters_of(static_cast<unsigned>(rights.bits())); }
std::string text_of(const Letters& letters) { return {letters.begin(), letters.end()}; }

class World : public test::AccountsFixture {
 public:
  explicit World(RightsModel::Flaw flaw) {
    model_.flaw = flaw;
    add_admin("root");
    model_.add_account("root", {.is_admin = true});
  }

  /// Does it, to us and, if we did not refuse, to the model. What was done, in words; empty if it was refused.
  std::string take(const Step& step) {
    const auto& [a, b, c, d] = step.pick;
    switch (step.act) {
      case Act::create_user: return create_user(of(kUsers, a), b % 2 == 0);
      case Act::remove_user: return remove_user(of(kUsers, a));
      case Act::disable: return change_user(of(kUsers, a), std::nullopt, b % 2 == 0);
      case Act::promote: return change_user(of(kUsers, a), b % 3 == 0, std::nullopt);
      case Act::create_org: return create_org(of(kOrgs, a), of(kUsers, b));
      case Act::remove_org: return remove_org(of(kOrgs, a));
      case Act::put_member: return put_member(of(kOrgs, a), of(kUsers, b), static_cast<int>(1 + c % 4));
      case Act::remove_member: return remove_member(of(kOrgs, a), of(kUsers, b));
      case Act::create_team: return create_team(of(kTeams, a));
      case Act::remove_team: return remove_team(of(kTeams, a));
      case Act::join_team: return join_team(of(kTeams, a), of(kUsers, b));
      case Act::leave_team: return leave_team(of(kTeams, a), of(kUsers, b));
      case Act::create_robot: return create_robot(of(kRobots, a));
      case Act::remove_robot: return remove_robot(of(kRobots, a));
      case Act::put_grant: return put_grant(of(kSubjects, a), of(kPatterns, b), c % 32, d % 32 & ~(c % 32));
      case Act::remove_grant: return remove_grant(a);
      case Act::set_visibility: return set_visibility(of(kRepos, a), static_cast<int>(b % 3));
      case Act::make_secret: return make_secret(a, of(kWide, b), c % 32, d);
      case Act::revoke_secret: return revoke_secret(a);
      case Act::make_token: return make_token(a);
    }
    return "";
  }

  /// Empty, or where we and the model differ.
  std::string difference() {
    std::vector<std::string> askers = {""};
    for (const auto& [name, account] : model_.accounts) {
      if (!account.is_disabled) askers.push_back(name);
    }
    for (const std::string& who : askers) {
      for (const std::string_view name : kRepos) {
        const std::string ours = text_of(letters_of(rights(who, name)));
        const std::string theirs = text_of(model_.rights(who, std::string(name)));
        if (ours != theirs) return "'" + who + "' on " + std::string(name) + ": " + ours + ", not " + theirs;
      }
    }
    for (const Secret& secret : secrets_) {
      if (auto wrong = check_secret(secret); !wrong.empty()) return wrong;
    }
    for (const Token& token : issued_) {
      if (auto wrong = check_token(token); !wrong.empty()) return wrong;
    }
    return "";
  }

 private:
  struct Secret {
    std::string name;
    int number = 0;  // of the account
    std::string text;
    meta::TokenId id = 0;
    bool is_narrow = false;
    std::string pattern;
    Letters letters;
    bool is_revoked = false;
  };
  struct Token {
    std::size_t secret;  // of secrets_
    std::string text;
  };

  void TestBody() override {}

  template <class F>
  bool does(F fn) {
    return change(std::move(fn)).has_value();
  }

  // ---- one function an act
  std::string create_user(const std::string& name, bool adopts) {
    if (!does([&](sql::Connection& db) { return auth::create_user(db, {.name = name}, adopts, stamp()); })) return "";
    model_.add_account(name, {});
    return "create user " + name;
  }
  std::string remove_user(const std::string& name) {
    if (!does([&](sql::Connection& db) { return auth::remove_user(db, name); })) return "";
    model_.remove_account(name);
    return "remove user " + name;
  }
  std::string change_user(const std::string& name, std::optional<bool> is_admin, std::optional<bool> is_disabled) {
    const UserChange wanted{.is_admin = is_admin, .is_disabled = is_disabled};
    if (!does([&](sql::Connection& db) { return auth::change_user(db, name, wanted); })) return "";
    auto& account = model_.accounts[name];
    if (is_admin) account.is_admin = *is_admin;
    if (is_disabled) account.is_disabled = *is_disabled;
    return name + (account.is_admin ? " is an administrator" : " is none") + (account.is_disabled ? ", disabled" : "");
  }
  std::string create_org(const std::string& name, const std::string& owner) {
    const auto user = principal(owner);
    if (!user || !does([&](sql::Connection& db) {
          return auth::create_org(db, {.name = name, .owner = user->id}, true, stamp());
        }))
      return "";
    model_.spaces[name].roles[owner] = 4;
    return "create org " + name + " of " + owner;
  }
  std::string remove_org(const std::string& name) {
    if (!does([&](sql::Connection& db) { return auth::remove_org(db, name); })) return "";
    model_.remove_org(name);
    return "remove org " + name;
  }
  std::string put_member(const std::string& org, const std::string& user, int role) {
    if (!does([&](sql::Connection& db) { return auth::put_member(db, org, user, static_cast<meta::Role>(role)); }))
      return "";
    model_.spaces[org].roles[user] = role;
    return user + " has role " + std::to_string(role) + " in " + org;
  }
  std::string remove_member(const std::string& org, const std::string& user) {
    if (!does([&](sql::Connection& db) { return auth::remove_member(db, org, user); })) return "";
    model_.leave(org, user);
    return user + " leaves " + org;
  }
  std::string create_team(const std::string& name) {
    if (!does([&](sql::Connection& db) { return auth::create_team(db, name, stamp()); })) return "";
    model_.teams[name] = {};
    return "create team " + name;
  }
  std::string remove_team(const std::string& name) {
    if (!does([&](sql::Connection& db) { return auth::remove_team(db, name); })) return "";
    model_.remove_team(name);
    return "remove team " + name;
  }
  std::string join_team(const std::string& name, const std::string& user) {
    if (!does([&](sql::Connection& db) { return auth::add_to_team(db, name, user); })) return "";
    model_.teams[name].insert(user);
    return user + " joins " + name;
  }
  std::string leave_team(const std::string& name, const std::string& user) {
    if (!does([&](sql::Connection& db) { return remove_from_team(db, name, user); })) return "";
    model_.teams[name].erase(user);
    return user + " leaves " + name;
  }
  std::string create_robot(const std::string& name) {
    if (!does([&](sql::Connection& db) { return auth::create_robot(db, {.name = name}, stamp()); })) return "";
    model_.add_account(name, {.is_robot = true, .space = name.substr(0, name.find('+'))});
    return "create robot " + name;
  }
  std::string remove_robot(const std::string& name) {
    if (!does([&](sql::Connection& db) { return auth::remove_robot(db, name); })) return "";
    model_.remove_account(name);
    return "remove robot " + name;
  }
  std::string put_grant(const std::string& to, const std::string& pattern, unsigned allow, unsigned deny) {
    const auto put = [&](sql::Connection& db) {
      return auth::put_grant(db, to, pattern, Rights::from_bits(allow), Rights::from_bits(deny), stamp());
    };
    if (!does(put)) return "";
    model_.grants[{to, pattern}] = {letters_of(allow), letters_of(deny)};
    return "grant " + to + " " + pattern + " +" + text_of(letters_of(allow)) + " -" + text_of(letters_of(deny));
  }
  std::string remove_grant(unsigned pick) {
    if (model_.grants.empty()) return "";
    const auto [subject, pattern] = std::next(model_.grants.begin(), pick % model_.grants.size())->first;
    const std::string ns = pattern.substr(0, pattern.find('/'));
    const auto take_away = [&](sql::Connection& db) -> Result<void> {
      BERTH_TRY(const auto space, meta::find_namespace(db, ns));
      BERTH_TRY(const auto rows, meta::list_grants(db, space->id, 0, 1000));
      for (const auto& row : rows) {
        if (row.principal_name == subject && row.pattern == pattern) return auth::remove_grant(db, ns, row.id);
      }
      return fail(Errc::internal, "the model knows a grant that is not there");
    };
    expect_ok(change(take_away));
    model_.grants.erase({subject, pattern});
    return "take from " + subject + " " + pattern;
  }
  std::string set_visibility(const std::string& name, int visibility) {
    add_repo(name, static_cast<meta::Visibility>(visibility));
    model_.repos[name] = visibility;
    model_.spaces[name.substr(0, name.find('/'))];
    return name + " is visible to " + std::to_string(visibility);
  }
  std::string make_secret(unsigned who, const std::string& pattern, unsigned bits, unsigned narrow) {
    const std::string name = std::next(model_.accounts.begin(), who % model_.accounts.size())->first;
    Secret made{.name = name, .number = model_.accounts[name].number, .is_narrow = narrow % 3 != 0, .pattern = pattern};
    made.letters = letters_of(bits);
    Narrowing narrowing;
    narrowing.is_narrow = made.is_narrow;
    if (made.is_narrow)
      narrowing.parts.push_back(
          {*RepoPattern::parse(pattern, RepoPattern::FirstComponent::any), Rights::from_bits(bits)});
    meta::TokenRow row;
    row.scope = print_narrowing(narrowing);
    const auto secret =
        add_secret(name, model_.accounts[name].is_robot ? meta::TokenKind::robot_secret : meta::TokenKind::access, row);
    made.text = secret.text;
    made.id = secret.id;
    secrets_.push_back(made);
    return "secret of " + name + (made.is_narrow ? " for " + pattern + " " + text_of(made.letters) : "");
  }
  std::string revoke_secret(unsigned pick) {
    if (secrets_.empty()) return "";
    Secret& secret = secrets_[pick % secrets_.size()];
    const auto row = must(look([&](sql::Connection& db) { return meta::find_token(db, secret.id); }));
    if (!row) return "";  // gone with its account
    const auto revoke = [&](sql::Connection& db) {
      return meta::revoke_token(db, row->principal, secret.id, clock_.now_ms());
    };
    if (!must(change(revoke))) return "";
    secret.is_revoked = true;
    return "revoke a secret of " + secret.name;
  }
  std::string make_token(unsigned pick) {
    if (secrets_.empty()) return "";
    const std::size_t index = pick % secrets_.size();
    const auto identity = sign_in(secrets_[index].name, secrets_[index].text);
    if (!identity) return "";
    std::vector<Scope> wanted;
    for (const std::string_view name : kRepos)
      wanted.push_back({Scope::Type::repository, std::string(name), Actions::all()});
    issued_.push_back({index, must(tokens_.issue(**identity, wanted)).text});
    return "token by a secret of " + secrets_[index].name;
  }

  // ---- what credentials are worth
  bool is_alive(const Secret& secret) const {
    const auto account = model_.accounts.find(secret.name);
    return !secret.is_revoked && account != model_.accounts.end() && account->second.number == secret.number &&
           !account->second.is_disabled;
  }
  Letters worth(const Secret& secret, const std::string& repo) const {
    const Letters whole = model_.rights(secret.name, repo);
    if (!secret.is_narrow) return whole;
    return test::fits(secret.pattern, repo) ? test::both(whole, secret.letters) : Letters();
  }
  Letters left(const Identity& identity, std::string_view name) {
    const auto ruling = must(directory_.ruling(identity.subject, repo(name)));
    return letters_of(identity.narrowing.apply(ruling->rights, name));
  }
  std::string check_secret(const Secret& secret) {
    const auto identity = sign_in(secret.name, secret.text);
    if (identity.has_value() != is_alive(secret)) return "a secret of " + secret.name + " is " + outcome_of(identity);
    if (!identity) return "";
    for (const std::string_view name : kRepos) {
      const Letters ours = left(**identity, name);
      const Letters theirs = worth(secret, std::string(name));
      if (ours != theirs)
        return "a secret of " + secret.name + " on " + std::string(name) + ": " + text_of(ours) + ", not " +
               text_of(theirs);
    }
    return "";
  }
  /// Never more than its secret is worth now, whatever it was when the token was made (A16).
  std::string check_token(const Token& token) {
    const Secret& secret = secrets_[token.secret];
    const auto identity = authenticate("Bearer " + token.text);
    if (identity.has_value() != is_alive(secret)) return "a token of " + secret.name + " is " + outcome_of(identity);
    if (!identity) return "";
    for (const std::string_view name : kRepos) {
      const Letters now = left(**identity, name);
      const Actions actions = (*identity)->actions_on(name);
      const struct {
        Actions::Bit action;
        char letter;
      } kinds[] = {{Actions::pull, 'r'}, {Actions::push, 'w'}, {Actions::remove, 'd'}};
      for (const auto& kind : kinds) {
        const bool allowed = actions.has(kind.action) && now.contains(kind.letter);
        if (allowed && !worth(secret, std::string(name)).contains(kind.letter))
          return "a token of " + secret.name + " on " + std::string(name) + " is worth more than its secret";
      }
    }
    return "";
  }
  static std::string outcome_of(const Result<IdentityPtr>& found) { return found ? "good" : "refused"; }

  RightsModel model_;
  std::vector<Secret> secrets_;
  std::vector<Token> issued_;
};

/// A registry in use: without people, teams and robots most acts mean nothing.
const std::vector<Step> kBeginning = {
    {Act::create_user, {0}},       {Act::create_user, {1}},      {Act::create_user, {2}},
    {Act::create_user, {3}},       {Act::create_org, {0, 3}},    {Act::create_org, {1, 3}},
    {Act::put_member, {0, 0, 0}},  {Act::put_member, {0, 1, 1}}, {Act::put_member, {1, 2, 0}},
    {Act::create_team, {0}},       {Act::create_team, {1}},      {Act::create_team, {2}},
    {Act::join_team, {0, 0}},      {Act::join_team, {0, 1}},     {Act::join_team, {1, 1}},
    {Act::join_team, {2, 2}},      {Act::create_robot, {0}},     {Act::create_robot, {2}},
    {Act::set_visibility, {0, 1}},
};

std::vector<Step> draw(std::uint64_t seed, std::size_t count) {
  constexpr unsigned kMoreGrants = 20;
  SeededRandom random(seed);
  std::vector<Step> out = kBeginning;
  while (out.size() < kBeginning.size() + count) {
    const auto roll = static_cast<int>(random.u64() % (kActs + kMoreGrants));
    Step step{roll < kActs ? static_cast<Act>(roll) : Act::put_grant, {}};
    for (unsigned& pick : step.pick) pick = static_cast<unsigned>(random.u64() >> 40);
    out.push_back(step);
  }
  return out;
}

struct Outcome {
  std::string difference;
  std::size_t steps = 0;  // until it showed
  std::string trace;
};
Outcome run(const std::vector<Step>& steps, RightsModel::Flaw flaw) {
  World world(flaw);
  Outcome out;
  for (const Step& step : steps) {
    ++out.steps;
    const std::string done = world.take(step);
    if (done.empty()) continue;
    out.trace += "  " + done + "\n";
    out.difference = world.difference();
    if (!out.difference.empty()) return out;
  }
  return out;
}

/// Empty, or the difference with the shortest way to it that leaving out single steps finds.
std::string run_seed(std::uint64_t seed, std::size_t count, RightsModel::Flaw flaw = RightsModel::Flaw::none) {
  auto steps = draw(seed, count);
  Outcome found = run(steps, flaw);
  if (found.difference.empty()) return "";
  steps.resize(found.steps);
  for (std::size_t i = steps.size(); i-- > 0;) {
    auto fewer = steps;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    Outcome again = run(fewer, flaw);
    if (again.difference.empty()) continue;
    steps = std::move(fewer);
    steps.resize(std::min(steps.size(), again.steps));
    i = std::min(i, steps.size());
    found = std::move(again);
  }
  return "seed " + std::to_string(seed) + ":\n" + found.trace + found.difference;
}

void run_seeds(std::uint64_t first, std::uint64_t count, std::size_t steps) {
  const char* one = std::getenv("BERTH_RIGHTS_SEED");
  if (one != nullptr) {
    EXPECT_EQ(run_seed(std::stoull(one), steps), "");
    return;
  }
  for (std::uint64_t seed = first; seed < first + count; ++seed) ASSERT_EQ(run_seed(seed, steps), "");
}

TEST(RandomRights, AreThoseOfTheModel) { run_seeds(1, 8, 60); }
TEST(RandomRightsSlow, AreThoseOfTheModel) { run_seeds(1000, 400, 150); }

// A comparison that finds no flaw would find no bug.
class RandomRightsFind : public ::testing::TestWithParam<RightsModel::Flaw> {};
TEST_P(RandomRightsFind, AModelWithAFlawAndTheFewStepsThatShowIt) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const std::string found = run_seed(seed, 80, GetParam());
    if (found.empty()) continue;
    EXPECT_LE(std::ranges::count(found, '\n'), 12) << found;
    return;
  }
  FAIL() << "not found";
}
INSTANTIATE_TEST_SUITE_P(Flaws, RandomRightsFind,
                         ::testing::Values(RightsModel::Flaw::allow_beats_deny, RightsModel::Flaw::wide_beats_narrow,
                                           RightsModel::Flaw::teams_forgotten, RightsModel::Flaw::grants_outlive_owners,
                                           RightsModel::Flaw::robots_are_people));

}  // namespace
}  // namespace berth::auth
