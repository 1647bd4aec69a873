#include "base/clock.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(SystemClock, IsInMilliseconds) {
  const SystemClock clock;
  EXPECT_GT(clock.now_ms(), 1'700'000'000'000) << "after 2023";
  EXPECT_LT(clock.now_ms(), 10'000'000'000'000) << "before 2286";
}

TEST(SystemClock, MonotonicTimeDoesNotGoBack) {
  const SystemClock clock;
  std::int64_t last = clock.mono_ms();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = clock.mono_ms();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock(1000);
  const std::int64_t mono = clock.mono_ms();
  clock.advance_ms(25);
  EXPECT_EQ(clock.now_ms(), 1025);
  EXPECT_EQ(clock.mono_ms(), mono + 25);
}

TEST(ManualClock, TheWallMayJumpWithoutTheMonotonicTime) {
  ManualClock clock(1000);
  const std::int64_t mono = clock.mono_ms();
  clock.set_wall_ms(5);
  EXPECT_EQ(clock.now_ms(), 5);
  EXPECT_EQ(clock.mono_ms(), mono);
}

}  // namespace
}  // namespace berth
