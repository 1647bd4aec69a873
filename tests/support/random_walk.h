#pragma once
// Random walks: a world does at random what can be done in it, and after each step says whether it is as it should be.
// What fails is run again with fewer and fewer steps until each of them is needed.

#include "base/random.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

/// Numbers choose among what there is, so that a step means something whatever was left out before it.
template <class Act>
struct WalkStep {
  Act act;
  std::array<unsigned, 6> pick = {};
};
template <class Act>
using WalkSteps = std::vector<WalkStep<Act>>;

/// `beginning`, and `count` steps more. act_of(roll): what a large number stands for.
template <class Act, class F>
WalkSteps<Act> draw_walk(std::uint64_t seed, WalkSteps<Act> beginning, std::size_t count, F act_of) {
  SeededRandom random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    WalkStep<Act> step{act_of(random.u64())};
    for (unsigned& pick : step.pick) pick = static_cast<unsigned>(random.u64() >> 40);
    beginning.push_back(step);
  }
  return beginning;
}

struct WalkOutcome {
  std::string difference;  // empty: none showed
  std::size_t steps = 0;   // until it did
  std::string trace;
};

/// world.take(step): what was done, in words; empty if nothing was. world.difference(): empty if all is well.
template <class World, class Act>
WalkOutcome walk(World&& world, const WalkSteps<Act>& steps) {
  WalkOutcome out;
  for (const WalkStep<Act>& step : steps) {
    ++out.steps;
    const std::string done = world.take(step);
    if (done.empty()) continue;
    out.trace += "  " + done + "\n";
    out.difference = world.difference();
    if (!out.difference.empty()) break;
  }
  return out;
}

/// Empty, or the difference with the shortest way to it that leaving out single steps finds. make(): a new world.
template <class Make, class Act>
std::string find_difference(Make make, WalkSteps<Act> steps) {
  WalkOutcome found = walk(make(), steps);
  if (found.difference.empty()) return "";
  steps.resize(found.steps);
  for (std::size_t i = steps.size(); i-- > 0;) {
    auto fewer = steps;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    WalkOutcome again = walk(make(), fewer);
    if (again.difference.empty()) continue;
    steps = std::move(fewer);
    steps.resize(std::min(steps.size(), again.steps));
    i = std::min(i, steps.size());
    found = std::move(again);
  }
  return found.trace + found.difference;
}

/// Those of a run: BERTH_RIGHTS_SEED=n stands for that one, BERTH_RIGHTS_SEEDS=n for so many of them.
inline std::vector<std::uint64_t> walk_seeds(std::uint64_t first, std::uint64_t count) {
  if (const char* one = std::getenv("BERTH_RIGHTS_SEED"); one != nullptr) return {std::stoull(one)};
  if (const char* more = std::getenv("BERTH_RIGHTS_SEEDS"); more != nullptr) count = std::stoull(more);
  std::vector<std::uint64_t> out;
  for (std::uint64_t seed = first; seed < first + count; ++seed) out.push_back(seed);
  return out;
}

}  // namespace berth::test
