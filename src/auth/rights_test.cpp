#include "auth/rights.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

// What is stored cannot be read differently by another version.
TEST(Rights, StoredNumbersStand) {
  EXPECT_EQ(Rights(Right::read).bits(), 1);
  EXPECT_EQ(Rights(Right::write).bits(), 2);
  EXPECT_EQ(Rights(Right::overwrite).bits(), 4);
  EXPECT_EQ(Rights(Right::remove).bits(), 8);
  EXPECT_EQ(Rights(Right::admin).bits(), 16);
  EXPECT_EQ(Rights::all().bits(), 31);
}

TEST(Rights, UnknownBitsAreDropped) {
  EXPECT_EQ(Rights::from_bits(32), Rights());
  EXPECT_EQ(Rights::from_bits(-1), Rights::all());
  EXPECT_EQ(Rights::from_bits(INT64_MIN | 1), Rights(Right::read));
}

TEST(Rights, AreSets) {
  const Rights some = Right::read | Right::remove;
  EXPECT_TRUE(some.has(Right::read));
  EXPECT_FALSE(some.has(Right::write));
  EXPECT_EQ(some & (Right::remove | Right::admin), Rights(Right::remove));
  EXPECT_TRUE((some & Right::admin).empty());
}

const struct {
  std::string_view text;
  std::optional<Rights> rights;
  std::string_view why;
} kRows[] = {
    {"read", Right::read, "one"},
    {"read,write", Right::read | Right::write, "two"},
    {"admin,read", Right::read | Right::admin, "any order"},
    {"read,read", Right::read, "twice"},
    {"pull,push", Right::read | Right::write, "docker's words; push moves no tag (M7)"},
    {"all", Rights::all(), "every one"},
    {"read,all", std::nullopt, "all stands alone"},
    {"", std::nullopt, "nothing"},
    {"read,", std::nullopt, "an empty word"},
    {",read", std::nullopt, "an empty word first"},
    {"read, write", std::nullopt, "no blanks"},
    {"Read", std::nullopt, "case counts (S30)"},
    {"remove", std::nullopt, "the word is delete"},
    {"*", std::nullopt, "a wildcard is never stored by accident (S9)"},
};

TEST(Rights, Words) {
  for (const auto& row : kRows) EXPECT_EQ(parse_rights(row.text), row.rights) << row.text << ": " << row.why;
}

TEST(Rights, EverySetReadsBackAsItPrints) {
  EXPECT_EQ(to_text(Rights()), "");
  EXPECT_EQ(to_text(Rights::all()), "read,write,overwrite,delete,admin");
  for (std::int64_t bits = 1; bits < 32; ++bits) {
    const Rights rights = Rights::from_bits(bits);
    EXPECT_EQ(parse_rights(to_text(rights)), rights) << to_text(rights);
  }
}

}  // namespace
}  // namespace berth::auth
