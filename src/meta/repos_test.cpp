#include "meta/repos.h"

#include "meta/settings.h"
#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Repos : public test::MetaFixture {};

TEST_F(Repos, ARepositoryComesIntoBeingOnceWithItsNamespace) {
  EXPECT_FALSE(find_repo(*db_, repo("team/app"))->has_value());
  const RepoId first = ensure_repo(*db_, repo("team/app"), stamp()).value();
  EXPECT_EQ(ensure_repo(*db_, repo("team/app"), stamp()).value(), first);
  EXPECT_EQ(find_repo(*db_, repo("team/app"))->value(), first);
  const RepoId second = ensure_repo(*db_, repo("team/tool"), stamp()).value();
  EXPECT_NE(first, second);
  EXPECT_EQ(probe_.number("SELECT count(*) FROM ns"), 1);
  EXPECT_EQ(probe_.number("SELECT count(DISTINCT ns_id) FROM repo"), 1);
}

TEST_F(Repos, NamesAreComparedBytewise) {  // S30
  for (const char* name : {"b/x", "a/x", "a-b/x", "a", "a0"}) ensure_repo(*db_, repo(name), stamp()).value();
  EXPECT_THAT(list_repos(*db_, "", 100).value(), ElementsAre("a", "a-b/x", "a/x", "a0", "b/x"));
}

TEST_F(Repos, PagesGoByKeyAndTheLastNameNeedNotExist) {  // L3
  for (const char* name : {"a", "c", "e"}) ensure_repo(*db_, repo(name), stamp()).value();
  EXPECT_THAT(list_repos(*db_, "", 2).value(), ElementsAre("a", "c"));
  EXPECT_THAT(list_repos(*db_, "c", 2).value(), ElementsAre("e"));
  EXPECT_THAT(list_repos(*db_, "b", 2).value(), ElementsAre("c", "e"));
  EXPECT_THAT(list_repos(*db_, "e", 2).value(), IsEmpty());
  EXPECT_THAT(list_repos(*db_, "", 0).value(), IsEmpty());
}

TEST_F(Repos, ADeletedOneIsHiddenUntilItIsMadeAgain) {
  const RepoId id = ensure_repo(*db_, repo("a"), stamp()).value();
  ASSERT_TRUE(db_->execute("UPDATE repo SET deleted_at = 1").has_value());
  EXPECT_FALSE(find_repo(*db_, repo("a"))->has_value());
  EXPECT_THAT(list_repos(*db_, "", 10).value(), IsEmpty());
  EXPECT_EQ(ensure_repo(*db_, repo("a"), stamp()).value(), id);
  EXPECT_TRUE(find_repo(*db_, repo("a"))->has_value());
}

TEST_F(Repos, SettingsAreReadAsWritten) {
  EXPECT_FALSE(get_setting(*db_, "boot_id")->has_value());
  ASSERT_TRUE(put_setting(*db_, "boot_id", "one").has_value());
  ASSERT_TRUE(put_setting(*db_, "boot_id", "two").has_value());
  EXPECT_EQ(get_setting(*db_, "boot_id")->value(), "two");
}

}  // namespace
}  // namespace berth::meta
