#include "lifecycle/scrub.h"

#include "lifecycle/test_store.h"

namespace berth::lifecycle {
namespace {

using test::StoreOnFaultyDisk;

class Scrub : public ::testing::Test {
 protected:
  static constexpr std::size_t kAll = 100;

  ScrubReport scrub(meta::BlobId from, std::size_t limit, const blob::BlobMaintenance::Pace& pace) {
    const auto done = scrub_slice({*store_.meta, *store_.blobs, store_.clock, store_.log}, from, limit, pace);
    EXPECT_TRUE(done.has_value()) << done.error().cause;
    store_.flush();
    return done.value_or(ScrubReport{});
  }
  ScrubReport scrub_all() {
    return scrub(0, kAll, [](std::size_t) { return true; });
  }
  bool pass(meta::BlobId from, const blob::BlobMaintenance::Pace& pace) {
    const auto whole = scrub_pass({*store_.meta, *store_.blobs, store_.clock, store_.log}, from, pace,
                                  [this](const ScrubReport& slice) { heard_.push_back(slice.position); });
    EXPECT_TRUE(whole.has_value()) << whole.error().cause;
    store_.flush();
    return whole.value_or(false);
  }
  std::int64_t checked_at(const blob::BlobKey& key) {
    return store_.probe().number("SELECT checked_at FROM blob WHERE inc = " + std::to_string(key.inc));
  }

