#include "http/pace.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

TEST(Pace, WaitingAddsUpUntilEnoughHasMoved) {  // S22
  Pace pace(60'000, 1'000);
  EXPECT_EQ(pace.left_ms(), 60'000);
  pace.waited(20'000);
  pace.moved(999);
  pace.waited(20'000);
  EXPECT_EQ(pace.left_ms(), 20'000) << "a trickle does not start the window again";
  pace.moved(1);
  EXPECT_EQ(pace.left_ms(), 60'000);
  pace.waited(70'000);
  EXPECT_LT(pace.left_ms(), 0);
  pace.reset();
  EXPECT_EQ(pace.left_ms(), 60'000);
}

}  // namespace
}  // namespace berth::http
