#include "lifecycle/reserve.h"

#include "support/fault_fs.h"

#include <gtest/gtest.h>

namespace berth::lifecycle {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

TEST(Ballast, Is64MiBOrASixteenthOfASmallDisk) {
  static_assert(ballast_bytes(1ULL << 40) == 64 * kMiB);
  static_assert(ballast_bytes(1024 * kMiB) == 64 * kMiB);
  static_assert(ballast_bytes(64 * kMiB) == 4 * kMiB);
  static_assert(ballast_bytes(0) == 0);
}

TEST(Ballast, TakesItsSpaceAndGivesItBack) {
  test::FaultFs files;
  files.set_capacity_bytes(1024 * kMiB);
  ASSERT_TRUE(ensure_ballast(files).has_value());
  EXPECT_EQ(files.space()->free_bytes, 960 * kMiB);
  ASSERT_TRUE(ensure_ballast(files).has_value()) << "there is one already";
  EXPECT_EQ(files.space()->free_bytes, 960 * kMiB);
  ASSERT_TRUE(drop_ballast(files).has_value());
  EXPECT_EQ(files.space()->free_bytes, 1024 * kMiB);
  EXPECT_TRUE(drop_ballast(files).has_value()) << "there is none any more";
}

TEST(Ballast, WaitsForComfortableRoom) {
  test::FaultFs files;
  files.set_capacity_bytes(1024 * kMiB);
  const auto other = *files.open("other", io::FileSystem::Mode::create_new);
  ASSERT_TRUE(other->reserve(1024 * kMiB - 2 * 64 * kMiB + 1).has_value());
  EXPECT_EQ(ensure_ballast(files).value_or(true), false);
  EXPECT_FALSE(files.exists(kBallastPath));
  ASSERT_TRUE(other->truncate(0).has_value());
  EXPECT_EQ(ensure_ballast(files).value_or(false), true);
  EXPECT_TRUE(files.exists(kBallastPath));
}

TEST(Ballast, AReserveThatFailsLeavesNoEmptyFileBehind) {
  test::FaultFs files;
  files.set_capacity_bytes(1024 * kMiB);
  for (std::uint64_t step = 1;; ++step) {
    files.fail_at(step, Errc::io_failed);
    const bool done = ensure_ballast(files).has_value();
    const bool struck = files.struck();
    files.heal();
    EXPECT_EQ(files.exists(kBallastPath), done) << "a later attempt would take it for the ballast; step " << step;
    ASSERT_TRUE(drop_ballast(files).has_value());
    if (!struck) return;
  }
}

}  // namespace
}  // namespace berth::lifecycle
