// No sequence of calls gives anybody more than he was given: random callers, by passwords and by secrets, narrow ones
// too, by browsers' sessions and as jobs, send random calls to the administration API. After each step the answer,
// everybody's rights everywhere and who can sign in are compared with what a model that shares no code with ours says
// of the same call (tests/support/admin_model.h, admin_walk.h). Seeds: tests/support/random_walk.h.
#include "support/admin_walk.h"

namespace berth::api {
namespace {

using test::AdminModel;
using World = test::AdminWalk;
using Act = test::AdminAct;
using Step = test::AdminStep;

// Of choose_caller:
constexpr unsigned kRoot = 1;
constexpr unsigned kDan = 40;

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
    {Act::push, {8}},
    {Act::put_grant, {1, 2, 8, 1, 1, kRoot}},  // on acme/web bob deletes and does not read
    {Act::create_robot, {0, 0, 0, 3, 0, kRoot}},
    {Act::create_robot, {2, 4, 11, 31, 0, kRoot}},
    {Act::create_robot, {1, 3, 0, 0, 0, kRoot}},
    {Act::put_grant, {2, 0, 17, 0, 1, kRoot}},  // on acme/** eve reads and administers
    {Act::create_rule, {0, 0, 0, 1, 0, kRoot}},
    {Act::create_rule, {1, 0, 2, 1, 0, kRoot}},
    {Act::create_invitation, {0, 0, 0, 0, 0, kRoot}},
    {Act::promote, {3, 0, 0, 0, 0, kRoot}},
    {Act::create_invitation, {0, 0, 0, 0, 0, kDan}},
};

test::WalkSteps<Act> draw(std::uint64_t seed, std::size_t count) {
  constexpr std::array kOften = {Act::put_member,       Act::put_member,   Act::put_grant,    Act::put_grant,
                                 Act::put_grant,        Act::create_robot, Act::make_token,   Act::make_token,
                                 Act::make_short_lived, Act::push,         Act::rename_repo,  Act::rename_repo,
                                 Act::create_rule,      Act::open_browser, Act::docker_login, Act::create_invitation,
                                 Act::sign_up,          Act::sign_up,      Act::promote,      Act::rotate_self};
  const auto act_of = [&](std::uint64_t roll) {
    const std::size_t number = roll % (test::kActs + kOften.size());
    return number < test::kActs ? static_cast<Act>(number) : kOften[number - test::kActs];
  };
  return test::draw_walk(seed, kBeginning, count, act_of);
}

void run_seeds(std::uint64_t first, std::uint64_t count, std::size_t steps) {
  const auto make = [] { return World(AdminModel::Flaw::none); };
  for (const std::uint64_t seed : test::walk_seeds(first, count))
    ASSERT_EQ(test::find_difference(make, draw(seed, steps)), "") << "seed " << seed;
}

TEST(RandomCalls, GiveNobodyMoreThanHeWasGiven) { run_seeds(1, 8, 160); }  // S10, S13, A16
TEST(RandomCallsSlow, GiveNobodyMoreThanHeWasGiven) { run_seeds(1000, 300, 200); }

// Calls that are all refused would give nobody anything.
TEST(RandomCalls, AreAnsweredInEveryWay) {
  std::map<Act, std::set<int>> answers;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    World world(AdminModel::Flaw::none);
    for (const Step& step : draw(seed, 160)) world.take(step);
    for (const auto& [act, statuses] : world.answers()) answers[act].insert(statuses.begin(), statuses.end());
  }
  for (std::size_t i = 0; i < test::kActs; ++i) {
    const auto act = static_cast<Act>(i);
    if (!test::is_call(act)) continue;
    const std::set<int>& met = answers[act];
    EXPECT_TRUE(std::ranges::any_of(met, [](int status) { return status < 300; })) << i << " never succeeds";
    EXPECT_TRUE(met.contains(401) || test::is_for_all(act)) << i << " is never asked by nobody";
    EXPECT_TRUE(met.contains(403) || met.contains(404)) << i << " is never refused";
  }
}

// A comparison that finds no flaw would find no bug.
class RandomCallsFind : public ::testing::TestWithParam<AdminModel::Flaw> {};
TEST_P(RandomCallsFind, AModelWithAFlaw) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto steps = draw(seed, 160);
    if (test::walk(World(GetParam()), steps).difference.empty()) continue;
    EXPECT_EQ(test::walk(World(AdminModel::Flaw::none), steps).difference, "") << "nor is it the flaw that was found";
    return;
  }
  FAIL() << "not found";
}
INSTANTIATE_TEST_SUITE_P(
    Flaws, RandomCallsFind,
    ::testing::Values(AdminModel::Flaw::grants_are_offices, AdminModel::Flaw::admins_make_owners,
                      AdminModel::Flaw::narrow_secrets_rule, AdminModel::Flaw::robots_go_where_they_like,
                      AdminModel::Flaw::patterns_are_not_compared, AdminModel::Flaw::children_are_wider,
                      AdminModel::Flaw::scopes_are_everywhere, AdminModel::Flaw::scopes_make_administrators,
                      AdminModel::Flaw::scopes_take_over, AdminModel::Flaw::the_last_owner_may_go,
                      AdminModel::Flaw::grants_stay_behind, AdminModel::Flaw::names_are_for_admins,
                      AdminModel::Flaw::transfers_need_no_taker, AdminModel::Flaw::grants_outlive_their_repo,
                      AdminModel::Flaw::rules_name_any_robot, AdminModel::Flaw::rules_go_by_number,
                      AdminModel::Flaw::disabled_rules_count, AdminModel::Flaw::strangers_catch_jobs,
                      AdminModel::Flaw::jobs_rotate_robots, AdminModel::Flaw::secrets_outlive_their_rule,
                      AdminModel::Flaw::secrets_outlive_their_maker, AdminModel::Flaw::invitations_outlive_their_maker,
                      AdminModel::Flaw::invitations_are_good_twice, AdminModel::Flaw::newcomers_take_what_is_there,
                      AdminModel::Flaw::sessions_go_by_number, AdminModel::Flaw::sessions_do_not_end));

}  // namespace
}  // namespace berth::api
