#include "auth/accounts.h"

#include "base/base64.h"
#include "support/accounts_fixture.h"

#include <set>

namespace berth::auth {
namespace {

using meta::Role;
using meta::TokenKind;
using test::outcome;

/// Of what is well-formed and allowed, and cannot be done as things are.
constexpr std::string_view kInTheWay = "state_conflict";

// ---- users

class Accounts : public test::AccountsFixture {
 protected:
  std::string create_user(std::string_view name, bool adopts = false) {
    const NewUser user{.name = std::string(name)};
    return outcome(change([&](sql::Connection& db) { return auth::create_user(db, user, adopts, stamp()); }));
  }
  std::string create_org(std::string_view name, bool adopts = false) {
    return outcome(change([&](sql::Connection& db) {
      return auth::create_org(db, {.name = std::string(name), .owner = ann_}, adopts, stamp());
    }));
  }
  std::string create_robot(std::string_view name, std::string_view ns = "") {
    const NewRobot robot{.name = std::string(name), .ns = std::string(ns)};
    return outcome(change([&](sql::Connection& db) { return auth::create_robot(db, robot, stamp()); }));
  }
  std::string change_user(std::string_view name, const UserChange& wanted) {
    return outcome(change([&](sql::Connection& db) { return auth::change_user(db, name, wanted); }));
  }
  std::string remove_user(std::string_view name) {
    return outcome(change([&](sql::Connection& db) { return auth::remove_user(db, name); }));
  }
  std::string remove_org(std::string_view name) {
    return outcome(change([&](sql::Connection& db) { return auth::remove_org(db, name); }));
  }
  std::string put_member(std::string_view org, std::string_view user, Role role) {
    return outcome(change([&](sql::Connection& db) { return auth::put_member(db, org, user, role); }));
  }
  std::string remove_member(std::string_view org, std::string_view user) {
    return outcome(change([&](sql::Connection& db) { return auth::remove_member(db, org, user); }));
  }
  std::string put_grant(std::string_view to, std::string_view pattern, Rights allow, Rights deny = {}) {
    return outcome(change([&](sql::Connection& db) { return auth::put_grant(db, to, pattern, allow, deny, stamp()); }));
  }
  std::string rotate(std::string_view robot, std::int64_t overlap_ms) {
    const auto hash = secret_hash(robot.data() + std::to_string(++secrets_));
    return outcome(change(
        [&](sql::Connection& db) { return add_robot_secret(db, robot, hash, clock_.now_ms() + overlap_ms, stamp()); }));
  }
  std::string change_robot(std::string_view name, const RobotChange& wanted) {
    return outcome(change([&](sql::Connection& db) { return auth::change_robot(db, name, wanted); }));
  }
  std::int64_t live_secrets() {
    return probe_.number(
        "SELECT count(*) FROM token WHERE kind = 4 AND revoked_at IS NULL AND (expires_at IS NULL OR "
        "expires_at > " +
        std::to_string(clock_.now_ms()) + ")");
  }

