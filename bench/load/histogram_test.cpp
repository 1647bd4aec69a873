#include "histogram.h"

#include <gtest/gtest.h>

namespace berth::load {
namespace {

TEST(Histogram, AnEmptyOneHasNoQuantile) { EXPECT_EQ(Histogram().quantile(0.5), 0U); }

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.quantile(0.5), 50U);
  EXPECT_EQ(histogram.quantile(0.99), 99U);
  EXPECT_EQ(histogram.quantile(1.0), 100U);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50.5);
}

TEST(Histogram, AQuantileIsAtMostOneStepAboveTheValue) {
  for (std::uint64_t value = 1; value < (1ULL << 62U); value = value * 3 + 1) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(value * 2);  // so that max() does not cut the edge
    const std::uint64_t found = histogram.quantile(0.5);
    EXPECT_GE(found, value);
    EXPECT_LE(found - value, value / 128);
  }
}

TEST(Histogram, NeverAboveTheGreatestValue) {
  Histogram histogram;
  histogram.record(1'000'001);
  EXPECT_EQ(histogram.quantile(0.999), 1'000'001U);
  EXPECT_EQ(histogram.max(), 1'000'001U);
}

TEST(Histogram, MergedIsTheSameAsRecordedTogether) {
  Histogram left, right, both;
  for (std::uint64_t value = 1; value < 1'000'000; value = value * 2 + 3) {
    (value % 2 == 0 ? left : right).record(value);
    both.record(value);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), both.count());
  for (const double share : {0.1, 0.5, 0.9, 0.99, 1.0}) EXPECT_EQ(left.quantile(share), both.quantile(share));
}

}  // namespace
}  // namespace berth::load
