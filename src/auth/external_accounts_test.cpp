#include "auth/external_accounts.h"

#include "support/accounts_fixture.h"

namespace berth::auth {
namespace {

using test::outcome;

TEST(AccountNameFrom, WhatSomebodyIsCalledElsewhereIsMadeAName) {
  const struct {
    std::string_view text;
    std::string_view name;  // empty: there is none
  } rows[] = {
      {"ann", "ann"},
      {"Ann.Lee@acme.example", "ann.lee"},
      {"ACME\\ann", "acme-ann"},
      {"Ann  Lee", "ann-lee"},
      {"ann.-lee", "ann.lee"},
      {"..ann..", "ann"},
      {"j\xc3\xb6rg", "j-rg"},
      {std::string_view("a\0b", 3), "a-b"},
      {"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij",
       "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd"},
      {"", ""},
      {"@acme.example", ""},
      {"a", ""},
      {"\xe6\x9d\x8e", ""},
      {"library", ""},
      {"Token", ""},
  };
  for (const auto& row : rows) EXPECT_EQ(account_name_from(row.text).value_or(""), row.name) << row.text;
}

class Receiving : public test::AccountsFixture {
 protected:
  static ExternalPerson person(std::string_view id, std::string_view name,
                               std::optional<std::vector<std::string>> groups = {}) {
    return {.issuer = "https://id.example.com",
            .id = std::string(id),
            .name = std::string(name),
            .email = "ann@acme.example",
            .display_name = "Ann Lee",
            .groups = std::move(groups)};
  }
  /// The account's name, or the error's.
  std::string receive(const ExternalPerson& who) {
    const auto got = change([&](sql::Connection& db) { return auth::receive(db, who, rules_, stamp()); });
    return got ? got->name : outcome(got);
  }
  bool is_settled(const ExternalPerson& who) {
    return look([&](sql::Connection& db) { return plan_reception(db, who, rules_, clock_.now_ms()); })
        .value()
        .is_settled();
  }
  meta::Principal user(std::string_view name) {
    return look([&](sql::Connection& db) { return meta::find_principal(db, name); }).value().value();
  }
  void link_group(std::string_view team, std::string_view group) {
    ASSERT_TRUE(change([&](sql::Connection& db) -> Result<void> {
      BERTH_TRY(const auto row, meta::find_principal(db, team));
      return meta::set_groups_of_team(db, row->id, {std::string(group)});
    }));
  }
  std::string link(std::string_view user, std::string_view id) {
    return outcome(change([&](sql::Connection& db) {
      return link_account(db, user, id.empty() ? "" : "https://id.example.com", id, std::nullopt);
    }));
  }
  /// Who is in the team, and who of the organisation, by name.
  std::string places() {
    std::string out;
    for (const std::string_view team : {"acme/dev", "acme/ops"}) {
      const auto members = look([&](sql::Connection& db) -> Result<std::vector<meta::OrgMember>> {
        BERTH_TRY(const auto row, meta::find_principal(db, team));
        return meta::list_team_members(db, row->id, 0, 100);
      });
      out += std::string(team.substr(5)) + ":";
      for (const auto& member : members.value()) out += " " + member.name;
      out += "; ";
    }
    const auto members = look([&](sql::Connection& db) -> Result<std::vector<meta::OrgMember>> {
      BERTH_TRY(const auto org, meta::find_namespace(db, "acme"));
      return meta::list_org_members(db, org->id, 0, 100);
    });
    out += "acme:";
    for (const auto& member : members.value()) out += " " + member.name;
    return out;
  }
  void add_acme() {
    add_admin("root");
    add_org("acme", "root");
    add_team("acme/dev");
    add_team("acme/ops");
    link_group("acme/dev", "developers");
    link_group("acme/ops", "operators");
  }

