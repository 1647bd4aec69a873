#include "base/hex.h"

#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace berth {
namespace {

TEST(Hex, ReadsWhatItPrints) {
  SeededRandom random(1);
  for (std::size_t size = 0; size < 70; ++size) {
    std::vector<std::byte> bytes(size);
    random.fill(bytes);
    std::vector<std::byte> again(size);
    ASSERT_TRUE(from_hex(to_hex(bytes), again)) << size;
    EXPECT_EQ(again, bytes);
  }
}

TEST(Hex, PrintsLowercaseHighNibbleFirst) {
  const std::array bytes{std::byte{0x0f}, std::byte{0xa0}, std::byte{0xff}, std::byte{0x00}};
  EXPECT_EQ(to_hex(bytes), "0fa0ff00");
}

constexpr struct {
  std::string_view text;
  bool valid;
  std::string_view why;
} kRows[] = {
    {"00ff", true, "two bytes"},
    {"00FF", false, "uppercase (G3)"},
    {"00f", false, "odd length"},
    {"00ff00", false, "longer than the room for it"},
    {"00", false, "shorter than the room for it"},
    {"", false, "empty"},
    {"0g00", false, "not a hex digit"},
    {"00/0", false, "the character before 0"},
    {"00:0", false, "the character after 9"},
    {"00`0", false, "the character before a"},
    {" 0f0", false, "blank"},
};

TEST(Hex, AcceptsOnlyLowercaseOfTheExactLength) {
  for (const auto& row : kRows) {
    std::array<std::byte, 2> out{};
    EXPECT_EQ(from_hex(row.text, out), row.valid) << row.text << ": " << row.why;
  }
}

}  // namespace
}  // namespace berth
