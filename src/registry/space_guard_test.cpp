#include "registry/space_guard.h"

#include <gtest/gtest.h>

namespace berth::registry {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kGiB = 1024 * kMiB;

constexpr struct {
  std::uint64_t total;
  std::uint64_t free;
  SpaceLevel level;
  std::string_view why;
} kRows[] = {
    {100 * kGiB, 50 * kGiB, SpaceLevel::fine, "half full"},
    {100 * kGiB, kGiB, SpaceLevel::fine, "1 % free, but a whole gibibyte"},
    {100 * kGiB, kGiB - 1, SpaceLevel::hard, "less than a gibibyte and less than 7 %"},
    {100 * kGiB, 256 * kMiB, SpaceLevel::hard, "exactly the last mark"},
    {100 * kGiB, 256 * kMiB - 1, SpaceLevel::stop, "below the last mark"},
    {1000 * kMiB, 70 * kMiB, SpaceLevel::fine, "a small disk goes by its share: 7 %"},
    {1000 * kMiB, 69 * kMiB, SpaceLevel::hard, "below 7 %"},
    {1000 * kMiB, 29 * kMiB, SpaceLevel::stop, "below 3 %"},
    {100 * kGiB, 0, SpaceLevel::stop, "full"},
    {0, 0, SpaceLevel::fine, "a file system that tells nothing"},
};

TEST(SpaceLevel, IsTheSmallerOfShareAndAmount) {
  for (const auto& row : kRows) EXPECT_EQ(space_level({row.total, row.free}, {}), row.level) << row.why;
}

TEST(SpaceLevel, NeverEasesWhileSpaceShrinks) {
  for (const std::uint64_t total : {64 * kMiB, 10 * kGiB, 4000 * kGiB}) {
    SpaceLevel last = SpaceLevel::fine;
    for (int permille = 1000; permille >= 0; --permille) {
      const auto level = space_level({total, total / 1000 * static_cast<std::uint64_t>(permille)}, {});
      EXPECT_GE(level, last) << total << " " << permille;
      last = level;
    }
    EXPECT_EQ(last, SpaceLevel::stop);
  }
}

TEST(UploadRoom, EndsWhereTheHardMarkIs) {
  EXPECT_EQ(upload_room_bytes({1000 * kMiB, 100 * kMiB}, {}), 30 * kMiB) << "7 % of a small disk";
  EXPECT_EQ(upload_room_bytes({1000 * kMiB, 70 * kMiB}, {}), 0U);
  EXPECT_EQ(upload_room_bytes({1000 * kMiB, 10 * kMiB}, {}), 0U);
  EXPECT_EQ(upload_room_bytes({4000 * kGiB, 3 * kGiB}, {}), 2 * kGiB) << "1 GiB of a large one";
  EXPECT_EQ(upload_room_bytes({0, 0}, {}), UINT64_MAX) << "a file system that tells nothing";
}

TEST(SpaceGuard, LetsThroughWhatStillFits) {
  const struct {
    SpaceLevel level;
    bool uploads;
    bool metadata;
  } rows[] = {{SpaceLevel::fine, true, true}, {SpaceLevel::hard, false, true}, {SpaceLevel::stop, false, false}};
  SpaceGuard guard;
  for (const auto& row : rows) {
    guard.set(row.level);
    EXPECT_EQ(guard.check_upload().has_value(), row.uploads);
    EXPECT_EQ(guard.check_metadata().has_value(), row.metadata);
    if (!row.uploads) EXPECT_EQ(guard.check_upload().error().code, Errc::no_space);
    if (!row.metadata) EXPECT_EQ(guard.check_metadata().error().code, Errc::no_space);
  }
}

TEST(SpaceGuard, WhatIsWrittenBetweenTwoReadingsCounts) {
  SpaceGuard guard;
  guard.set_room(1000);
  EXPECT_FALSE(guard.check_upload(1001).has_value()) << "announced";
  EXPECT_TRUE(guard.take_upload(600).has_value());
  EXPECT_EQ(guard.take_upload(600).error().code, Errc::no_space) << "a body without a length";
  EXPECT_TRUE(guard.take_upload(400).has_value()) << "what was refused took nothing";
  EXPECT_TRUE(guard.take_upload(0).has_value());
  EXPECT_FALSE(guard.take_upload(1).has_value());
  guard.set_room(5);
  EXPECT_TRUE(guard.take_upload(1).has_value());
}

}  // namespace
}  // namespace berth::registry
