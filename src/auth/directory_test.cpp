#include "auth/directory.h"

#include "support/accounts_fixture.h"

namespace berth::auth {
namespace {

using meta::Visibility;

class DirectoryTest : public test::AccountsFixture {};

TEST_F(DirectoryTest, KnowsWhetherAnybodyHasAnAccount) {
  directory_.look_for_accounts();
  EXPECT_FALSE(directory_.has_accounts());
  add_user("ann");
  directory_.look_for_accounts();
  EXPECT_TRUE(directory_.has_accounts());
}

TEST_F(DirectoryTest, KeepsARulingWhileNothingChanges) {
  add_user("ann");
  EXPECT_EQ(directory_.find_ruling(subject("ann"), "ann/app"), nullptr);
  const auto made = must(directory_.ruling(subject("ann"), repo("ann/app")));
  EXPECT_EQ(directory_.find_ruling(subject("ann"), "ann/app"), made);
  EXPECT_EQ(directory_.find_ruling({}, "ann/app"), nullptr) << "another subject";
  EXPECT_EQ(directory_.find_ruling(subject("ann"), "ann/ap"), nullptr) << "another repository";
  add_user("bob");
  EXPECT_EQ(directory_.find_ruling(subject("ann"), "ann/app"), nullptr);
}

// S11: with the request after the change was acknowledged.
TEST_F(DirectoryTest, AChangeCountsAtOnce) {
  add_user("ann");
  add_user("bob");
  EXPECT_EQ(rights("bob", "ann/app"), Rights());
  EXPECT_EQ(rights("", "ann/app"), Rights());
  add_repo("ann/app", Visibility::open);
  EXPECT_EQ(rights("bob", "ann/app"), Rights(Right::read)) << "the repository came into being, public";
  EXPECT_EQ(rights("", "ann/app"), Rights(Right::read));
  add_repo("ann/app", Visibility::internal);
  EXPECT_EQ(rights("bob", "ann/app"), Rights(Right::read));
  EXPECT_EQ(rights("", "ann/app"), Rights());
  const auto id = grant("bob", "ann/**", Right::write, Right::read);
  EXPECT_EQ(rights("bob", "ann/app"), Rights(Right::write));
  expect_ok(change([&](sql::Connection& db) { return remove_grant(db, "ann", id); }));
  EXPECT_EQ(rights("bob", "ann/app"), Rights(Right::read));
}

// S11, for repositories not asked for before: what is remembered of the subject in the namespace is of the past, too.
TEST_F(DirectoryTest, AChangeCountsAtOnceAtTheNextRepositoryOfTheNamespace) {
  add_user("ann");
  add_user("bob");
  EXPECT_EQ(rights("bob", "ann/a"), Rights());
  EXPECT_EQ(rights("bob", "ann/b"), Rights()) << "from memory";
  const auto id = grant("bob", "ann/**", Right::write, {});
  EXPECT_EQ(rights("bob", "ann/c"), Rights(Right::write));
  EXPECT_EQ(rights("", "ann/c"), Rights()) << "nobody else's memory";
  add_repo("ann/d", Visibility::open);
  EXPECT_EQ(rights("bob", "ann/d"), Right::read | Right::write);
  expect_ok(change([&](sql::Connection& db) { return remove_grant(db, "ann", id); }));
  EXPECT_EQ(rights("bob", "ann/e"), Rights());
}

// The first push to a namespace makes it, and that is no change of the accounts.
TEST_F(DirectoryTest, ANamespaceThatWasNotThereIsFoundWhenItIs) {
  add_user("ann");
  EXPECT_EQ(rights("ann", "new/a"), Rights());
  add_repo("new/app", Visibility::open);
  EXPECT_EQ(rights("ann", "new/app"), Rights(Right::read));
}

// A10, also of namespaces: that there is one shows in nothing, not even in how long a stranger waits.
TEST_F(DirectoryTest, AStrangersQuestionAboutANamespaceReadsAsMuchWhetherThereIsOneOrNot) {
  add_user("ann");
  add_user("eve");
  add_user("zoe");
  add_org("acme", "ann");
  const auto reads_for = [&](const char* who, const char* org) {
    const Subject asks = subject(who);
    const std::int64_t before = watch_->statements;
    must(directory_.decide({asks}, Act::administer_namespace, org));
    return watch_->statements - before;
  };
  for (const char* when : {"first", "again"}) {
    EXPECT_EQ(reads_for("eve", "acme"), reads_for("eve", "acmf")) << when;
    EXPECT_EQ(reads_for("eve", "zoe"), reads_for("eve", "zof")) << when;
  }
  (void)reads_for("ann", "acme");
  EXPECT_LT(reads_for("ann", "acme"), reads_for("eve", "acme")) << "who is in it is remembered";
  add_user("robbi");
  EXPECT_FALSE(must(directory_.decide({subject("eve")}, Act::administer_namespace, "robb")).is_allowed())
      << "nor is the next name that one";
}

// Who was read a moment before a change asks with what he was then. What he is told must not be kept for who he is now:
// an administrator who began a long upload before he stopped being one would leave all rights behind in the cache.
TEST_F(DirectoryTest, WhoAsksWithAnOldSubjectLeavesNothingForTheNewOne) {
  add_admin("spare");
  add_admin("root");
  const Subject before = subject("root");
  UserChange demote;
  demote.is_admin = false;
  expect_ok(change([&](sql::Connection& db) { return change_user(db, "root", demote); }));
  EXPECT_EQ(must(directory_.ruling(before, repo("ann/app")))->rights, Rights::all());
  EXPECT_EQ(rights("root", "ann/app"), Rights());
}

TEST_F(DirectoryTest, WhatEverybodyMay) {
  Directory open(*store_, Right::read | Right::write);
  EXPECT_EQ(must(open.ruling({}, repo("any/thing")))->rights, Right::read | Right::write);
}

TEST_F(DirectoryTest, ANewRepositoryHasTheVisibilityOfItsNamespace) {
  add_user("ann");
  expect_ok(change([&](sql::Connection& db) -> Result<void> {
    BERTH_TRY(auto ns, meta::find_namespace(db, "ann"));
    ns->visibility = Visibility::open;
    return meta::update_namespace(db, *ns);
  }));
  EXPECT_EQ(rights("", "ann/app"), Rights()) << "A10: what does not exist is not visible";
  must(change([&](sql::Connection& db) { return meta::ensure_repo(db, repo("ann/app"), stamp()); }));
  EXPECT_EQ(rights("", "ann/app"), Rights(Right::read));
}

TEST_F(DirectoryTest, WhoCanAsk) {
  const std::int64_t now_ms = clock_.now_ms();
  meta::Principal row;
  row.id = 5;
  row.name = "ann";
  row.is_admin = true;
  EXPECT_TRUE(subject_of(row, now_ms)->is_admin);
  row.is_disabled = true;
  EXPECT_FALSE(subject_of(row, now_ms)) << "disabled";
  row.is_disabled = false;
  row.expires_at_ms = now_ms;
  EXPECT_FALSE(subject_of(row, now_ms)) << "over this moment";
  EXPECT_TRUE(subject_of(row, now_ms - 1));
  row.expires_at_ms.reset();
  row.kind = meta::PrincipalKind::team;
  EXPECT_FALSE(subject_of(row, now_ms)) << "a team";
  row.kind = meta::PrincipalKind::robot;
  EXPECT_EQ(subject_of(row, now_ms)->kind, Subject::Kind::robot);
  EXPECT_FALSE(subject_of(row, now_ms)->is_admin) << "no robot administers the registry";
}

}  // namespace
}  // namespace berth::auth
