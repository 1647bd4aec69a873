#include "lifecycle/reserve.h"

#include "support/fault_fs.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

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

TEST(Ballast, IsWrittenInFullWhereNothingCanBeReserved) {
  test::FaultFs files;
  files.set_capacity_bytes(16 * kMiB);
  files.ignore_reserves();
  ASSERT_EQ(ensure_ballast(files).value_or(false), true);
  EXPECT_EQ(files.space()->free_bytes, 15 * kMiB);
  const std::string content = *files.content(kBallastPath);
  EXPECT_EQ(content.find('\0'), std::string::npos) << "a copy would leave holes for zeros";
  EXPECT_EQ(std::set<char>(content.begin(), content.end()).size(), 128U) << "nothing to compress";
  files.cut_power();
  EXPECT_EQ(files.content(kBallastPath).value_or("").size() % kMiB, 0U);
}

TEST(Ballast, AnEmptyOneIsMadeAnew) {
  test::FaultFs files;
  files.set_capacity_bytes(1024 * kMiB);
  ASSERT_TRUE(files.open(kBallastPath, io::FileSystem::Mode::create_new).has_value());
  ASSERT_EQ(ensure_ballast(files).value_or(false), true);
  EXPECT_EQ(files.space()->free_bytes, 960 * kMiB);
}

TEST(Ballast, AHoleOfTheRightSizeIsMadeAnew) {
  const test::TempDir dir;
  const auto files = *io::open_posix_file_system(dir.path());
  {
    std::ofstream(dir / kBallastPath) << "";
  }
  std::filesystem::resize_file(dir / kBallastPath, 64 * kMiB);
  const auto kept = ensure_ballast(*files);
  ASSERT_TRUE(kept.has_value()) << kept.error().cause;
  if (!*kept) GTEST_SKIP() << "no room on this disk";
  const auto file = *files->open(kBallastPath, io::FileSystem::Mode::read);
  EXPECT_GE(*file->allocated_bytes(), ballast_bytes(files->space()->total_bytes));
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
