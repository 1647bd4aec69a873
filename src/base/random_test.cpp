#include "base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace berth {
namespace {

TEST(SeededRandom, TheSameSeedGivesTheSameBytes) {
  SeededRandom first(7);
  SeededRandom second(7);
  SeededRandom other(8);
  const std::uint64_t value = first.u64();
  EXPECT_EQ(second.u64(), value);
  EXPECT_NE(other.u64(), value);
  EXPECT_EQ(first.hex(16), second.hex(16));
}

TEST(SeededRandom, FillsEverySize) {
  for (std::size_t size = 0; size < 40; ++size) {
    SeededRandom random(1);
    std::vector<std::byte> seen(size, std::byte{0});
    // A byte that no filling of many ever touches would stay zero.
    for (int i = 0; i < 20; ++i) {
      std::vector<std::byte> bytes(size);
      random.fill(bytes);
      for (std::size_t at = 0; at < size; ++at) seen[at] |= bytes[at];
    }
    for (const std::byte b : seen) EXPECT_NE(b, std::byte{0}) << size;
  }
}

TEST(SystemRandom, FillsEverySizeAndDoesNotRepeatItself) {
  SystemRandom random;
  random.fill({});
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.hex(16));
  EXPECT_EQ(seen.size(), 1000U);
  std::vector<std::byte> large(100'000);  // more than one call of the kernel gives
  random.fill(large);
  EXPECT_NE(std::count(large.begin() + 90'000, large.end(), std::byte{0}), 10'000);
}

TEST(Random, HexIsTwoLowercaseDigitsAByte) {
  SeededRandom random(1);
  EXPECT_EQ(random.hex(0), "");
  const std::string text = random.hex(64);
  EXPECT_EQ(text.size(), 128U);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace berth
