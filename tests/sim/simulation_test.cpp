// BERTH_SIM_SEED=n runs one seed, BERTH_SIM_SEEDS=n that many per shard.
#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace berth::sim {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

constexpr std::uint64_t kShards = 4;

void run_seeds(std::uint64_t shard, std::uint64_t count) {
  if (const std::uint64_t seed = from_environment("BERTH_SIM_SEED", 0); seed != 0) {
    EXPECT_EQ(Simulation({.seed = seed}).run(), "");
    return;
  }
  for (std::uint64_t i = 0; i < from_environment("BERTH_SIM_SEEDS", count); ++i) {
    ASSERT_EQ(Simulation({.seed = 1 + shard + i * kShards}).run(), "");
  }
}

class Simulations : public ::testing::TestWithParam<std::uint64_t> {};
TEST_P(Simulations, TheRegistryKeepsWhatItAcknowledged) { run_seeds(GetParam(), 25); }
INSTANTIATE_TEST_SUITE_P(Seeds, Simulations, ::testing::Range<std::uint64_t>(0, kShards));

class SimulationsSlow : public ::testing::TestWithParam<std::uint64_t> {};
TEST_P(SimulationsSlow, TheRegistryKeepsWhatItAcknowledged) { run_seeds(1000 * kShards + GetParam(), 1500); }
INSTANTIATE_TEST_SUITE_P(Seeds, SimulationsSlow, ::testing::Range<std::uint64_t>(0, kShards));

/// A simulation that finds nothing on a disk that lies would find nothing at all.
bool finds(SimulationOptions::Lie lie) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    if (!Simulation({.seed = seed, .lie = lie}).run().empty()) return true;
  }
  return false;
}

TEST(SimulationFinds, SyncsOfFilesThatDoNothing) { EXPECT_TRUE(finds(SimulationOptions::Lie::file_syncs)); }
TEST(SimulationFinds, SyncsOfTheDatabaseThatDoNothing) { EXPECT_TRUE(finds(SimulationOptions::Lie::database_syncs)); }

TEST(Simulation, TheSameSeedDoesTheSame) {
  const auto lie = SimulationOptions::Lie::database_syncs;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_EQ(Simulation({.seed = seed, .lie = lie}).run(), Simulation({.seed = seed, .lie = lie}).run());
  }
}

}  // namespace
}  // namespace berth::sim
