#include "auth/ldap_recheck.h"

#include "support/accounts_fixture.h"

#include <map>

namespace berth::auth {
namespace {

using test::outcome;

class LdapRecheckTest : public test::AccountsFixture {
 protected:
  LdapRecheckTest() {
    add_admin("root");
    add_org("acme", "root");
    add_team("acme/dev");
    expect_ok(change([](sql::Connection& db) -> Result<void> {
      BERTH_TRY(const auto team, meta::find_principal(db, "acme/dev"));
      return meta::set_groups_of_team(db, team->id, {"devs"});
    }));
    for (const std::string_view name : {"ann", "bob", "cid"}) {
      add_user(name);
      link(name, name);
      entries_[std::string(name)] = {.issuer = "ldap:test",
                                     .id = std::string(name),
                                     .name = std::string(name),
                                     .email = {},
                                     .display_name = {},
                                     .groups = std::vector<std::string>{}};
    }
  }
  void link(std::string_view user, std::string_view id) {
    expect_ok(change([&](sql::Connection& db) { return link_account(db, user, "ldap:test", id, std::nullopt); }));
  }
  /// "looked up/changed/disabled", or the error.
  std::string run(const std::function<bool()>& pace = [] { return true; }) {
    LdapRecheck recheck({[this](const std::string& id) -> Result<std::optional<ExternalPerson>> {
                           if (is_down_ || id == bad_) return fail(Errc::unavailable, "away");
                           const auto found = entries_.find(id);
                           return found == entries_.end() ? std::nullopt : std::optional(found->second);
                         },
                         *store_, rules_, "ldap:test", clock_, log_});
    const auto done = recheck.run(pace);
    if (!done) return outcome(done);
    return std::to_string(done->looked_up) + "/" + std::to_string(done->changed) + "/" +
           std::to_string(done->disabled) + (done->is_doubted ? " doubted" : "");
  }
  bool is_disabled(std::string_view name) { return principal(name)->is_disabled; }

  std::map<std::string, ExternalPerson> entries_;
  ReceptionRules rules_;
  bool is_down_ = false;
  std::string bad_;  // an entry that cannot be read
};

TEST_F(LdapRecheckTest, WhoIsGoneIsDisabledWithHisSecrets) {
  const auto secret = add_secret("bob", meta::TokenKind::access);
  EXPECT_EQ(run(), "3/0/0");
  EXPECT_EQ(who(sign_in("bob", secret.text)), "bob");
  entries_.erase("bob");
  EXPECT_EQ(run(), "3/0/1");
  EXPECT_EQ(who(sign_in("bob", secret.text)), "unauthorized");
  EXPECT_EQ(run(), "2/0/0") << "who is disabled is not looked up";
  EXPECT_FALSE(is_disabled("root")) << "not of the directory";
}

TEST_F(LdapRecheckTest, WhoMayNotSignInAnyMoreIsDisabled) {
  rules_.allowed_groups = {"devs"};
  entries_["ann"].groups = entries_["bob"].groups = {{"devs"}};
  EXPECT_EQ(run(), "3/2/1");
  EXPECT_TRUE(is_disabled("cid"));
}

TEST_F(LdapRecheckTest, GroupsAreFollowed) {
  grant("acme/dev", "acme/**", Right::read);
  EXPECT_FALSE(rights("ann", "acme/web").has(Right::read));
  entries_["ann"].groups = {{"devs"}};
  EXPECT_EQ(run(), "3/1/0");
  EXPECT_TRUE(rights("ann", "acme/web").has(Right::read));
  entries_["ann"].groups = {{"other"}};
  EXPECT_EQ(run(), "3/1/0");
  EXPECT_FALSE(rights("ann", "acme/web").has(Right::read));
}

TEST_F(LdapRecheckTest, ADirectoryThatForgetsMostIsDoubted) {
  entries_.erase("ann");
  entries_.erase("bob");
  EXPECT_EQ(run(), "3/0/0 doubted");
  EXPECT_FALSE(is_disabled("ann"));
}

TEST_F(LdapRecheckTest, WhatCannotBeLookedUpDisablesNobody) {
  entries_.erase("ann");
  is_down_ = true;
  EXPECT_EQ(run(), "unavailable");
  is_down_ = false;
  int left = 2;
  EXPECT_EQ(run([&left] { return left-- > 0; }), "2/0/0") << "stopped";
  EXPECT_FALSE(is_disabled("ann"));
}

TEST_F(LdapRecheckTest, OneEntryThatCannotBeReadKeepsNoOtherFromBeingLookedAt) {
  bad_ = "ann";
  EXPECT_EQ(run(), "2/0/0");
  entries_.erase("cid");
  EXPECT_EQ(run(), "2/0/0 doubted") << "one gone and one unknown, of three";
  bad_.clear();
  EXPECT_EQ(run(), "3/0/1");
}

TEST_F(LdapRecheckTest, TheLastAdministratorStays) {
  set_disabled("cid", true);
  link("root", "root");
  EXPECT_EQ(run(), "3/0/0");
  EXPECT_FALSE(is_disabled("root"));
}

TEST_F(LdapRecheckTest, AnAccountThatIsGoneByNowIsNotMadeAgain) {
  entries_["ann"].groups = {{"devs"}};
  const auto remove_ann = [this] {
    if (principal("ann")) expect_ok(change([](sql::Connection& db) { return remove_user(db, "ann"); }));
    return true;
  };
  run(remove_ann);
  EXPECT_FALSE(principal("ann"));
}

}  // namespace
}  // namespace berth::auth
