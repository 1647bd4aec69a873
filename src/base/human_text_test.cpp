#include "base/human_text.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(SizeText, HasOneDecimalOfAPowerOfAThousand) {
  constexpr struct {
    std::uint64_t bytes;
    std::string_view printed;
  } kRows[] = {
      {0, "0 B"},
      {999, "999 B"},
      {1'000, "1.0 kB"},
      {1'960, "2.0 kB"},
      {12'345'678, "12.3 MB"},
      {5'000'000'000, "5.0 GB"},
      {7'200'000'000'000'000, "7200.0 TB"},
  };
  for (const auto& row : kRows) EXPECT_EQ(size_text(row.bytes), row.printed);
}

TEST(Printable, LeavesNothingThatATerminalObeys) {
  EXPECT_EQ(printable("a\x1b[2Jb\n\x7f"), "a?[2Jb??");
  EXPECT_EQ(printable("schön 1.0"), "schön 1.0");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "2Jb\xc2\xa0"),
            "a?2Jb\xc2\xa0")
      << "one byte of it is no character of ASCII";
  EXPECT_EQ(printable("\xc2"), "\xc2");
}

TEST(Printable, LeavesNothingThatTurnsTextRound) {
  for (const std::string mark : {"\u061c", "\u200e", "\u200f", "\u202a", "\u202c", "\u202e", "\u2066", "\u2069"})
    EXPECT_EQ(printable("a" + mark + "b"), "a?b");
  for (const std::string word : {"\u061b", "\u200d", "\u2010", "\u202f", "\u2065", "\u206a", "\u05d0", "\xe2\x80"})
    EXPECT_EQ(printable("a" + word + "b"), "a" + word + "b");
}

}  // namespace
}  // namespace berth
