#include "app/descriptors.h"

#include <gmock/gmock.h>

namespace berth::app {
namespace {

TEST(Descriptors, TooFewAreRefusedWithASentence) {
  for (const std::size_t limit : {0U, 3U, 512U, 1023U}) {
    const auto plan = plan_descriptors(limit);
    ASSERT_FALSE(plan.has_value()) << limit;
    EXPECT_EQ(plan.error().code, Errc::parameter_invalid);
    EXPECT_THAT(plan.error().message, testing::HasSubstr("ulimit -n"));
  }
}

TEST(Descriptors, WhatIsSharedOutIsThere) {
  constexpr std::size_t kFolders = 517;
  for (const std::size_t limit : {1024U, 1025U, 2048U, 4096U, 20'000U, 65'536U, 1U << 20}) {
    const auto plan = plan_descriptors(limit);
    ASSERT_TRUE(plan.has_value()) << limit;
    EXPECT_GE(plan->connections_max, 100U) << limit;
    EXPECT_LE(kFolders + plan->open_files.read_max + plan->open_files.staged_max + plan->connections_max * 3 / 2,
              limit);
  }
}

TEST(Descriptors, AnOrdinaryServerServesTenThousandConnections) {
  EXPECT_GE(plan_descriptors(20'000)->connections_max, 10'000U);
}

TEST(Descriptors, TheSoftLimitIsRaised) { EXPECT_GE(raise_descriptor_limit(), kDescriptorsMin); }

}  // namespace
}  // namespace berth::app
