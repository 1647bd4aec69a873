#include "http/range.h"

#include <gtest/gtest.h>

#include <ostream>

namespace berth::http {

void PrintTo(const ByteRange& range, std::ostream* out) { *out << range.first << "-" << range.last; }

namespace {

using enum RangeOutcome;

struct RangeRow {
  const char* header;
  std::uint64_t size;
  RangeOutcome outcome;
  std::vector<ByteRange> ranges;
  const char* why;
};

constexpr std::uint64_t kMax = UINT64_MAX;

void check(const RangeRow& row) {
  const ResolvedRanges resolved = resolve_ranges(row.header, row.size);
  EXPECT_EQ(resolved.outcome, row.outcome) << row.header << " of " << row.size << ": " << row.why;
  EXPECT_EQ(resolved.ranges, row.ranges) << row.header << " of " << row.size << ": " << row.why;
}

TEST(ResolveRanges, OneRange) {  // P2
  const RangeRow rows[] = {
      {"bytes=500-1499", 2048, satisfiable, {{500, 1499}}, "the conformance suite's first"},
      {"bytes=500-", 2048, satisfiable, {{500, 2047}}, "open end"},
      {"bytes=-500", 2048, satisfiable, {{1548, 2047}}, "suffix"},
      {"bytes=2000-5000", 2048, satisfiable, {{2000, 2047}}, "the last byte is clipped"},
      {"bytes=500-0", 2048, unsatisfiable, {}, "last before first is 416, against RFC 9110"},
      {"bytes=5000-10000", 2048, unsatisfiable, {}, "beyond the end"},
      {"bytes=0-0", 1, satisfiable, {{0, 0}}, "the only byte"},
      {"bytes=1-", 1, unsatisfiable, {}, "first byte equal to the size"},
      {"bytes=-1", 1, satisfiable, {{0, 0}}, "suffix of everything"},
      {"bytes=-5000", 2048, satisfiable, {{0, 2047}}, "suffix longer than the object"},
      {"bytes=-0", 2048, unsatisfiable, {}, "no byte is asked for (RFC 9110 §14.1.2)"},
      {"BYTES=0-1", 10, satisfiable, {{0, 1}}, "units are case-insensitive"},
      {" bytes=0-1 ", 10, satisfiable, {{0, 1}}, "white space around the value"},
      {"bytes= 0-1 ", 10, satisfiable, {{0, 1}}, "white space around a list element"},
      {"bytes=00-01", 10, satisfiable, {{0, 1}}, "leading zeros"},
      {"bytes=0-18446744073709551615", 10, satisfiable, {{0, 9}}, "the largest number is clipped"},
      {"bytes=0-99999999999999999999999", 10, satisfiable, {{0, 9}}, "beyond 64 bits is clipped too"},
      {"bytes=99999999999999999999999-", 10, unsatisfiable, {}, "first beyond 64 bits"},
      {"bytes=-99999999999999999999999", 10, satisfiable, {{0, 9}}, "suffix beyond 64 bits"},
      {"bytes=18446744073709551616-18446744073709551617", 10, unsatisfiable, {}, "no wrap-around"},
      {"bytes=0-", kMax, satisfiable, {{0, kMax - 1}}, "the largest object"},
  };
  for (const RangeRow& row : rows) check(row);
}

TEST(ResolveRanges, IgnoredHeader) {  // P2
  const RangeRow rows[] = {
      {"", 10, none_full, {}, "empty"},
      {"bytes", 10, none_full, {}, "no equals sign"},
      {"bytes=", 10, none_full, {}, "no range"},
      {"bytes=,", 10, none_full, {}, "only empty elements"},
      {"bytes=-", 10, none_full, {}, "neither end"},
      {"bytes=abc", 10, none_full, {}, "not numbers"},
      {"bytes=0x1-2", 10, none_full, {}, "not decimal"},
      {"bytes=+1-2", 10, none_full, {}, "sign"},
      {"bytes=--1", 10, none_full, {}, "two dashes"},
      {"bytes=1-2-3", 10, none_full, {}, "three numbers"},
      {"bytes=1 - 2", 10, none_full, {}, "white space inside"},
      {"bytes =1-2", 10, none_full, {}, "white space before the equals sign"},
      {"bytes=1-2;q=1", 10, none_full, {}, "parameters do not exist"},
      {"items=0-1", 10, none_full, {}, "another unit"},
      {"bytes 0-1", 10, none_full, {}, "the Content-Range form"},
      {"bytes=0-1,x", 10, none_full, {}, "one bad member spoils the header"},
      {"bytes=0-0", 0, none_full, {}, "empty blob: full answer, whatever is asked"},
      {"bytes=-1", 0, none_full, {}, "empty blob, suffix"},
      {"bytes=5-1", 0, none_full, {}, "empty blob, impossible range"},
  };
  for (const RangeRow& row : rows) check(row);
  EXPECT_EQ(resolve_ranges(std::nullopt, 10).outcome, none_full) << "no header";
}

TEST(ResolveRanges, SeveralRanges) {  // P3
  const RangeRow rows[] = {
      {"bytes=0-1,4-5", 10, satisfiable, {{0, 1}, {4, 5}}, "two"},
      {"bytes=8-9,0-1", 10, satisfiable, {{8, 9}, {0, 1}}, "order of the request"},
      {"bytes=0-1,2-3", 10, satisfiable, {{0, 1}, {2, 3}}, "adjacent ones are not joined"},
      {"bytes=0-3,2-5", 10, satisfiable, {{0, 3}, {2, 5}}, "overlapping ones are not joined"},
      {"bytes=0-1,0-1", 10, satisfiable, {{0, 1}, {0, 1}}, "repeated"},
      {"bytes=0-1 ,\t4-5", 10, satisfiable, {{0, 1}, {4, 5}}, "white space around the comma"},
      {"bytes=,0-1,,4-5,", 10, satisfiable, {{0, 1}, {4, 5}}, "empty elements are skipped (RFC 9110 §5.6.1)"},
      {"bytes=0-1,20-30", 10, satisfiable, {{0, 1}}, "what cannot be satisfied is dropped"},
      {"bytes=20-30,5-1", 10, unsatisfiable, {}, "none can be satisfied"},
      {"bytes=0-4,5-9", 10, satisfiable, {{0, 4}, {5, 9}}, "exactly the whole object"},
      {"bytes=0-4,5-9,0-0", 10, none_full, {}, "more than the whole: send it once (S22)"},
      {"bytes=0-,0-", 10, none_full, {}, "twice the object"},
  };
  for (const RangeRow& row : rows) check(row);
  EXPECT_EQ(resolve_ranges("bytes=0-1,20-30", 10).requested_count, 2u);
}

TEST(ResolveRanges, SumDoesNotOverflow) {  // S1
  const RangeRow row{"bytes=0-,0-,0-", kMax, none_full, {}, "3 × (2^64-1) wraps around if added"};
  check(row);
}

TEST(ResolveRanges, TooMany) {  // P3, S22
  std::string header = "bytes=0-0";
  for (std::size_t i = 1; i < kRangesMax; ++i) header += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_EQ(resolve_ranges(header, 1 << 20).outcome, satisfiable);
  EXPECT_EQ(resolve_ranges(header, 1 << 20).ranges.size(), kRangesMax);
  header += ",4000-4000";
  EXPECT_EQ(resolve_ranges(header, 1 << 20).outcome, too_many);
  EXPECT_TRUE(resolve_ranges(header, 1 << 20).ranges.empty());
  EXPECT_EQ(resolve_ranges("bytes=0-0,1-1,2-2", 100, 2).outcome, too_many);
}

TEST(ParseUploadRange, Grammar) {  // U5
  const struct {
    const char* text;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> range;
    const char* why;
  } rows[] = {
      {"0-1023", {{0, 1023}}, "the first chunk"},
      {"1024-2047", {{1024, 2047}}, "the next one"},
      {"0-0", {{0, 0}}, "one byte"},
      {"5-4", std::nullopt, "end before start"},
      {"", std::nullopt, "empty"},
      {"-5", std::nullopt, "no start"},
      {"5-", std::nullopt, "no end"},
      {"bytes 0-5", std::nullopt, "unit"},
      {"bytes=0-5", std::nullopt, "Range form"},
      {"0-5/10", std::nullopt, "total length"},
      {"0-5 ", std::nullopt, "white space"},
      {" 0-5", std::nullopt, "white space"},
      {"0--5", std::nullopt, "two dashes"},
      {"0-5,6-7", std::nullopt, "two ranges"},
      {"a-b", std::nullopt, "not numbers"},
      {"0-18446744073709551614", {{0, kMax - 1}}, "the largest end whose length fits"},
      {"0-18446744073709551615", std::nullopt, "length beyond 64 bits"},
      {"0-18446744073709551616", std::nullopt, "beyond 64 bits"},
      {"18446744073709551616-18446744073709551617", std::nullopt, "no wrap-around"},
  };
  for (const auto& row : rows) {
    const auto range = parse_upload_range(row.text);
    ASSERT_EQ(range.has_value(), row.range.has_value()) << row.text << ": " << row.why;
    if (range) {
      EXPECT_EQ(*range, *row.range) << row.text << ": " << row.why;
    } else {
      EXPECT_EQ(range.error().code, Errc::upload_range) << row.text << ": " << row.why;
    }
  }
}

}  // namespace
}  // namespace berth::http
