#include "lifecycle/recovery.h"

#include "blob/blob_paths.h"
#include "lifecycle/test_store.h"
#include "meta/blobs.h"
#include "meta/settings.h"
#include "meta/uploads.h"

namespace berth::lifecycle {
namespace {

using test::StoreOnFaultyDisk;

class Recovery : public ::testing::Test {
 protected:
  RecoveryReport recover_in(const std::string& boot_id) {
    auto done = recover(deps(), boot_id);
    EXPECT_TRUE(done.has_value()) << done.error().message << done.error().cause;
    RecoveryReport report = std::move(done).value_or(RecoveryReport{});
    review_strays(deps(), report.strays, [](std::size_t) { return true; }, report);
    return report;
  }
  RecoveryDeps deps() { return {*store_.meta, *store_.blobs, store_.clock, store_.log}; }

  /// An open session with these bytes confirmed.
  meta::UploadRow open_session(std::uint64_t inc, const std::string& bytes) {
    store_.write_file(blob::staged_path(inc), bytes);
    meta::UploadRow row;
    row.id = "session-" + std::to_string(inc);
    row.repo = "team/app";
    row.inc = inc;
    row.offset_bytes = bytes.size();
    crypto::Sha256 hash;
    hash.update(std::as_bytes(std::span(bytes)));
    row.hash256 = hash.export_state();
    row.expires_at = store_.clock.now_ms() + 1'000'000;
    EXPECT_TRUE(
        store_.meta->write_blocking([&](sql::Connection& db) { return meta::save_upload(db, row); }).has_value());
    return row;
  }
  std::optional<meta::UploadRow> session(const std::string& id) {
    return *store_.meta->peek([&](sql::Connection& db) { return meta::find_upload(db, id); });
  }

