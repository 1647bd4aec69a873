// Accounts do at random what accounts can do, and after each step everybody's rights everywhere are compared with those
// of a model that shares no code with ours (tests/support/rights_model.h), those of every secret and token too. Nobody
// is asked whether he may: api/admin/escalation_random_test.cpp does that. Seeds: tests/support/random_walk.h.
#include "support/random_walk.h"
#include "support/rights_world.h"

namespace berth::auth {
namespace {

using test::kOrgs;
using test::kPatterns;
using test::kRepos;
using test::kRobots;
using test::kSubjects;
using test::kTeams;
using test::kUsers;
using test::kWide;
using test::Letters;
using test::letters_of;
using test::one_of;
using test::RightsModel;
using test::text_of;

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

using Step = test::WalkStep<Act>;

class World : public test::RightsWorld {
 public:
  explicit World(RightsModel::Flaw flaw) {
    model_.flaw = flaw;
    add_admin("root");
    model_.add_account("root", {.is_admin = true});
  }

  /// Does it, to us and, if we did not refuse, to the model. What was done, in words; empty if it was refused.
  std::string take(const Step& step) {
    const unsigned a = step.pick[0];
    const unsigned b = step.pick[1];
    const unsigned c = step.pick[2];
    const unsigned d = step.pick[3];
    switch (step.act) {
      case Act::create_user: return create_user(one_of(kUsers, a), b % 2 == 0);
      case Act::remove_user: return remove_user(one_of(kUsers, a));
      case Act::disable: return change_user(one_of(kUsers, a), std::nullopt, b % 2 == 0);
      case Act::promote: return change_user(one_of(kUsers, a), b % 3 == 0, std::nullopt);
      case Act::create_org: return create_org(one_of(kOrgs, a), one_of(kUsers, b));
      case Act::remove_org: return remove_org(one_of(kOrgs, a));
      case Act::put_member: return put_member(one_of(kOrgs, a), one_of(kUsers, b), static_cast<int>(1 + c % 4));
      case Act::remove_member: return remove_member(one_of(kOrgs, a), one_of(kUsers, b));
      case Act::create_team: return create_team(one_of(kTeams, a));
      case Act::remove_team: return remove_team(one_of(kTeams, a));
      case Act::join_team: return join_team(one_of(kTeams, a), one_of(kUsers, b));
      case Act::leave_team: return leave_team(one_of(kTeams, a), one_of(kUsers, b));
      case Act::create_robot: return create_robot(one_of(kRobots, a));
      case Act::remove_robot: return remove_robot(one_of(kRobots, a));
      case Act::put_grant: return put_grant(one_of(kSubjects, a), one_of(kPatterns, b), c % 32, d % 32 & ~(c % 32));
      case Act::remove_grant: return remove_grant(a);
      case Act::set_visibility: return set_visibility(one_of(kRepos, a), static_cast<int>(b % 3));
      case Act::make_secret: return make_secret(a, one_of(kWide, b), c % 32, d);
      case Act::revoke_secret: return revoke_secret(a);
      case Act::make_token: return make_token(a);
    }
    return "";
  }

  /// Empty, or where we and the model differ.
  std::string difference() {
    if (auto wrong = RightsWorld::difference(); !wrong.empty()) return wrong;
    for (const Token& token : issued_) {
      if (auto wrong = check_token(token); !wrong.empty()) return wrong;
    }
    return "";
  }

 private:
  struct Token {
    std::size_t secret;  // of secrets_
    std::string text;
  };

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
    const meta::GrantId id = grant_id(subject, pattern);
    expect_ok(change([&](sql::Connection& db) { return auth::remove_grant(db, ns, id); }));
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

  std::vector<Token> issued_;
};

/// A registry in use: without people, teams and robots most acts mean nothing.
const test::WalkSteps<Act> kBeginning = {
    {Act::create_user, {0}},       {Act::create_user, {1}},      {Act::create_user, {2}},
    {Act::create_user, {3}},       {Act::create_org, {0, 3}},    {Act::create_org, {1, 3}},
    {Act::put_member, {0, 0, 0}},  {Act::put_member, {0, 1, 1}}, {Act::put_member, {1, 2, 0}},
    {Act::create_team, {0}},       {Act::create_team, {1}},      {Act::create_team, {2}},
    {Act::join_team, {0, 0}},      {Act::join_team, {0, 1}},     {Act::join_team, {1, 1}},
    {Act::join_team, {2, 2}},      {Act::create_robot, {0}},     {Act::create_robot, {2}},
    {Act::set_visibility, {0, 1}},
};

/// Empty, or the difference with the way to it.
std::string run_seed(std::uint64_t seed, std::size_t count, RightsModel::Flaw flaw = RightsModel::Flaw::none) {
  constexpr unsigned kMoreGrants = 20;
  const auto act_of = [](std::uint64_t roll) {
    const auto number = static_cast<int>(roll % (kActs + kMoreGrants));
    return number < kActs ? static_cast<Act>(number) : Act::put_grant;
  };
  const std::string found =
      test::find_difference([&] { return World(flaw); }, test::draw_walk(seed, kBeginning, count, act_of));
  return found.empty() ? "" : "seed " + std::to_string(seed) + ":\n" + found;
}

void run_seeds(std::uint64_t first, std::uint64_t count, std::size_t steps) {
  for (const std::uint64_t seed : test::walk_seeds(first, count)) ASSERT_EQ(run_seed(seed, steps), "");
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
