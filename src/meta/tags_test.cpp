#include "meta/tags.h"

#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Tags : public test::MetaFixture {
 protected:
  Tags() {
    first_ = image("app", {"config", "one"});
    second_ = image("app", {"config", "two"});
  }
  /// Oldest first, as "set <to> from <from>" with the manifests called 1 and 2.
  std::vector<std::string> history(std::string_view name) {
    const auto call = [&](const std::optional<oci::Digest>& d) -> std::string {
      if (!d) return "-";
      return *d == digest(first_) ? "1" : *d == digest(second_) ? "2" : "?";
    };
    std::vector<std::string> out;
    auto events = tag_history(*db_, repo_id("app"), tag(name), 100).value();
    for (auto at = events.rbegin(); at != events.rend(); ++at) {
      out.push_back((at->op == TagOp::set ? "set " : "delete ") + call(at->previous) + ">" + call(at->digest));
    }
    return out;
  }

  std::string first_;
  std::string second_;
};

TEST_F(Tags, EveryMoveAndEveryDeleteIsAnEventFromTo) {
  point("app", "v1", first_);
  point("app", "v1", second_);
  EXPECT_TRUE(delete_tag(*db_, repo_id("app"), tag("v1"), stamp()).value());
  point("app", "v1", first_);
  EXPECT_THAT(history("v1"), ElementsAre("set ->1", "set 1>2", "delete 2>-", "set ->1"));
}

TEST_F(Tags, SettingItToWhatItIsWritesNothing) {  // M6
  point("app", "v1", first_);
  const std::string before = probe_.dump();
  now_ += 1000;
  point("app", "v1", first_);
  EXPECT_EQ(probe_.dump(), before);
}

TEST_F(Tags, TimesStrictlyIncreaseThoughTheClockDoesNot) {
  point("app", "v1", first_);
  point("app", "v1", second_);
  now_ -= 48LL * 3600 * 1000;  // the clock jumps back
  point("app", "v1", first_);
  EXPECT_TRUE(delete_tag(*db_, repo_id("app"), tag("v1"), stamp()).value());
  now_ += 96LL * 3600 * 1000;
  point("app", "v1", first_);
  const auto events = tag_history(*db_, repo_id("app"), tag("v1"), 100).value();
  ASSERT_EQ(events.size(), 5U);
  for (std::size_t i = 1; i < events.size(); ++i) EXPECT_LT(events[i].at_ms, events[i - 1].at_ms) << "newest first";
  EXPECT_EQ(events[0].at_ms, now_);
}

TEST_F(Tags, TheActorIsRecorded) {
  const auto id = find_child_target(*db_, repo_id("app"), digest(first_))->value().id;
  ASSERT_TRUE(set_tag(*db_, repo_id("app"), tag("v1"), id, digest(first_), {now_, 42}).has_value());
  EXPECT_EQ(tag_history(*db_, repo_id("app"), tag("v1"), 1)->front().actor, 42);
}

TEST_F(Tags, TheVersionGrowsWithEachMove) {
  point("app", "v1", first_);
  EXPECT_EQ(find_tag(*db_, repo_id("app"), tag("v1"))->value().version, 1);
  point("app", "v1", second_);
  const auto row = find_tag(*db_, repo_id("app"), tag("v1"))->value();
  EXPECT_EQ(row.version, 2);
  EXPECT_EQ(row.digest, digest(second_));
}

TEST_F(Tags, DeletingTouchesOneTagOfOneRepository) {  // D1
  image("other", {"config", "one"});
  point("other", "v1", first_);
  point("app", "v1", first_);
  point("app", "v2", first_);
  EXPECT_TRUE(delete_tag(*db_, repo_id("app"), tag("v1"), stamp()).value());
  EXPECT_FALSE(delete_tag(*db_, repo_id("app"), tag("v1"), stamp()).value());
  EXPECT_FALSE(delete_tag(*db_, repo_id("app"), tag("V2"), stamp()).value()) << "case matters (G2)";
  EXPECT_THAT(list_tags(*db_, repo_id("app"), "", 10).value(), ElementsAre("v2"));
  EXPECT_THAT(list_tags(*db_, repo_id("other"), "", 10).value(), ElementsAre("v1"));
}

TEST_F(Tags, DeletingAManifestsTagsRecordsEachOfThem) {  // D1
  for (const char* name : {"a", "b", "c"}) point("app", name, first_);
  point("app", "keep", second_);
  const auto id = find_child_target(*db_, repo_id("app"), digest(first_))->value().id;
  ASSERT_TRUE(delete_tags_of(*db_, repo_id("app"), id, digest(first_), stamp()).has_value());
  EXPECT_THAT(list_tags(*db_, repo_id("app"), "", 10).value(), ElementsAre("keep"));
  for (const char* name : {"a", "b", "c"}) EXPECT_THAT(history(name), ElementsAre("set ->1", "delete 1>-"));
}

TEST_F(Tags, PagesAreBytewiseAndTheLastNameNeedNotExist) {  // L1
  for (const char* name : {"b", "B", "a", "_x", "1.0", "1-0"}) point("app", name, first_);
  EXPECT_THAT(list_tags(*db_, repo_id("app"), "", 10).value(), ElementsAre("1-0", "1.0", "B", "_x", "a", "b"));
  EXPECT_THAT(list_tags(*db_, repo_id("app"), "B", 2).value(), ElementsAre("_x", "a"));
  EXPECT_THAT(list_tags(*db_, repo_id("app"), "C", 2).value(), ElementsAre("_x", "a"));
  EXPECT_THAT(list_tags(*db_, repo_id("app"), "b", 2).value(), IsEmpty());
  EXPECT_THAT(list_tags(*db_, repo_id("app"), "", 0).value(), IsEmpty());
}

TEST_F(Tags, FallbackTagsAreToldByTheirName) {  // R6
  const std::string hex(64, 'a');
  const struct {
    std::string name;
    std::int64_t kind;
    std::string_view why;
  } rows[] = {
      {"sha256-" + hex, 2, "referrers fallback"},        {"sha256-" + hex + ".sig", 2, "cosign"},
      {"sha256-" + hex.substr(1), 0, "one digit short"}, {"sha256-" + std::string(64, 'g'), 0, "no hex"},
      {"sha512-" + hex, 0, "another algorithm"},         {"v1", 0, "ordinary"},
  };
  for (const auto& row : rows) {
    point("app", row.name, first_);
    EXPECT_EQ(probe_.number("SELECT kind FROM tag WHERE name = '" + row.name + "'"), row.kind) << row.why;
  }
}

}  // namespace
}  // namespace berth::meta