  StoreOnFaultyDisk store_;
  std::vector<meta::BlobId> heard_;
};

TEST_F(Scrub, GoodBlobsAreNotedAsChecked) {
  const auto a = store_.store("first", 1);
  const auto b = store_.store("second", 2);
  store_.clock.advance_ms(5'000);
  const auto report = scrub_all();
  EXPECT_EQ(report.checked, 2u);
  EXPECT_EQ(report.bad, 0u);
  EXPECT_EQ(report.position, 0) << "the walk is complete";
  EXPECT_EQ(checked_at(a), store_.clock.now_ms());
  EXPECT_EQ(checked_at(b), store_.clock.now_ms());
}

TEST_F(Scrub, ABlobOnItsWayToItsPlaceIsGood) {
  store_.commit("staged still", 1);
  EXPECT_EQ(scrub_all().bad, 0u);
}

TEST_F(Scrub, AFlippedByteGoesToQuarantineAndIsNotServed) {
  const auto good = store_.store("good", 1);
  const auto bad = store_.store("damaged later", 2);
  store_.files.flip_byte(blob::final_path(bad), 5);
  const auto report = scrub_all();
  EXPECT_EQ(report.checked, 2u);
  EXPECT_EQ(report.bad, 1u);
  EXPECT_EQ(store_.state_of(bad), 3);
  EXPECT_EQ(store_.state_of(good), 1);
  EXPECT_FALSE(store_.files.exists(blob::final_path(bad)));
  EXPECT_TRUE(store_.files.exists(blob::quarantine_path(bad))) << "never deleted silently";
  EXPECT_FALSE(store_.meta
                   ->peek([&](sql::Connection& db) {
                     return meta::find_link(db, *oci::RepoName::parse("team/app"), bad.digest);
                   })
                   ->has_value());
}

TEST_F(Scrub, AShortFileAndAMissingOneAreDamage) {
  const auto cut = store_.store("cut short later", 1);
  const auto gone = store_.store("gone later", 2);
  store_.files.shorten(blob::final_path(cut), 3);
  ASSERT_TRUE(store_.files.unlink(blob::final_path(gone)).has_value());
  EXPECT_EQ(scrub_all().bad, 2u);
  EXPECT_EQ(store_.state_of(cut), 3);
  EXPECT_EQ(store_.state_of(gone), 3);
}

TEST_F(Scrub, ABlobKnownToBeBadIsOnlyLookedFor) {
  const auto bad = store_.store("damaged later", 1);
  store_.files.flip_byte(blob::final_path(bad), 5);
  scrub_all();
  store_.files.on_operation([](const auto& op) { EXPECT_EQ(op.call, "open"); });
  const auto report = scrub_all();
  EXPECT_EQ(report.checked, 0u);
  EXPECT_EQ(report.restored, 0u);
  EXPECT_EQ(store_.state_of(bad), 3);
}

TEST_F(Scrub, ABlobSetAsideByMistakeIsPresentAgain) {
  const auto good = store_.store("away for a while", 1);
  const auto wrong = store_.store("damaged, and not moved yet", 2);
  store_.files.flip_byte(blob::final_path(wrong), 5);
  store_.probe().force("UPDATE blob SET state = 3");
  EXPECT_EQ(scrub_all().restored, 1u);
  EXPECT_EQ(store_.state_of(good), 1);
  EXPECT_EQ(store_.state_of(wrong), 3);
  EXPECT_TRUE(store_.files.exists(blob::final_path(good)));
  EXPECT_TRUE(store_.files.exists(blob::quarantine_path(wrong)));
}

TEST_F(Scrub, ManyMissingFilesAreNotWrittenOff) {
  std::vector<blob::BlobKey> keys;
  for (std::uint64_t inc = 1; inc <= 20; ++inc) keys.push_back(store_.store("blob " + std::to_string(inc), inc));
  for (std::size_t i = 0; i < 11; ++i) ASSERT_TRUE(store_.files.unlink(blob::final_path(keys[i])).has_value());
  store_.files.flip_byte(blob::final_path(keys[19]), 2);
  const auto report = scrub_all();
  EXPECT_EQ(report.checked, 20u);
  EXPECT_EQ(report.bad, 1u) << "wrong bytes are wrong whatever is missing";
  EXPECT_EQ(report.position, 0) << "the walk goes on all the same";
  EXPECT_EQ(store_.probe().number("SELECT count(*) FROM blob WHERE state = 3"), 1);
}

TEST_F(Scrub, GetsPastARowItCannotRead) {
  const auto before = store_.store("before", 1);
  store_.store("its row is damaged", 2);
  const auto after = store_.store("after", 3);
  store_.probe().force("UPDATE blob SET digest = x'00' WHERE inc = 2");
  const auto first = scrub(0, 2, [](std::size_t) { return true; });
  EXPECT_EQ(first.checked, 1u);
  ASSERT_NE(first.position, 0) << "there is more";
  EXPECT_EQ(scrub(first.position, 2, [](std::size_t) { return true; }).checked, 1u);
  store_.probe().force("UPDATE blob SET checked_at = 0");
  store_.clock.advance_ms(5'000);
  EXPECT_TRUE(pass(0, [](std::size_t) { return true; }));
  EXPECT_EQ(checked_at(before), store_.clock.now_ms());
  EXPECT_EQ(checked_at(after), store_.clock.now_ms());
}

TEST_F(Scrub, APassReadsTheWholeStoreWithoutARest) {
  for (std::uint64_t inc = 1; inc <= 250; ++inc) store_.store("blob " + std::to_string(inc), inc);
  EXPECT_TRUE(pass(0, [](std::size_t) { return true; }));
  EXPECT_EQ(store_.probe().number("SELECT count(*) FROM blob WHERE checked_at = 0"), 0);
  EXPECT_EQ(heard_.size(), 3u);
  EXPECT_EQ(heard_.back(), 0);
}

TEST_F(Scrub, APassThatIsStoppedGoesOnThereTheNextTime) {
  for (std::uint64_t inc = 1; inc <= 150; ++inc) store_.store("blob " + std::to_string(inc), inc);
  int files = 0;
  EXPECT_FALSE(pass(0, [&](std::size_t bytes) { return bytes != kScrubFileBytes || ++files <= 120; }));
  EXPECT_EQ(store_.probe().number("SELECT count(*) FROM blob WHERE checked_at <> 0"), 120);
  files = 0;
  EXPECT_TRUE(pass(heard_.back(), [&](std::size_t bytes) { return bytes != kScrubFileBytes || ++files <= 30; }));
  EXPECT_EQ(store_.probe().number("SELECT count(*) FROM blob WHERE checked_at = 0"), 0);
}

TEST_F(Scrub, TheNextUploadHeals) {
  const auto bad = store_.store("damaged later", 1);
  store_.files.flip_byte(blob::final_path(bad), 5);
  scrub_all();
  const auto good = store_.store("damaged later", 2);
  EXPECT_EQ(store_.state_of(good), 1);
  EXPECT_EQ(scrub_all().bad, 0u);
  EXPECT_EQ(store_.files.content(blob::final_path(good)), "damaged later");
}

TEST_F(Scrub, GoesOnWhereItStopped) {
  for (std::uint64_t inc = 1; inc <= 5; ++inc) store_.store("blob " + std::to_string(inc), inc);
  const auto pace = [](std::size_t) { return true; };
  const auto first = scrub(0, 2, pace);
  EXPECT_EQ(first.checked, 2u);
  const auto second = scrub(first.position, 2, pace);
  EXPECT_EQ(second.checked, 2u);
  const auto third = scrub(second.position, 2, pace);
  EXPECT_EQ(third.checked, 1u);
  EXPECT_EQ(third.position, 0);
  EXPECT_EQ(store_.probe().number("SELECT count(*) FROM blob WHERE checked_at = 0"), 0);
}

TEST_F(Scrub, TellsThePaceEveryByteItReads) {
  store_.store(std::string(600'000, 'x'), 1);
  store_.store("small", 2);
  std::size_t total = 0;
  std::size_t largest = 0;
  scrub(0, kAll, [&](std::size_t bytes) {
    total += bytes;
    largest = std::max(largest, bytes);
    return true;
  });
  EXPECT_EQ(total, 600'005u + 2 * kScrubFileBytes) << "and something for each file";
  EXPECT_LE(largest, 256u * 1024) << "pauses are short only if the pieces are";
}

TEST_F(Scrub, StopsWhenToldAndJudgesNothingHalfRead) {
  const auto key = store_.store(std::string(600'000, 'x'), 1);
  store_.store("never reached", 2);
  int calls = 0;
  const auto report = scrub(0, kAll, [&](std::size_t) { return ++calls < 2; });
  EXPECT_EQ(calls, 2) << "one for the file, one for its first bytes";
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.checked, 0u);
  EXPECT_EQ(report.bad, 0u);
  EXPECT_EQ(store_.state_of(key), 1);
  EXPECT_EQ(checked_at(key), 0);
  EXPECT_TRUE(store_.files.exists(blob::final_path(key)));
}

TEST(ScrubRate, IsTurnedIntoPauses) {
  static_assert(Throttle(20'000'000).pause_ms(20'000'000) == 1'000);
  static_assert(Throttle(20'000'000).pause_ms(262'144) == 13);
  static_assert(Throttle(20'000'000).pause_ms(1) == 0);
  static_assert(Throttle(0).pause_ms(1'000) == 0, "no rate: no pause");
  static_assert(Throttle(1).pause_ms(1ULL << 40) == (1LL << 40) * 1'000);
}

TEST(ScrubRate, HoldsForPiecesOfLessThanAMillisecond) {
  Throttle throttle(100'000'000);
  std::int64_t paused = 0;
  for (int i = 0; i < 10'000; ++i) paused += throttle.pause_ms(65'536);
  EXPECT_EQ(paused, 65'536 / 10);
}

}  // namespace
}  // namespace berth::lifecycle
