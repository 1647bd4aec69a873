#include "meta/uploads.h"

#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Uploads : public test::MetaFixture {
 protected:
  UploadRow open_row(std::string id, std::uint64_t inc) const {
    UploadRow row;
    row.id = std::move(id);
    row.repo = "team/app";
    row.inc = inc;
    row.offset_bytes = 10;
    row.synced_bytes = 5;
    row.hash256 = {std::byte{1}, std::byte{0}, std::byte{2}};
    row.created_at = now_;
    row.expires_at = now_ + 1000;
    return row;
  }
  UploadRow finished_row(std::string id, std::uint64_t inc) const {
    UploadRow row = open_row(std::move(id), inc);
    row.digest = digest("content");
    return row;
  }
  static std::vector<std::string> ids(const Result<std::vector<UploadRow>>& rows) {
    std::vector<std::string> out;
    for (const auto& row : rows.value()) out.push_back(row.id);
    return out;
  }
};

TEST_F(Uploads, ASessionIsReadAsWrittenAndProgresses) {
  UploadRow row = open_row("u1", INT64_MAX);
  ASSERT_TRUE(save_upload(*db_, row).has_value());
  row.offset_bytes = 20;
  row.hash512 = {std::byte{9}};
  row.expires_at += 5;
  ASSERT_TRUE(save_upload(*db_, row).has_value());
  const auto found = find_upload(*db_, "u1")->value();
  EXPECT_EQ(found.repo, "team/app");
  EXPECT_EQ(found.state, kUploadOpen);
  EXPECT_EQ(found.inc, static_cast<std::uint64_t>(INT64_MAX));
  EXPECT_EQ(found.offset_bytes, 20U);
  EXPECT_EQ(found.synced_bytes, 5U);
  EXPECT_EQ(found.hash256, row.hash256);
  EXPECT_EQ(found.hash512, row.hash512);
  EXPECT_EQ(found.expires_at, now_ + 1005);
  EXPECT_FALSE(found.digest.has_value());
  EXPECT_EQ(find_upload_by_inc(*db_, INT64_MAX)->value().id, "u1");
  EXPECT_FALSE(find_upload(*db_, "u2")->has_value());
  EXPECT_FALSE(find_upload_by_inc(*db_, 1)->has_value());
}

TEST_F(Uploads, ATombstoneIsNotOverwrittenByALateSave) {  // U10
  ASSERT_TRUE(record_upload(*db_, finished_row("u1", 1), false).has_value());
  ASSERT_TRUE(save_upload(*db_, open_row("u1", 1)).has_value());  // queued before the commit, run after it
  const auto found = find_upload(*db_, "u1")->value();
  EXPECT_EQ(found.state, kUploadCommitted);
  EXPECT_EQ(found.digest, digest("content"));
}

TEST_F(Uploads, CommittingKeepsTheIdentityAndDropsTheHashStates) {
  ASSERT_TRUE(save_upload(*db_, open_row("u1", 7)).has_value());
  ASSERT_TRUE(commit_upload(*db_, finished_row("u1", 7), false).has_value());
  const auto found = find_upload(*db_, "u1")->value();
  EXPECT_EQ(found.state, kUploadCommitted);
  EXPECT_EQ(found.inc, 7U);
  EXPECT_FALSE(found.placed);
  EXPECT_TRUE(found.hash256.empty());
}

TEST_F(Uploads, UnplacedOnesAreListedUntilPlaced) {
  ASSERT_TRUE(save_upload(*db_, open_row("open", 1)).has_value());
  ASSERT_TRUE(record_upload(*db_, finished_row("surplus", 2), true).has_value());
  ASSERT_TRUE(record_upload(*db_, finished_row("waiting", 3), false).has_value());
  EXPECT_THAT(ids(list_unplaced(*db_, 10)), ElementsAre("waiting"));
  ASSERT_TRUE(mark_placed(*db_, "waiting").has_value());
  EXPECT_THAT(ids(list_unplaced(*db_, 10)), IsEmpty());
}

TEST_F(Uploads, OldSessionsAndTombstonesExpireButNeverAnUnplacedOne) {  // U12
  UploadRow young = open_row("young", 1);
  young.expires_at = now_ + 5000;
  ASSERT_TRUE(save_upload(*db_, young).has_value());
  ASSERT_TRUE(save_upload(*db_, open_row("idle", 2)).has_value());
  UploadRow tomb = finished_row("tomb", 3);
  tomb.expires_at = now_ + 500;
  ASSERT_TRUE(record_upload(*db_, tomb, true).has_value());
  ASSERT_TRUE(record_upload(*db_, finished_row("unplaced", 4), false).has_value());
  EXPECT_THAT(ids(list_expired(*db_, now_ + 1000, now_ + 1000, 10)), ElementsAre("tomb"))
      << "due means strictly before now";
  EXPECT_THAT(ids(list_expired(*db_, now_ + 1001, now_ + 1001, 10)), ElementsAre("tomb", "idle")) << "oldest first";
  EXPECT_THAT(ids(list_expired(*db_, now_ + 1001, now_ + 1001, 1)), ElementsAre("tomb"));
  EXPECT_THAT(ids(list_expired(*db_, now_ + 6000, now_, 10)), ElementsAre("idle", "young")) << "sessions alone";
  ASSERT_TRUE(forget_upload(*db_, "tomb").has_value());
  ASSERT_TRUE(forget_tombstone(*db_, "unplaced").has_value());
  EXPECT_TRUE(find_upload(*db_, "tomb")->has_value()) << "it may be all that knows where the bytes are";
  EXPECT_TRUE(find_upload(*db_, "unplaced")->has_value());
  ASSERT_TRUE(forget_tombstone(*db_, "tomb").has_value());
  EXPECT_THAT(ids(list_expired(*db_, now_ + 1001, now_ + 1001, 10)), ElementsAre("idle"));
}

TEST_F(Uploads, ASessionWhoseRowIsGoneCannotBeCommitted) {  // its bytes are gone too, or about to be
  EXPECT_EQ(commit_upload(*db_, finished_row("u1", 1), false).error().code, Errc::upload_unknown);
  EXPECT_FALSE(find_upload(*db_, "u1")->has_value());
}

TEST_F(Uploads, ADiscardedSessionCanBeNeitherSavedNorCommitted) {  // U12
  UploadRow row = open_row("u1", 1);
  ASSERT_TRUE(save_upload(*db_, row).has_value());
  EXPECT_TRUE(discard_upload(*db_, row).value());
  EXPECT_FALSE(discard_upload(*db_, row).value()) << "over already";
  ASSERT_TRUE(save_upload(*db_, row).has_value());
  EXPECT_EQ(find_upload(*db_, "u1")->value().state, kUploadDiscarded);
  EXPECT_EQ(commit_upload(*db_, finished_row("u1", 1), false).error().code, Errc::upload_unknown);
  EXPECT_THAT(ids(list_expired(*db_, now_, now_, 10)), ElementsAre("u1")) << "its bytes are to go";

  UploadRow unsaved = open_row("u2", 2);
  EXPECT_TRUE(discard_upload(*db_, unsaved).value()) << "its row may not have been written yet";
  ASSERT_TRUE(record_upload(*db_, finished_row("done", 3), false).has_value());
  EXPECT_FALSE(discard_upload(*db_, finished_row("done", 3)).value());
  EXPECT_EQ(find_upload(*db_, "done")->value().state, kUploadCommitted);
}

}  // namespace
}  // namespace berth::meta
