#include "distributions.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace berth::load {
namespace {

constexpr int kDraws = 200'000;

TEST(Random, TheSameSeedGivesTheSameNumbers) {
  Random first(7), second(7), other(8);
  EXPECT_EQ(first.next(), second.next());
  EXPECT_NE(first.next(), other.next());
}

TEST(Random, MeanOfExponential) {
  Random random(1);
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) sum += random.exponential(3.0);
  EXPECT_NEAR(sum / kDraws, 3.0, 0.05);
}

TEST(Random, MedianOfLognormal) {
  Random random(2);
  int below = 0;
  for (int i = 0; i < kDraws; ++i) below += random.lognormal(2000, 0.8) < 2000 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(below) / kDraws, 0.5, 0.01);
}

TEST(Zipf, TheFirstRankIsTwiceTheSecond) {
  Random random(3);
  const Zipf zipf(1000, 1.0);
  std::vector<int> hits(1000);
  for (int i = 0; i < kDraws; ++i) ++hits.at(zipf(random));
  EXPECT_NEAR(static_cast<double>(hits[0]) / hits[1], 2.0, 0.1);
}

TEST(LayerSize, SharesOfSmallLayersAreThoseOfRealRegistries) {
  Random random(4);
  int below_1m = 0, below_10m = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t size = layer_size(random, 10ULL << 30U);
    below_1m += size < 1'000'000 ? 1 : 0;
    below_10m += size < 10'000'000 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(below_1m) / kDraws, 0.65, 0.03);
  EXPECT_NEAR(static_cast<double>(below_10m) / kDraws, 0.83, 0.03);
}

TEST(LayerSize, NeverAboveTheCap) {
  Random random(5);
  for (int i = 0; i < 1000; ++i) EXPECT_LE(layer_size(random, 5000), 5000U);
}

TEST(Arrivals, MeanRateAndOrder) {
  Arrivals arrivals({.rate = 1000}, 6);
  std::uint64_t last = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t next = arrivals.next();
    EXPECT_GE(next, last);
    last = next;
  }
  EXPECT_NEAR(static_cast<double>(last) / 1e9, kDraws / 1000.0, 2.0);
}

TEST(Arrivals, ABurstHasItsFactor) {
  Arrivals arrivals({.rate = 100, .burst_factor = 10, .burst_s = 1, .burst_every_s = 5}, 7);
  std::uint64_t calm = 0, burst = 0;
  for (std::uint64_t at = arrivals.next(); at < 500'000'000'000; at = arrivals.next()) {
    (at % 5'000'000'000 >= 4'000'000'000 ? burst : calm) += 1;
  }
  EXPECT_NEAR(static_cast<double>(burst) / 100.0, 1000.0, 30.0);  // per burst of a second
  EXPECT_NEAR(static_cast<double>(calm) / 400.0, 100.0, 3.0);
}

}  // namespace
}  // namespace berth::load
