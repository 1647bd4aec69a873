#include "meta/principals.h"

#include "meta/grants.h"
#include "meta/tokens.h"
#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

class Principals : public test::MetaFixture {
 protected:
  PrincipalId insert(std::string_view name, PrincipalKind kind = PrincipalKind::user,
                     std::optional<NamespaceId> ns = {}) {
    Principal row;
    row.kind = kind;
    row.name = name;
    row.ns = ns;
    return insert_principal(*db_, row, stamp()).value();
  }
  Principal load(std::string_view name) { return find_principal(*db_, name).value().value(); }
  static std::vector<std::string> names(const std::vector<Principal>& rows) {
    std::vector<std::string> out;
    for (const Principal& row : rows) out.push_back(row.name);
    return out;
  }
  TokenId token(PrincipalId of, std::string_view text) {
    TokenRow row;
    row.principal = of;
    return insert_token(*db_, row, crypto::sha256(std::as_bytes(std::span(text))), stamp()).value();
  }
};

TEST_F(Principals, ComeBackAsTheyWereInserted) {
  Principal row;
  row.kind = PrincipalKind::robot;
  row.name = "acme+ci";
  row.ns = 3;
  row.email = "ci@example.com";
  row.display_name = "Builds";
  row.is_admin = true;
  row.is_disabled = true;
  row.password_hash = "hash";
  row.expires_at_ms = kStart + 5;
  const auto id = insert_principal(*db_, row, {kStart, 7});
  ASSERT_TRUE(id.has_value());
  for (const auto& found : {find_principal(*db_, "acme+ci").value(), find_principal(*db_, *id).value()}) {
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->id, *id);
    EXPECT_EQ(found->kind, PrincipalKind::robot);
    EXPECT_EQ(found->name, "acme+ci");
    EXPECT_EQ(found->ns, 3);
    EXPECT_EQ(found->email, "ci@example.com");
    EXPECT_EQ(found->display_name, "Builds");
    EXPECT_TRUE(found->is_admin);
    EXPECT_TRUE(found->is_disabled);
    EXPECT_EQ(found->password_hash, "hash");
    EXPECT_EQ(found->expires_at_ms, kStart + 5);
    EXPECT_EQ(found->created_at_ms, kStart);
    EXPECT_EQ(found->version, 1);
  }
  EXPECT_EQ(probe_.number("SELECT created_by FROM principal"), 7);
}

TEST_F(Principals, WhatIsNotSaidIsNull) {
  insert("ann");
  EXPECT_EQ(probe_.number("SELECT count(*) FROM principal WHERE email IS NULL AND password_hash IS NULL AND ns_id IS "
                          "NULL AND expires_at IS NULL AND created_by IS NULL"),
            1);
  const Principal ann = load("ann");
  EXPECT_EQ(ann.email, "");
  EXPECT_EQ(ann.password_hash, "");
  EXPECT_FALSE(ann.ns || ann.expires_at_ms);
}

TEST_F(Principals, AreFoundByTheirNameByteForByte) {
  const PrincipalId id = insert("ann");
  EXPECT_FALSE(find_principal(*db_, "Ann").value()) << "S30";
  EXPECT_FALSE(find_principal(*db_, std::string_view("ann\0", 4)).value());
  EXPECT_FALSE(find_principal(*db_, "an_").value()) << "no pattern";
  EXPECT_FALSE(find_principal(*db_, "' OR 1=1 --").value()) << "I8";
  EXPECT_FALSE(find_principal(*db_, id + 1).value());
}

TEST_F(Principals, ANameIsTakenWhateverItsKind) {
  insert("ann");
  Principal again;
  again.kind = PrincipalKind::team;
  again.name = "ann";
  EXPECT_EQ(insert_principal(*db_, again, stamp()).error().code, Errc::already_exists);
}

TEST_F(Principals, AnUpdateCountsOnlyAtItsVersion) {
  insert("ann");
  Principal row = load("ann");
  row.email = "ann@example.com";
  row.is_admin = true;
  ASSERT_TRUE(update_principal(*db_, row).has_value());
  EXPECT_EQ(update_principal(*db_, row).error().code, Errc::precondition_failed);
  row = load("ann");
  EXPECT_EQ(row.version, 2);
  EXPECT_EQ(row.email, "ann@example.com");
  row.email.clear();
  row.name = "bob";
  ASSERT_TRUE(update_principal(*db_, row).has_value());
  EXPECT_EQ(load("ann").email, "") << "and names stay";
  row.id = 99;
  row.version = 1;
  EXPECT_EQ(update_principal(*db_, row).error().code, Errc::precondition_failed) << "nobody";
}

TEST_F(Principals, APasswordHashIsReplacedOnlyIfItIsStillThat) {
  const PrincipalId id = insert("ann");
  ASSERT_TRUE(replace_password_hash(*db_, id, "", "new").has_value());
  EXPECT_EQ(load("ann").password_hash, "") << "none is not replaced";
  Principal row = load("ann");
  row.password_hash = "old";
  ASSERT_TRUE(update_principal(*db_, row).has_value());
  ASSERT_TRUE(replace_password_hash(*db_, id, "other", "new").has_value());
  EXPECT_EQ(load("ann").password_hash, "old") << "it was changed meanwhile";
  ASSERT_TRUE(replace_password_hash(*db_, id, "old", "new").has_value());
  EXPECT_EQ(load("ann").password_hash, "new");
}