  ReceptionRules rules_;
};

TEST_F(Receiving, TheFirstSignInMakesAnAccountAndTheNextFindsIt) {
  EXPECT_EQ(receive(person("17", "Ann@acme.example")), "ann");
  EXPECT_EQ(user("ann").email, "ann@acme.example");
  EXPECT_EQ(user("ann").display_name, "Ann Lee");
  EXPECT_TRUE(user("ann").password_hash.empty());
  EXPECT_EQ(rights("ann", "ann/app"), Rights::all());
  EXPECT_TRUE(is_settled(person("17", "Ann@acme.example")));
  EXPECT_EQ(receive(person("17", "somebody.else")), "ann") << "the number tells who it is, not the name";
}

TEST_F(Receiving, ANameOfAnotherIsNotTakenOverByNameOrMail) {
  add_user("ann");
  EXPECT_EQ(receive(person("17", "ann")), "already_exists");
  EXPECT_EQ(user("ann").issuer, "");
  add_org("acme", "ann");
  EXPECT_EQ(receive(person("18", "acme")), "already_exists");
  add_repo("old/app");
  EXPECT_EQ(receive(person("19", "old")), "already_exists") << "repositories that nobody owned would be his";
}

TEST_F(Receiving, AnAccountIsLinkedByHandAndToOneOnly) {
  add_user("ann");
  add_user("bob");
  EXPECT_EQ(link("ann", "17"), "ok");
  EXPECT_EQ(receive(person("17", "whatever")), "ann");
  EXPECT_EQ(link("bob", "17"), "already_exists");
  EXPECT_EQ(link("nobody", "18"), "account_unknown");
  EXPECT_EQ(link("ann", ""), "ok");
  EXPECT_EQ(link("bob", "17"), "ok");
  EXPECT_EQ(receive(person("17", "whatever")), "bob");
}

TEST_F(Receiving, WhoHasNoAccountStaysOutsideIfNoneIsMade) {
  rules_.creates = false;
  EXPECT_EQ(receive(person("17", "ann")), "denied");
  add_user("ann");
  ASSERT_EQ(link("ann", "17"), "ok");
  EXPECT_EQ(receive(person("17", "ann")), "ann");
}

TEST_F(Receiving, OnlyMembersOfTheAllowedGroupsComeIn) {
  rules_.allowed_groups = {"staff", "guests"};
  EXPECT_EQ(receive(person("17", "ann")), "denied") << "nothing was said about groups";
  EXPECT_EQ(receive(person("17", "ann", {{"staf", "Staff"}})), "denied");
  EXPECT_EQ(receive(person("17", "ann", {{"staff"}})), "ann");
  EXPECT_EQ(receive(person("17", "ann", {{"former-staff"}})), "denied") << "nor later";
}

TEST_F(Receiving, GroupsGivePlacesInTeamsAndTakeThemAgain) {
  add_acme();
  EXPECT_EQ(receive(person("17", "ann", {{"developers", "operators", "others"}})), "ann");
  EXPECT_EQ(places(), "dev: ann; ops: ann; acme: root ann");
  EXPECT_TRUE(is_settled(person("17", "ann", {{"operators", "developers"}})));
  EXPECT_EQ(receive(person("17", "ann", {{"operators"}})), "ann");
  EXPECT_EQ(places(), "dev:; ops: ann; acme: root ann");
  EXPECT_EQ(receive(person("17", "ann")), "ann");
  EXPECT_EQ(places(), "dev:; ops: ann; acme: root ann") << "nothing said changes nothing";
  EXPECT_EQ(receive(person("17", "ann", {{}})), "ann");
  EXPECT_EQ(places(), "dev:; ops:; acme: root");
}

TEST_F(Receiving, APlaceGivenByHandStays) {
  add_acme();
  add_user("ann");
  ASSERT_EQ(link("ann", "17"), "ok");
  add_member("acme", "ann", meta::Role::writer);
  add_to_team("acme/dev", "ann");
  EXPECT_EQ(receive(person("17", "ann", {{"developers", "operators"}})), "ann");
  EXPECT_EQ(receive(person("17", "ann", {{}})), "ann");
  EXPECT_EQ(places(), "dev: ann; ops:; acme: root ann");
  EXPECT_EQ(receive(person("17", "ann", {{"operators"}})), "ann");
  add_to_team("acme/ops", "ann");
  EXPECT_EQ(receive(person("17", "ann", {{}})), "ann");
  EXPECT_EQ(places(), "dev: ann; ops: ann; acme: root ann") << "put there by hand after a group had done so";
}

TEST_F(Receiving, AnUnlinkedAccountLosesWhatItsGroupsGave) {
  add_acme();
  ASSERT_EQ(receive(person("17", "ann", {{"developers"}})), "ann");
  EXPECT_EQ(link("ann", ""), "ok");
  EXPECT_EQ(places(), "dev:; ops:; acme: root");
}

TEST_F(Receiving, TheGroupOfAdministratorsMakesAndUnmakesThem) {
  rules_.admin_group = "registry-admins";
  EXPECT_EQ(receive(person("17", "ann", {{"registry-admins"}})), "ann");
  EXPECT_TRUE(user("ann").is_admin);
  EXPECT_EQ(receive(person("18", "bob", {{"registry-admins"}})), "bob");
  EXPECT_EQ(receive(person("17", "ann", {{}})), "ann");
  EXPECT_FALSE(user("ann").is_admin);
  EXPECT_EQ(receive(person("18", "bob", {{}})), "bob");
  EXPECT_TRUE(user("bob").is_admin) << "the last one stays";
}

TEST_F(Receiving, WhatIsSaidAboutSomebodyIsMadeFit) {
  ExternalPerson who = person("17", "ann");
  who.email = "not an address";
  who.display_name = "Ann\nLee" + std::string(300, 'e');
  EXPECT_EQ(receive(who), "ann");
  EXPECT_EQ(user("ann").email, "");
  EXPECT_EQ(user("ann").display_name, "AnnLee" + std::string(193, 'e'));
  who.display_name = std::string(199, 'e') + "\xc3\xbc";
  EXPECT_EQ(receive(who), "ann");
  EXPECT_EQ(user("ann").display_name, std::string(199, 'e')) << "no half characters";
  who.id = "";
  EXPECT_EQ(receive(who), "denied");
  who.id = std::string(1025, '1');
  EXPECT_EQ(receive(who), "denied");
}

TEST_F(Receiving, TheFirstAccountIsAnAdministrators) {
  ExternalAccounts accounts({*store_, directory_, clock_, audit_});
  const auto sign_in = [&](std::vector<std::string> groups) {
    return outcome(test::run_task(accounts.sign_in(person("17", "ann", std::move(groups)), {.admin_group = "admins"},
                                                   "x", std::string(kAddress))));
  };
  EXPECT_EQ(sign_in({"staff"}), "denied") << "or the secret of the set-up would be dead, and nobody could administer";
  EXPECT_EQ(sign_in({"admins"}), "ok");
  EXPECT_TRUE(directory_.has_accounts());
}

TEST_F(Receiving, NobodyTakesHisAccountFromWhoVouchesForIt) {
  add_user("ann");
  ExternalAccounts accounts({*store_, directory_, clock_, audit_});
  const auto link = [&](std::string issuer, std::string id) {
    ExternalPerson who = person(id, "ann");
    who.issuer = std::move(issuer);
    meta::AuditEntry entry;
    entry.action = "account.link";
    return outcome(test::run_task(accounts.link("ann", who, entry)));
  };
  EXPECT_EQ(link("https://id.example.com", "17"), "ok");
  EXPECT_EQ(link("https://id.example.com", "18"), "ok");
  EXPECT_EQ(link("https://other.example.com", "17"), "denied");
  EXPECT_EQ(user("ann").external_id, "18");
}

TEST_F(Receiving, ATeamThatLosesAGroupLosesWhomItBrought) {
  add_acme();
  ASSERT_EQ(receive(person("17", "ann", {{"developers", "operators"}})), "ann");
  add_user("bob");
  add_member("acme", "bob", meta::Role::reader);
  add_to_team("acme/dev", "bob");
  ASSERT_TRUE(change([&](sql::Connection& db) -> Result<void> {
    BERTH_TRY(const auto team, meta::find_principal(db, "acme/dev"));
    return meta::drop_group_members(db, {team->id, *team->ns});
  }));
  EXPECT_EQ(places(), "dev: bob; ops: ann; acme: root ann bob");
  ASSERT_TRUE(change([&](sql::Connection& db) -> Result<void> {
    BERTH_TRY(const auto team, meta::find_principal(db, "acme/ops"));
    return meta::drop_group_members(db, {team->id, *team->ns});
  }));
  EXPECT_EQ(places(), "dev: bob; ops:; acme: root bob");
}

// A16, S11: what a provider said once is not believed for ever.
TEST_F(Receiving, ASignInVouchesForAWhile) {
  rules_.vouched_ms = 30 * kDayMs;
  EXPECT_EQ(receive(person("7", "eve")), "eve");
  const std::string secret = add_secret("eve", meta::TokenKind::access).text;
  EXPECT_EQ(who(sign_in("eve", secret)), "eve");
  clock_.advance_ms(12 * 60 * kMinuteMs);
  EXPECT_TRUE(is_settled(person("7", "eve"))) << "half a day is no change worth a write";
  clock_.advance_ms(20 * kDayMs);
  EXPECT_FALSE(is_settled(person("7", "eve")));
  EXPECT_EQ(receive(person("7", "eve")), "eve");
  clock_.advance_ms(29 * kDayMs);
  EXPECT_EQ(who(sign_in("eve", secret)), "eve") << "counted from the last time";
  clock_.advance_ms(2 * kDayMs);
  const auto refused = sign_in("eve", secret);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("sign in here with a browser once"));
  EXPECT_FALSE(subject_of(user("eve"), clock_.now_ms()).has_value()) << "nor do her logins work";
  EXPECT_EQ(receive(person("7", "eve")), "eve");
  EXPECT_EQ(who(sign_in("eve", secret)), "eve") << "the next sign-in wakes it";
  rules_.vouched_ms = 0;
  EXPECT_EQ(receive(person("7", "eve")), "eve");
  EXPECT_FALSE(user("eve").expires_at_ms) << "the setting was taken back";
}

TEST_F(Receiving, WhoHasAPasswordHereNeedsNobodyToVouch) {
  rules_.vouched_ms = 30 * kDayMs;
  add_user("ann");
  EXPECT_EQ(link("ann", "9"), "ok");
  EXPECT_EQ(receive(person("9", "ann")), "ann");
  EXPECT_FALSE(user("ann").expires_at_ms);
  EXPECT_EQ(receive(person("7", "eve")), "eve");
  EXPECT_TRUE(user("eve").expires_at_ms);
  EXPECT_EQ(link("eve", ""), "ok");
  EXPECT_FALSE(user("eve").expires_at_ms) << "who is unlinked is an administrator's business again";
}

TEST_F(Receiving, NoOneSignsInWithADisabledAccount) {
  ASSERT_EQ(receive(person("17", "ann")), "ann");
  ExternalAccounts accounts({*store_, directory_, clock_, audit_});
  const auto sign_in = [&] {
    return outcome(test::run_task(accounts.sign_in(person("17", "ann"), rules_, "LDAP", std::string(kAddress))));
  };
  EXPECT_EQ(sign_in(), "ok");
  ASSERT_TRUE(change([&](sql::Connection& db) { return change_user(db, "ann", {.is_disabled = true}); }));
  EXPECT_EQ(sign_in(), "denied");
}

}  // namespace
}  // namespace berth::auth
