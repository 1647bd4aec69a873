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
  std::int64_t checked_at(const blob::BlobKey& key) {
    return store_.probe().number("SELECT checked_at FROM blob WHERE inc = " + std::to_string(key.inc));
  }

  StoreOnFaultyDisk store_;
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

TEST_F(Scrub, ABlobKnownToBeBadIsNotReadAgain) {
  const auto bad = store_.store("damaged later", 1);
  store_.files.flip_byte(blob::final_path(bad), 5);
  scrub_all();
  store_.files.reset_counters();
  EXPECT_EQ(scrub_all().checked, 0u);
  EXPECT_EQ(store_.files.operations(), 0u);
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
  EXPECT_EQ(total, 600'005u);
  EXPECT_LE(largest, 256u * 1024) << "pauses are short only if the pieces are";
}

TEST_F(Scrub, StopsWhenToldAndJudgesNothingHalfRead) {
  const auto key = store_.store(std::string(600'000, 'x'), 1);
  store_.store("never reached", 2);
  int calls = 0;
  const auto report = scrub(0, kAll, [&](std::size_t) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(report.checked, 0u);
  EXPECT_EQ(report.bad, 0u);
  EXPECT_EQ(store_.state_of(key), 1);
  EXPECT_EQ(checked_at(key), 0);
  EXPECT_TRUE(store_.files.exists(blob::final_path(key)));
}

TEST(ScrubRate, IsTurnedIntoPauses) {
  static_assert(pause_for(20'000'000, 20'000'000) == 1'000);
  static_assert(pause_for(262'144, 20'000'000) == 13);
  static_assert(pause_for(1, 20'000'000) == 0);
  static_assert(pause_for(1'000, 0) == 0, "no rate: no pause");
  static_assert(pause_for(1ULL << 40, 1) == (1LL << 40) * 1'000);
}

}  // namespace
}  // namespace berth::lifecycle