  StoreOnFaultyDisk store_;
};

TEST_F(Recovery, PlacesWhatWasCommittedButNotPlaced) {
  const blob::BlobKey a = store_.commit("first", 1);
  const blob::BlobKey b = store_.commit("second", 2);
  EXPECT_EQ(recover_in("boot").placed, 2u);
  EXPECT_EQ(store_.files.content(blob::final_path(a)), "first");
  EXPECT_EQ(store_.files.content(blob::final_path(b)), "second");
  EXPECT_FALSE(store_.files.exists(blob::staged_path(1)));
  EXPECT_EQ(recover_in("boot").placed, 0u) << "what is placed is placed";
}

TEST_F(Recovery, APlacementIsNotedOnlyWhenItSurvivesAPowerCut) {
  const blob::BlobKey key = store_.commit("bytes", 1);
  ASSERT_EQ(recover_in("boot").placed, 1u);
  store_.files.cut_power();
  EXPECT_EQ(store_.files.content(blob::final_path(key)), "bytes");
}

TEST_F(Recovery, ARenameThatFailsIsTriedAgain) {
  const blob::BlobKey key = store_.commit("bytes", 1);
  store_.files.fail_at(1, Errc::io_failed);
  EXPECT_EQ(*place_pending(deps(), 10), 0u);
  EXPECT_EQ(*place_pending(deps(), 10), 1u);
  EXPECT_TRUE(store_.files.exists(blob::final_path(key)));
}

TEST_F(Recovery, AFolderThatCannotBeSyncedLeavesThePlacementToBeDoneAgain) {
  const blob::BlobKey key = store_.commit("bytes", 1);
  store_.files.fail_at(2, Errc::io_failed);
  EXPECT_FALSE(place_pending(deps(), 10).has_value());
  EXPECT_EQ(*place_pending(deps(), 10), 1u);
  store_.files.cut_power();
  EXPECT_EQ(store_.files.content(blob::final_path(key)), "bytes");
}

TEST_F(Recovery, BytesThatAreNowhereAreNotLookedForAgain) {
  store_.commit("bytes", 1);
  ASSERT_TRUE(store_.files.unlink(blob::staged_path(1)).has_value());
  EXPECT_EQ(recover_in("boot").placed, 1u);
  EXPECT_EQ(store_.probe().number("SELECT count(*) FROM upload WHERE placed = 0"), 0);
}

TEST_F(Recovery, PlacesMoreThanAPageOfThem) {
  for (std::uint64_t inc = 1; inc <= 5; ++inc) store_.commit("bytes " + std::to_string(inc), inc);
  EXPECT_EQ(*place_pending(deps(), 2), 2u);
  EXPECT_EQ(recover_in("boot").placed, 3u);
}

TEST_F(Recovery, RemovesFilesThatNobodyWasToldOf) {
  store_.write_file(blob::staged_path(7), "the process died before it answered");
  EXPECT_EQ(recover_in("boot").files_removed, 1u);
  EXPECT_FALSE(store_.files.exists(blob::staged_path(7)));
}

TEST_F(Recovery, RemovesTheSurplusCopyOfABlobThatWasHereAlready) {
  const blob::BlobKey kept = store_.commit("bytes", 1);
  store_.commit("bytes", 2);
  const auto report = recover_in("boot");
  EXPECT_EQ(report.placed, 1u);
  EXPECT_EQ(report.files_removed, 1u);
  EXPECT_FALSE(store_.files.exists(blob::staged_path(2)));
  EXPECT_EQ(store_.files.content(blob::final_path(kept)), "bytes");
}

TEST_F(Recovery, LeavesNamesThatAreNotItsOwn) {
  store_.write_file("uploads/notes.txt", "somebody's");
  EXPECT_EQ(recover_in("boot").files_removed, 0u);
  EXPECT_TRUE(store_.files.exists("uploads/notes.txt"));
}

TEST_F(Recovery, AfterAKillASessionGoesOnWhereItWas) {
  recover_in("boot");
  const auto row = open_session(3, "half of it");
  const auto report = recover_in("boot");
  EXPECT_EQ(report.sessions_kept, 1u);
  EXPECT_EQ(report.sessions_restarted, 0u);
  EXPECT_EQ(session(row.id)->offset_bytes, row.offset_bytes);
  EXPECT_EQ(session(row.id)->hash256, row.hash256);
  EXPECT_EQ(store_.files.content(blob::staged_path(3)), "half of it");
}

TEST_F(Recovery, AfterAPowerCutASessionStartsOver) {
  recover_in("boot");
  auto row = open_session(3, "half of it");
  row.hash512 = crypto::Sha512().export_state();
  ASSERT_TRUE(store_.meta->write_blocking([&](sql::Connection& db) { return meta::save_upload(db, row); }).has_value());
  const auto report = recover_in("another boot");
  EXPECT_EQ(report.sessions_kept, 0u);
  EXPECT_EQ(report.sessions_restarted, 1u);
  EXPECT_EQ(session(row.id)->offset_bytes, 0u);
  EXPECT_TRUE(session(row.id)->hash256.empty());
  EXPECT_EQ(session(row.id)->hash512, crypto::Sha512().export_state()) << "the client's hint stays good";
  EXPECT_FALSE(store_.files.exists(blob::staged_path(3)));
}

TEST_F(Recovery, RemembersTheBoot) {
  recover_in("first");
  recover_in("second");
  EXPECT_EQ(*store_.meta->peek([](sql::Connection& db) { return meta::get_setting(db, "boot_id"); }), "second");
}

TEST_F(Recovery, FinishesWhatWasDoomed) {
  const blob::BlobKey placed = store_.commit("placed", 1);
  const blob::BlobKey staged = store_.commit("staged", 2);
  recover_in("boot");
  ASSERT_TRUE(store_.files.rename(blob::final_path(staged), blob::staged_path(2)).has_value());
  store_.doom(placed);
  store_.doom(staged);
  store_.doom({placed.digest, 99});  // its file went before the process died
  recover_in("boot");
  EXPECT_FALSE(store_.files.exists(blob::final_path(placed)));
  EXPECT_FALSE(store_.files.exists(blob::staged_path(2)));
  EXPECT_EQ(store_.probe().number("SELECT count(*) FROM doomed"), 0);
}

TEST_F(Recovery, AnUnlinkThatFailsKeepsItsRowAndStopsNothing) {
  const blob::BlobKey stuck = store_.commit("stuck", 1);
  const blob::BlobKey other = store_.commit("other", 2);
  recover_in("boot");
  store_.doom(stuck);
  store_.doom(other);
  store_.write_file(blob::staged_path(9), "nobody's");
  store_.files.fail_at(1, Errc::io_failed);
  const auto report = recover_in("boot");
  EXPECT_TRUE(store_.files.struck());
  EXPECT_EQ(report.files_stuck, 1u);
  EXPECT_EQ(report.files_removed, 1u);
  EXPECT_TRUE(store_.files.exists(blob::final_path(stuck)));
  EXPECT_FALSE(store_.files.exists(blob::final_path(other)));
  EXPECT_EQ(store_.probe().number("SELECT inc FROM doomed"), 1);
  EXPECT_EQ(recover_in("boot").files_stuck, 0u) << "the next start tries again";
  EXPECT_FALSE(store_.files.exists(blob::final_path(stuck)));
  EXPECT_EQ(store_.probe().number("SELECT count(*) FROM doomed"), 0);
}

TEST_F(Recovery, AStagedFileThatCannotBeRemovedStopsNothing) {
  recover_in("boot");
  store_.write_file(blob::staged_path(7), "nobody's");
  store_.files.on_operation([&](const auto& op) {
    if (op.call == "unlink") store_.files.fail_at(1, Errc::io_failed);
  });
  EXPECT_EQ(recover_in("boot").files_stuck, 1u);
  store_.files.on_operation({});
  EXPECT_EQ(recover_in("boot").files_removed, 1u);
}

TEST_F(Recovery, ASessionWhoseStaleBytesCannotBeRemovedIsForgotten) {
  recover_in("boot");
  const auto row = open_session(3, "of before the power cut");
  store_.files.on_operation([&](const auto& op) {
    if (op.call == "unlink") store_.files.fail_at(1, Errc::io_failed);
  });
  const auto report = recover_in("another boot");
  store_.files.on_operation({});
  EXPECT_EQ(report.files_stuck, 1u);
  EXPECT_FALSE(session(row.id).has_value()) << "it would be resumed with bytes that prove nothing";
  EXPECT_EQ(recover_in("another boot").files_removed, 1u);
}

TEST_F(Recovery, ABlobStillUnderItsStagedNameIsPlacedWhateverItsUploadSays) {
  const blob::BlobKey key = store_.commit("the only copy", 1);
  store_.probe().force("UPDATE upload SET placed = 1");
  EXPECT_EQ(recover_in("boot").placed, 1u);
  store_.files.cut_power();
  EXPECT_EQ(store_.files.content(blob::final_path(key)), "the only copy");
}

TEST_F(Recovery, ABlobStillUnderItsStagedNameOutlivesItsUpload) {
  const blob::BlobKey key = store_.commit("the only copy", 1);
  const std::string wide = "under sha512";
  store_.write_file(blob::staged_path(2), wide);
  const blob::BlobKey key512{oci::digest_of(oci::Algorithm::sha512, wide), 2};
  store_.probe().force("DELETE FROM upload; INSERT INTO blob(digest, size, state, inc, created_at) VALUES(x'" +
                       to_hex(key512.digest.storage()) + "', 12, 1, 2, 0)");
  store_.write_file(blob::staged_path(3), "the only copy");  // of another upload: surplus
  const auto report = recover_in("boot");
  EXPECT_EQ(report.placed, 2u);
  EXPECT_EQ(report.files_removed, 1u);
  store_.files.cut_power();
  EXPECT_EQ(store_.files.content(blob::final_path(key)), "the only copy");
  EXPECT_EQ(store_.files.content(blob::final_path(key512)), wide);
}

TEST_F(Recovery, TheBytesOfABlobThatWasSetAsideAreKeptForTheChecks) {
  const blob::BlobKey key = store_.commit("the only copy", 1);
  store_.probe().force("UPDATE upload SET placed = 1; UPDATE blob SET state = 3");
  EXPECT_EQ(recover_in("boot").placed, 1u);
  EXPECT_EQ(store_.files.content(blob::final_path(key)), "the only copy");
}

bool recover_all(const RecoveryDeps& deps) {
  auto done = recover(deps, "boot");
  if (done) review_strays(deps, done->strays, [](std::size_t) { return true; }, *done);
  return done.has_value();
}

TEST_F(Recovery, SurvivesAFailureOfAnyOfItsSteps) {
  for (std::uint64_t step = 1;; ++step) {
    StoreOnFaultyDisk fresh;
    const blob::BlobKey a = fresh.commit("first", 1);
    fresh.commit("first", 2);
    const blob::BlobKey b = fresh.commit("second", 3);
    fresh.write_file(blob::staged_path(9), "nobody's");
    const RecoveryDeps with{*fresh.meta, *fresh.blobs, fresh.clock, fresh.log};
    fresh.files.fail_at(step, Errc::io_failed);
    recover_all(with);
    const bool struck = fresh.files.struck();
    fresh.files.heal();
    ASSERT_TRUE(recover_all(with)) << "after a failure of step " << step;
    fresh.files.cut_power();
    EXPECT_EQ(fresh.files.content(blob::final_path(a)), "first") << step;
    EXPECT_EQ(fresh.files.content(blob::final_path(b)), "second") << step;
    if (!struck) return;
  }
}

TEST_F(Recovery, AStartReadsNoBytesOfWhatNobodyKnows) {
  recover_in("boot");
  store_.write_file(blob::staged_path(7), std::string(1'000'000, 'x'));
  std::size_t reads = 0;
  store_.files.on_operation([&](const auto& op) { reads += op.call == "read_at" ? 1 : 0; });
  const auto report = recover(deps(), "boot");
  store_.files.on_operation({});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->strays, std::vector<std::uint64_t>{7});
  EXPECT_EQ(reads, 0u);
  EXPECT_TRUE(store_.files.exists(blob::staged_path(7)));
}

TEST_F(Recovery, AReviewThatIsStoppedLeavesTheRestToTheNextStart) {
  recover_in("boot");
  store_.write_file(blob::staged_path(7), "nobody's");
  auto report = recover(deps(), "boot").value();
  review_strays(deps(), report.strays, [](std::size_t) { return false; }, report);
  EXPECT_TRUE(store_.files.exists(blob::staged_path(7)));
  EXPECT_EQ(report.files_stuck, 0u);
  EXPECT_EQ(recover_in("boot").files_removed, 1u);
}

TEST_F(Recovery, ItsWorkDoesNotDependOnWhatIsStored) {
  recover_in("boot");
  store_.files.reset_counters();
  recover_in("boot");
  const auto before = store_.files.operations();
  for (std::uint64_t inc = 1; inc <= 20; ++inc) store_.commit("bytes " + std::to_string(inc), inc);
  recover_in("boot");
  store_.files.reset_counters();
  recover_in("boot");
  EXPECT_EQ(store_.files.operations(), before);
}

}  // namespace
}  // namespace berth::lifecycle
