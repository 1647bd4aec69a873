#include "meta/readmes.h"

#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

class Readmes : public test::MetaFixture {
 protected:
  RepoInfo info(std::string_view name) { return find_repo_info(*db_, repo(name)).value().value_or(RepoInfo{}); }
  std::int64_t version(RepoId id) { return find_readme(*db_, id).value().value_or(Readme{}).version; }
};

TEST_F(Readmes, AreReplacedAndTakenAway) {
  const RepoId id = repo_id("a/web");
  EXPECT_FALSE(find_readme(*db_, id)->has_value());
  EXPECT_FALSE(put_readme(*db_, id, "# Web", stamp()).value());
  EXPECT_TRUE(put_readme(*db_, id, "# Site", stamp()).value());
  EXPECT_EQ(find_readme(*db_, id)->value().text, "# Site");
  EXPECT_TRUE(remove_readme(*db_, id).value());
  EXPECT_FALSE(remove_readme(*db_, id).value());
}

TEST_F(Readmes, NoTwoHaveOneVersion) {
  const RepoId id = repo_id("a/web");
  ASSERT_TRUE(put_readme(*db_, id, "1", stamp()).has_value());
  const std::int64_t first = version(id);
  ASSERT_TRUE(put_readme(*db_, id, "2", stamp()).has_value());
  EXPECT_GT(version(id), first) << "in the same millisecond";
  ASSERT_TRUE(remove_readme(*db_, id).value());
  now_ += 2;
  ASSERT_TRUE(put_readme(*db_, id, "3", stamp()).has_value());
  EXPECT_GT(version(id), first + 1);
}

TEST_F(Readmes, GoAlongWithTheirRepositoryAndEndWithIt) {
  const RepoId id = repo_id("a/web");
  ASSERT_TRUE(put_readme(*db_, id, "# Web", stamp()).has_value());
  ASSERT_TRUE(rename_repo(*db_, info("a/web"), repo("a/site")).has_value());
  EXPECT_EQ(find_readme(*db_, info("a/site").id)->value().text, "# Web");
  ASSERT_TRUE(delete_repo(*db_, info("a/site"), stamp()).has_value());
  EXPECT_EQ(probe_.number("SELECT count(*) FROM readme"), 0);
}

}  // namespace
}  // namespace berth::meta