  meta::PrincipalId ann_ = add_user("ann");
  int secrets_ = 0;
};

TEST_F(Accounts, AUserOwnsTheNamespaceOfHisName) {
  add_repo("ann/app");
  add_user("bob");
  EXPECT_EQ(rights("ann", "ann/app"), Rights::all());
  EXPECT_EQ(rights("ann", "ann/new"), Rights::all());
  EXPECT_EQ(rights("ann", "anna/app"), Rights()) << "S9";
  EXPECT_EQ(rights("bob", "ann/app"), Rights());
}

TEST_F(Accounts, ANameIsTakenOnce) {
  add_org("acme", "ann");
  EXPECT_EQ(create_robot("build-bot", "acme"), "ok");
  for (const std::string_view name : {"ann", "acme", "build-bot"}) {
    EXPECT_EQ(create_user(name), "already_exists") << name;
    EXPECT_EQ(create_org(name), "already_exists") << name;
    EXPECT_EQ(create_robot(name, "acme"), "already_exists") << name;
  }
  EXPECT_EQ(probe_.number("SELECT count(*) FROM principal"), 2) << "what was refused left nothing";
  EXPECT_EQ(create_user("library"), "account_invalid");
  EXPECT_EQ(create_org("Acme2"), "account_invalid");
}

TEST_F(Accounts, RepositoriesOfNobodyAreTakenOverOnlyOnPurpose) {
  add_repo("bob/app");
  add_repo("crew/app");
  EXPECT_EQ(create_user("bob"), "already_exists") << "a stranger does not come by them with a name";
  EXPECT_EQ(create_org("crew"), "already_exists");
  EXPECT_EQ(create_user("bob", true), "ok");
  EXPECT_EQ(create_org("crew", true), "ok");
  EXPECT_EQ(rights("bob", "bob/app"), Rights::all());
  EXPECT_EQ(rights("ann", "crew/app"), Rights::all());
  EXPECT_EQ(probe_.number("SELECT count(*) FROM ns WHERE name IN ('bob', 'crew')"), 2);
}

TEST_F(Accounts, ANamespaceWithAnOwnerIsNeverTakenOver) {
  add_org("acme", "ann");
  EXPECT_EQ(create_user("acme", true), "already_exists");
  EXPECT_EQ(create_org("ann", true), "already_exists");
}

TEST_F(Accounts, ANewPasswordEndsWhatTheOldOneOpened) {
  for (const TokenKind kind : {TokenKind::access, TokenKind::refresh, TokenKind::web_session, TokenKind::short_lived})
    add_secret("ann", kind);
  add_user("bob");
  add_secret("bob", TokenKind::refresh);
  expect_ok(change([&](sql::Connection& db) { return set_password(db, "ann", "other", stamp()); }));
  EXPECT_EQ(principal("ann")->password_hash, "other");
  EXPECT_THAT(probe_.rows("SELECT principal_id, kind FROM token WHERE revoked_at IS NULL ORDER BY id"),
              ::testing::ElementsAre(std::to_string(ann_) + "|1", std::to_string(principal("bob")->id) + "|2"));
}

TEST_F(Accounts, AChangeThatCannotBeLeavesWhatWas) {
  UserChange wanted;
  wanted.email = "ann@example.com";
  EXPECT_EQ(change_user("ann", wanted), "ok");
  wanted.email = "no address";
  EXPECT_EQ(change_user("ann", wanted), "account_invalid");
  EXPECT_EQ(principal("ann")->email, "ann@example.com");
  EXPECT_EQ(change_user("nobody", {}), "account_unknown");
}

TEST_F(Accounts, TheLastAdministratorStays) {
  add_admin("root");
  UserChange demote;
  demote.is_admin = false;
  UserChange disable;
  disable.is_disabled = true;
  EXPECT_EQ(change_user("root", demote), kInTheWay);
  EXPECT_EQ(change_user("root", disable), kInTheWay);
  EXPECT_EQ(remove_user("root"), kInTheWay);
  UserChange rename;
  rename.display_name = "Root";
  EXPECT_EQ(change_user("root", rename), "ok") << "anything else of his may change";
  add_admin("spare");
  EXPECT_EQ(change_user("root", disable), "ok");
  EXPECT_EQ(change_user("spare", demote), kInTheWay) << "one who is disabled helps nobody";
  EXPECT_EQ(remove_user("root"), "ok") << "and may go";
}

// What is left in a namespace of nobody's would be open to whomever server.anonymous lets in.
TEST_F(Accounts, AUserWithRepositoriesStaysAsAnOrganizationDoes) {
  add_repo("ann/app", meta::Visibility::closed);
  EXPECT_EQ(remove_user("ann"), "state_conflict");
  EXPECT_TRUE(principal("ann"));
}

TEST_F(Accounts, WhatAUserLeaves) {
  add_user("bob");
  add_org("acme", "bob");
  add_member("acme", "ann", Role::writer);
  add_team("acme/devs");
  add_to_team("acme/devs", "ann");
  grant("ann", "acme/**", Right::read);
  grant("bob", "ann/**", Rights::all());
  add_secret("ann", TokenKind::access);
  EXPECT_EQ(create_robot("ann+ci"), "ok");
  add_secret("ann+ci", TokenKind::robot_secret);
  grant("ann+ci", "ann/**", Right::read);

  EXPECT_EQ(remove_user("ann"), "ok");
  EXPECT_EQ(probe_.number("SELECT count(*) FROM ns WHERE name = 'ann' AND kind = 0 AND owner_id IS NULL"), 1);
  for (const char* table : {"token", "grant_", "team_member"})
    EXPECT_EQ(probe_.number(std::string("SELECT count(*) FROM ") + table), 0) << table;
  EXPECT_EQ(probe_.number("SELECT count(*) FROM org_member"), 1);
  EXPECT_FALSE(principal("ann+ci")) << "its robots are nobody's now";
}

// S11: who comes to own a namespace finds no rights in it that somebody before him gave.
TEST_F(Accounts, GrantsEndWithTheOwnerOfTheNamespace) {
  add_user("mallory");
  add_user("friend");
  add_org("acme", "mallory");
  grant("friend", "acme/**", Rights::all());
  grant("friend", "mallory/**", Rights::all());
  EXPECT_EQ(remove_org("acme"), "ok");
  EXPECT_EQ(remove_user("mallory"), "ok");
  EXPECT_EQ(create_org("acme"), "ok");
  EXPECT_EQ(create_user("mallory"), "ok");
  EXPECT_EQ(rights("friend", "acme/app"), Rights());
  EXPECT_EQ(rights("friend", "mallory/app"), Rights());
}

// What was recorded of somebody must not become another's, and a token of his must not open the next one's account.
TEST_F(Accounts, NoNumberIsGivenOutTwice) {
  const auto before = add_user("bob");
  const auto secret = add_secret("bob", TokenKind::access);
  EXPECT_EQ(remove_user("bob"), "ok");
  EXPECT_GT(add_user("bob"), before);
  EXPECT_GT(add_secret("bob", TokenKind::access).id, secret.id);
}

// ---- organisations

TEST_F(Accounts, AnOrganisationKeepsAnOwner) {
  add_user("bob");
  add_org("acme", "ann");
  EXPECT_EQ(put_member("acme", "ann", Role::admin), kInTheWay);
  EXPECT_EQ(remove_member("acme", "ann"), kInTheWay);
  EXPECT_EQ(remove_user("ann"), kInTheWay);
  EXPECT_EQ(put_member("acme", "bob", Role::owner), "ok");
  EXPECT_EQ(put_member("acme", "ann", Role::reader), "ok");
  EXPECT_EQ(remove_member("acme", "bob"), kInTheWay) << "he is the last one now";
  EXPECT_EQ(remove_user("ann"), "ok");
}

TEST_F(Accounts, AnOwnerWhoIsDisabledIsNotTheLastOne) {
  add_user("bob");
  add_org("acme", "ann");
  add_member("acme", "bob", Role::owner);
  set_disabled("bob", true);
  EXPECT_EQ(remove_member("acme", "ann"), kInTheWay) << "only bob would be left, who cannot sign in";
  EXPECT_EQ(put_member("acme", "bob", Role::reader), "ok") << "ann still owns it";
  EXPECT_EQ(put_member("acme", "bob", Role::owner), "ok");
  EXPECT_EQ(remove_user("bob"), "ok");
}

TEST_F(Accounts, AnOrganisationWithRepositoriesIsNotRemoved) {
  add_org("acme", "ann");
  add_repo("acme/app");
  EXPECT_EQ(remove_org("acme"), kInTheWay);
  EXPECT_EQ(remove_org("ann"), "account_unknown") << "a user's namespace is none";
  EXPECT_EQ(remove_org("other"), "account_unknown");
}

TEST_F(Accounts, AnOrganisationTakesItsTeamsRobotsAndMembersAlong) {
  add_org("acme", "ann");
  add_team("acme/devs");
  add_to_team("acme/devs", "ann");
  EXPECT_EQ(create_robot("acme+ci"), "ok");
  EXPECT_EQ(create_robot("build-bot", "acme"), "ok");
  add_secret("build-bot", TokenKind::robot_secret);
  EXPECT_EQ(remove_org("acme"), "ok");
  EXPECT_THAT(probe_.rows("SELECT name FROM principal"), ::testing::ElementsAre("ann"));
  for (const char* table : {"token", "org_member", "team_member"})
    EXPECT_EQ(probe_.number(std::string("SELECT count(*) FROM ") + table), 0) << table;
}

TEST_F(Accounts, RolesAreForUsers) {
  add_org("acme", "ann");
  EXPECT_EQ(create_robot("acme+ci"), "ok");
  EXPECT_EQ(put_member("acme", "acme+ci", Role::owner), "account_unknown");
  EXPECT_EQ(put_member("acme", "nobody", Role::reader), "account_unknown");
  EXPECT_EQ(put_member("ann", "ann", Role::reader), "account_unknown") << "no organisation";
  EXPECT_EQ(remove_member("acme", "nobody"), "account_unknown");
}

// ---- teams

TEST_F(Accounts, TeamsHaveMembersOfTheirOrganisationOnly) {
  add_user("bob");
  add_org("acme", "ann");
  add_org("other", "bob");
  add_team("acme/devs");
  grant("acme/devs", "acme/**", Right::read | Right::write);
  const auto add = [&](std::string_view user) {
    return outcome(change([&](sql::Connection& db) { return auth::add_to_team(db, "acme/devs", user); }));
  };
  EXPECT_EQ(add("bob"), kInTheWay);
  EXPECT_EQ(add("nobody"), "account_unknown");
  add_member("acme", "bob", Role::reader);
  EXPECT_EQ(add("bob"), "ok");
  EXPECT_EQ(add("bob"), "ok") << "again";
  EXPECT_EQ(rights("bob", "acme/app"), Right::read | Right::write);
  EXPECT_EQ(remove_member("acme", "bob"), "ok");
  EXPECT_EQ(rights("bob", "acme/app"), Rights()) << "S11: who leaves the organisation leaves its teams";
  add_member("acme", "bob", Role::reader);
  EXPECT_EQ(rights("bob", "acme/app"), Rights(Right::read)) << "and is not in them when he comes back";
}

TEST_F(Accounts, TeamsEndWithTheirGrants) {
  add_user("bob");
  add_org("acme", "ann");
  add_member("acme", "bob", Role::reader);
  add_team("acme/devs");
  add_to_team("acme/devs", "bob");
  grant("acme/devs", "acme/**", Right::remove);
  EXPECT_EQ(rights("bob", "acme/app"), Right::read | Right::remove);
  const auto leave = [&] {
    return outcome(change([&](sql::Connection& db) { return remove_from_team(db, "acme/devs", "bob"); }));
  };
  EXPECT_EQ(leave(), "ok");
  EXPECT_EQ(leave(), "account_unknown");
  add_to_team("acme/devs", "bob");
  expect_ok(change([&](sql::Connection& db) { return remove_team(db, "acme/devs"); }));
  EXPECT_EQ(rights("bob", "acme/app"), Rights(Right::read));
  EXPECT_EQ(probe_.number("SELECT count(*) FROM grant_"), 0);
}

TEST_F(Accounts, NamesOfTeams) {
  add_org("acme", "ann");
  const auto create = [&](std::string_view name) {
    return outcome(change([&](sql::Connection& db) { return create_team(db, name, stamp()); }));
  };
  EXPECT_EQ(create("acme/devs"), "ok");
  EXPECT_EQ(create("acme/devs"), "already_exists");
  EXPECT_EQ(create("devs"), "account_invalid");
  EXPECT_EQ(create("acme/a/b"), "account_invalid");
  EXPECT_EQ(create("acme/"), "account_invalid");
  EXPECT_EQ(create("acme/Devs"), "account_invalid");
  EXPECT_EQ(create("ann/devs"), "account_unknown") << "users have none";
  EXPECT_EQ(create("other/devs"), "account_unknown");
}

// ---- robots

TEST_F(Accounts, ARobotBelongsToANamespaceThatSomebodyOwns) {
  add_repo("loose/app");
  EXPECT_EQ(create_robot("ann+ci"), "ok");
  EXPECT_EQ(create_robot("ann+cd", "ann"), "ok");
  EXPECT_EQ(create_robot("ann+ce", "other"), "account_invalid") << "its name says otherwise";
  EXPECT_EQ(create_robot("build-bot"), "account_unknown") << "a plain name belongs nowhere by itself";
  EXPECT_EQ(create_robot("loose+ci"), "account_unknown");
  EXPECT_EQ(create_robot("none+ci"), "account_unknown");
  EXPECT_EQ(create_robot("loose", "ann"), "already_exists") << "it would pass for the namespace's owner";
  EXPECT_EQ(rights("ann+ci", "ann/app"), Rights()) << "belonging gives no right";
}

TEST_F(Accounts, ARobotHasTwoLiveSecretsAtMost) {
  EXPECT_EQ(create_robot("ann+ci"), "ok");
  EXPECT_EQ(rotate("ann+ci", kDayMs), "ok");
  EXPECT_EQ(rotate("ann+ci", kDayMs), "ok");
  EXPECT_EQ(live_secrets(), 2);
  EXPECT_EQ(rotate("ann+ci", kDayMs), kInTheWay);
  EXPECT_EQ(live_secrets(), 2) << "what was refused shortened nothing";
  clock_.advance_ms(kDayMs);
  EXPECT_EQ(live_secrets(), 1) << "the older one is over";
  EXPECT_EQ(rotate("ann+ci", kDayMs), "ok");
  EXPECT_EQ(live_secrets(), 2);
  EXPECT_EQ(rotate("ann+ci", 0), "ok") << "without overlap both end at once";
  EXPECT_EQ(live_secrets(), 1);
  EXPECT_EQ(rotate("ann", 0), "account_unknown") << "users have passwords";
}

TEST_F(Accounts, AnOverlapShortensALifeAndNeverLengthensIt) {
  EXPECT_EQ(create_robot("ann+ci"), "ok");
  EXPECT_EQ(rotate("ann+ci", 0), "ok");
  EXPECT_EQ(rotate("ann+ci", kMinuteMs), "ok");
  const auto ends = [&] { return probe_.number("SELECT min(expires_at) FROM token"); };
  EXPECT_EQ(ends(), clock_.now_ms() + kMinuteMs);
  EXPECT_EQ(rotate("ann+ci", -1), "ok");
  EXPECT_EQ(ends(), clock_.now_ms() + kMinuteMs);
  EXPECT_EQ(live_secrets(), 1);
  EXPECT_EQ(probe_.number("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL"), 2) << "without overlap";
}

TEST_F(Accounts, AThousandRotationsLaterItStillHasTwoAtMost) {
  EXPECT_EQ(create_robot("ann+ci"), "ok");
  const auto robot = principal("ann+ci")->id;
  expect_ok(change([&](sql::Connection& db) -> Result<void> {
    meta::TokenRow row;
    row.principal = robot;
    row.kind = TokenKind::robot_secret;
    row.expires_at_ms = clock_.now_ms() - 1;
    for (int i = 0; i < 1200; ++i)
      BERTH_TRYV(meta::insert_token(db, row, secret_hash("old " + std::to_string(i)), stamp()));
    return {};
  }));
  EXPECT_EQ(rotate("ann+ci", kDayMs), "ok");
  EXPECT_EQ(rotate("ann+ci", kDayMs), "ok");
  EXPECT_EQ(rotate("ann+ci", kDayMs), kInTheWay);
  EXPECT_EQ(rotate("ann+ci", 0), "ok");
  EXPECT_EQ(live_secrets(), 1);
}

TEST_F(Accounts, ASecretEndsWithItsRobot) {
  add_robot("ann+ci", clock_.now_ms() + kDayMs);
  const std::string secret = make_secret(SecretKind::robot, random_);
  expect_ok(change([&](sql::Connection& db) {
    return add_robot_secret(db, "ann+ci", secret_hash(secret), clock_.now_ms(), stamp());
  }));
  EXPECT_EQ(who(sign_in("ann+ci", secret)), "ann+ci");
  clock_.advance_ms(kDayMs);
  EXPECT_EQ(who(sign_in("ann+ci", secret)), "unauthorized");
  EXPECT_EQ(change_robot("ann+ci", {.end = RobotChange::End{clock_.now_ms() + kDayMs}}), "ok");
  EXPECT_EQ(who(sign_in("ann+ci", secret)), "ann+ci") << "nobody has to be handed a new one";
  clock_.advance_ms(kDayMs);
  EXPECT_EQ(who(sign_in("ann+ci", secret)), "unauthorized");
  EXPECT_EQ(change_robot("ann+ci", {.end = RobotChange::End{}}), "ok");
  clock_.advance_ms(10'000 * kDayMs);
  EXPECT_EQ(who(sign_in("ann+ci", secret)), "ann+ci") << "never";
  expect_ok(change([&](sql::Connection& db) { return remove_robot(db, "ann+ci"); }));
  EXPECT_EQ(probe_.number("SELECT count(*) FROM token"), 0);
  EXPECT_EQ(outcome(change([&](sql::Connection& db) { return remove_robot(db, "ann"); })), "account_unknown");
}

TEST_F(Accounts, ALongerLifeOfTheRobotIsNoneForASecretThatWasRotatedOut) {
  add_robot("ann+ci", clock_.now_ms() + kMinuteMs);
  EXPECT_EQ(rotate("ann+ci", 0), "ok");
  EXPECT_EQ(rotate("ann+ci", kDayMs), "ok") << "the one before would go on for longer than the robot";
  EXPECT_EQ(change_robot("ann+ci", {.end = RobotChange::End{clock_.now_ms() + 90 * kDayMs}}), "ok");
  EXPECT_EQ(live_secrets(), 2);
  clock_.advance_ms(kDayMs);
  EXPECT_EQ(live_secrets(), 1);
}

TEST_F(Accounts, ARobotThatIsDisabledOrOverIsRefusedAtOnceWhateverItHolds) {  // A16
  add_robot("ann+ci");
  const std::string secret = add_secret("ann+ci", TokenKind::robot_secret).text;
  const std::string brief = add_secret("ann+ci", TokenKind::short_lived).text;
  const std::string refresh = add_secret("ann+ci", TokenKind::refresh).text;
  const auto issued = must(tokens_.issue(*must(sign_in("ann+ci", secret)), {})).text;
  const auto outcomes = [&] {
    std::set<std::string> out = {who(sign_in("ann+ci", secret)), who(sign_in("ann+ci", brief)),
                                 who(authenticator_.refresh(refresh, kAddress)), who(authenticate("Bearer " + issued)),
                                 who(authenticate("Basic " + encode_base64("ann+ci:" + secret)))};
    if (const auto late = authenticator_.find_expired("Bearer " + issued, kDayMs)) out.insert(late->subject.name);
    return out;
  };
  const std::set<std::string> in = {"ann+ci"};
  const std::set<std::string> out = {"unauthorized"};
  EXPECT_EQ(outcomes(), in);
  EXPECT_EQ(change_robot("ann+ci", {.is_disabled = true}), "ok");
  EXPECT_EQ(outcomes(), out);
  EXPECT_EQ(change_robot("ann+ci", {.is_disabled = false}), "ok");
  EXPECT_EQ(outcomes(), in) << "as if nothing had been";
  EXPECT_EQ(change_robot("ann+ci", {.end = RobotChange::End{clock_.now_ms()}}), "ok");
  EXPECT_EQ(outcomes(), out);
}

TEST_F(Accounts, OnlyARobotIsChangedAsOne) {
  add_robot("ann+ci");
  EXPECT_EQ(change_robot("ann+ci", {.description = "builds"}), "ok");
  EXPECT_EQ(principal("ann+ci")->display_name, "builds");
  EXPECT_EQ(change_robot("ann", {.is_disabled = true}), "account_unknown") << "that is a user";
  EXPECT_EQ(change_robot("ann+cd", {.is_disabled = true}), "account_unknown");
}

// ---- grants

TEST_F(Accounts, GrantsSaySomethingAboutSomebodySomewhere) {
  add_user("bob");
  EXPECT_EQ(put_grant("bob", "ann/**", Right::read), "ok");
  EXPECT_EQ(put_grant("bob", "ann/x", {}, Right::read), "ok");
  EXPECT_EQ(put_grant("bob", "ann/x", {}, {}), "account_invalid") << "says nothing";
  EXPECT_EQ(put_grant("bob", "ann/x", Right::read, Rights::all()), "account_invalid") << "says both";
  EXPECT_EQ(put_grant("bob", "**", Right::read), "account_invalid") << "S9: no namespace";
  EXPECT_EQ(put_grant("bob", "an*/x", Right::read), "account_invalid") << "S9";
  EXPECT_EQ(put_grant("bob", "other/x", Right::read), "account_unknown");
  EXPECT_EQ(put_grant("nobody", "ann/x", Right::read), "account_unknown");
}

TEST_F(Accounts, AGrantOnTheSamePatternIsReplaced) {
  add_user("bob");
  EXPECT_EQ(grant("bob", "ann/x", Right::read), grant("bob", "ann/x", Right::write, Right::read));
  EXPECT_EQ(rights("bob", "ann/x"), Rights(Right::write));
}

// S13
TEST_F(Accounts, AGrantIsRemovedOnlyInItsNamespace) {
  add_user("bob");
  const auto id = grant("bob", "ann/x", Right::read);
  const auto remove = [&](std::string_view ns) {
    return outcome(change([&](sql::Connection& db) { return remove_grant(db, ns, id); }));
  };
  EXPECT_EQ(remove("bob"), "account_unknown") << "who administers bob/ takes nothing from ann/";
  EXPECT_EQ(remove("none"), "account_unknown");
  EXPECT_EQ(rights("bob", "ann/x"), Rights(Right::read));
  EXPECT_EQ(remove("ann"), "ok");
  EXPECT_EQ(rights("bob", "ann/x"), Rights());
}

TEST_F(Accounts, GrantsOfOneSubjectInANamespaceAreBounded) {
  add_user("bob");
  expect_ok(change([&](sql::Connection& db) -> Result<void> {
    for (std::int64_t i = 0; i < kGrantsPerSubjectMax; ++i)
      BERTH_TRYV(auth::put_grant(db, "bob", "ann/r" + std::to_string(i), Right::read, {}, stamp()));
    return {};
  }));
  EXPECT_EQ(put_grant("bob", "ann/one-more", Right::read), kInTheWay);
  EXPECT_EQ(put_grant("bob", "ann/r7", {}, Right::read), "ok") << "one that is there can always be changed";
  EXPECT_EQ(rights("bob", "ann/r7"), Rights());
  EXPECT_EQ(put_grant("bob", "bob/x", Right::read), "ok") << "another namespace";
  EXPECT_EQ(put_grant("ann", "ann/x", Right::read), "ok") << "another subject";
}

}  // namespace
}  // namespace berth::auth