TEST_F(Principals, TakeAlongAllThatIsTheirs) {
  const PrincipalId ann = insert("ann");
  const PrincipalId bob = insert("bob");
  const PrincipalId team = insert("acme/devs", PrincipalKind::team, 1);
  for (const PrincipalId who : {ann, bob}) {
    ASSERT_TRUE(add_team_member(*db_, team, who).value());
    ASSERT_TRUE(put_org_member(*db_, 1, who, Role::reader).has_value());
    ASSERT_TRUE(put_grant(*db_, 1, {0, who, "", "acme/x", 1, 0}, stamp()).has_value());
    token(who, std::to_string(who));
  }
  ASSERT_TRUE(put_grant(*db_, 1, {0, team, "", "acme/x", 1, 0}, stamp()).has_value());
  ASSERT_TRUE(remove_principal(*db_, ann).has_value());
  for (const char* from : {"team_member", "org_member", "token"})
    EXPECT_EQ(probe_.rows(std::string("SELECT principal_id FROM ") + from), std::vector{std::to_string(bob)}) << from;
  EXPECT_EQ(probe_.number("SELECT count(*) FROM grant_"), 2);
  ASSERT_TRUE(remove_principal(*db_, team).has_value());
  EXPECT_EQ(probe_.number("SELECT count(*) FROM team_member"), 0) << "a team's members leave it";
  EXPECT_EQ(probe_.number("SELECT count(*) FROM grant_"), 1);
  EXPECT_TRUE(find_principal(*db_, "bob").value());
}

// What is told under a number is told of one.
TEST_F(Principals, NoNumberIsGivenOutTwice) {
  const PrincipalId ann = insert("ann");
  const TokenId secret = token(ann, "a");
  ASSERT_TRUE(remove_principal(*db_, ann).has_value());
  const PrincipalId next = insert("ann");
  EXPECT_GT(next, ann);
  EXPECT_GT(token(next, "b"), secret);
}

TEST_F(Principals, ListsGoByNameFromPageToPage) {
  for (const char* name : {"carl", "ann", "bob"}) insert(name);
  insert("acme+ci", PrincipalKind::robot, 1);
  EXPECT_THAT(names(list_principals(*db_, PrincipalKind::user, "", 2).value()), ::testing::ElementsAre("ann", "bob"));
  EXPECT_THAT(names(list_principals(*db_, PrincipalKind::user, "bob", 2).value()), ::testing::ElementsAre("carl"));
  EXPECT_THAT(names(list_principals(*db_, PrincipalKind::user, "b", 1).value()), ::testing::ElementsAre("bob"))
      << "the last one need not exist";
  EXPECT_THAT(names(list_principals(*db_, PrincipalKind::robot, "", 9).value()), ::testing::ElementsAre("acme+ci"));
}

TEST_F(Principals, RobotsAndTeamsOfANamespace) {
  for (int i = 0; i < 3; ++i) insert("acme+r" + std::to_string(i), PrincipalKind::robot, 1);
  insert("acme/devs", PrincipalKind::team, 1);
  insert("other+ci", PrincipalKind::robot, 2);
  EXPECT_THAT(names(list_principals_of(*db_, 1, PrincipalKind::robot, "acme+r0", 5).value()),
              ::testing::ElementsAre("acme+r1", "acme+r2"));
  EXPECT_THAT(names(list_principals_of(*db_, 1, PrincipalKind::team, "", 5).value()),
              ::testing::ElementsAre("acme/devs"));
  ASSERT_TRUE(remove_principals_of(*db_, 1).has_value());
  EXPECT_THAT(probe_.rows("SELECT name FROM principal"), ::testing::ElementsAre("other+ci"));
}

TEST_F(Principals, ManyOfANamespaceAreRemovedInPages) {
  for (int i = 0; i < 1001; ++i) insert("acme+r" + std::to_string(i), PrincipalKind::robot, 1);
  ASSERT_TRUE(remove_principals_of(*db_, 1).has_value());
  EXPECT_EQ(probe_.number("SELECT count(*) FROM principal"), 0);
}

TEST_F(Principals, WhetherSomebodyCouldSignInAndAdminister) {
  EXPECT_FALSE(has_users(*db_).value());
  insert("acme+ci", PrincipalKind::robot, 1);
  EXPECT_FALSE(has_users(*db_).value());
  insert("ann");
  EXPECT_TRUE(has_users(*db_).value());
  EXPECT_EQ(count_admins(*db_).value(), 0);
  for (const char* name : {"a1", "a2", "a3"}) {
    insert(name);
    Principal row = load(name);
    row.is_admin = true;
    row.is_disabled = name == std::string_view("a1");
    ASSERT_TRUE(update_principal(*db_, row).has_value());
  }
  EXPECT_EQ(count_admins(*db_).value(), 2);
}

}  // namespace
}  // namespace berth::meta
