#include "meta/repos.h"

#include "meta/gc_queue.h"
#include "meta/grants.h"
#include "meta/settings.h"
#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Repos : public test::MetaFixture {
 protected:
  RepoInfo info(std::string_view name) { return find_repo_info(*db_, repo(name)).value().value_or(RepoInfo{}); }
  void erase(std::string_view name) { ASSERT_TRUE(delete_repo(*db_, info(name), stamp()).has_value()); }
};

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

TEST_F(Repos, ADeletedOneIsHiddenAndItsNameIsFree) {  // E10
  const RepoId id = ensure_repo(*db_, repo("a/web"), stamp()).value();
  erase("a/web");
  EXPECT_FALSE(find_repo(*db_, repo("a/web"))->has_value());
  EXPECT_FALSE(find_repo_info(*db_, repo("a/web"))->has_value());
  EXPECT_FALSE(load_visibility(*db_, repo("a/web"))->has_value());
  EXPECT_THAT(list_repos(*db_, "", 10).value(), IsEmpty());
  EXPECT_FALSE(oci::RepoName::parse(find_repo_name(*db_, id)->value()).has_value());
  EXPECT_FALSE(has_repos(*db_, find_namespace(*db_, "a")->value().id).value());
  const RepoId another = ensure_repo(*db_, repo("a/web"), stamp()).value();
  EXPECT_NE(another, id);
  EXPECT_EQ(find_repo(*db_, repo("a/web"))->value(), another);
  erase("a/web");
  EXPECT_EQ(probe_.rows("SELECT kind, repo_id, obj_id, due FROM gc_queue").size(), 2U) << "each is for the collector";
  EXPECT_EQ(probe_.number("SELECT min(due) FROM gc_queue WHERE kind = 6"), now_ + kUndoMs);
}

TEST_F(Repos, OfADeletedOneNothingIsSeenOrMounted) {  // S4, X1, X3
  const std::string text = image("a/web", {"config", "layer"});
  point("a/web", "v1", text);
  push("b/app", "layer");
  erase("a/web");
  EXPECT_FALSE(find_link(*db_, repo("a/web"), digest("config"))->has_value());
  EXPECT_FALSE(find_manifest(*db_, repo("a/web"), oci::Reference(digest(text)))->has_value());
  EXPECT_FALSE(find_manifest(*db_, repo("a/web"), oci::Reference(tag("v1")))->has_value());
  EXPECT_FALSE(mount("b/app", "a/web", "config"));
  EXPECT_FALSE(mount("b/app", std::nullopt, "config")) << "nobody else has it";
  EXPECT_THAT(blob_holders(*db_, digest("config"), 10).value(), IsEmpty());
  EXPECT_THAT(blob_holders(*db_, digest("layer"), 10).value(), ElementsAre(repo("b/app")));
  const RepoId another = repo_id("a/web");
  EXPECT_FALSE(find_edge_target(*db_, another, digest("config"))->has_value()) << "a new one begins empty";
  EXPECT_THAT(list_tags(*db_, another, "", 10).value(), IsEmpty());
}

TEST_F(Repos, ARenamedOneKeepsWhatItHolds) {
  const std::string text = image("a/web", {"config"});
  point("a/web", "v1", text);
  const RepoInfo before = info("a/web");
  ASSERT_TRUE(rename_repo(*db_, before, repo("a/site")).has_value());
  EXPECT_FALSE(find_repo(*db_, repo("a/web"))->has_value());
  EXPECT_FALSE(find_link(*db_, repo("a/web"), digest("config"))->has_value());
  const RepoInfo after = info("a/site");
  EXPECT_EQ(after.id, before.id);
  EXPECT_GT(after.version, before.version);
  EXPECT_EQ(after.tags, 1);
  EXPECT_TRUE(find_manifest(*db_, repo("a/site"), oci::Reference(tag("v1")))->has_value());
}

TEST_F(Repos, ATakenNameStaysWhatItIs) {
  repo_id("a/web");
  repo_id("a/site");
  repo_id("b/web");
  EXPECT_EQ(rename_repo(*db_, info("a/web"), repo("a/site")).error().code, Errc::already_exists);
  const auto moved = transfer_repo(*db_, info("a/web"), info("b/web").ns, repo("b/web"));
  EXPECT_EQ(moved.error().code, Errc::already_exists);
}

TEST_F(Repos, LinksAreCountedNoFurtherThanAsked) {
  for (const char* text : {"1", "2", "3"}) push("a/web", text);
  EXPECT_TRUE(has_more_links_than(*db_, repo_id("a/web"), 2).value());
  EXPECT_FALSE(has_more_links_than(*db_, repo_id("a/web"), 3).value());
}

TEST_F(Repos, SettingsAreReadAsWritten) {
  EXPECT_FALSE(get_setting(*db_, "boot_id")->has_value());
  ASSERT_TRUE(put_setting(*db_, "boot_id", "one").has_value());
  ASSERT_TRUE(put_setting(*db_, "boot_id", "two").has_value());
  EXPECT_EQ(get_setting(*db_, "boot_id")->value(), "two");
}

}  // namespace
}  // namespace berth::meta
