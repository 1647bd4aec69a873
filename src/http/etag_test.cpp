#include "http/etag.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

TEST(EntityTags, Lists) {  // P2, M6
  const struct {
    const char* header;
    bool weak;
    bool strong;
    const char* why;
  } rows[] = {
      {"\"sha256:ab\"", true, true, "the tag"},
      {"\"sha256:cd\"", false, false, "another tag"},
      {"*", true, true, "anything that exists"},
      {" * ", true, true, "white space around"},
      {"W/\"sha256:ab\"", true, false, "a weak tag never matches strongly"},
      {"w/\"sha256:ab\"", false, false, "the W is case-sensitive"},
      {"\"x\", \"sha256:ab\"", true, true, "second of a list"},
      {"\"x\",W/\"sha256:ab\" , \"y\"", true, false, "weak member of a list"},
      {"\"a,b\", \"sha256:ab\"", true, true, "a comma inside a tag"},
      {",, \"sha256:ab\",", true, true, "empty elements are skipped"},
      {"sha256:ab", true, true, "bare digest, as some clients send it"},
      {"x, sha256:ab", true, true, "bare digests in a list"},
      {"W/sha256:ab", true, false, "bare weak"},
      {"", false, false, "empty"},
      {"\"sha256:ab", false, false, "unterminated"},
      {"sha256:ab\"", false, false, "half quoted"},
      {"\"sha256:ab\"x", false, false, "text behind a tag"},
      {"\"sha256:a\"", false, false, "prefix"},
      {"\"sha256:abc\"", false, false, "longer"},
      {"\"SHA256:AB\"", false, false, "tags are compared byte for byte"},
      {"\"*\"", false, false, "a quoted star is a tag"},
      {"\"x\", *", false, false, "a star is no list member"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(matches(row.header, "sha256:ab", Comparison::weak), row.weak) << row.header << ": " << row.why;
    EXPECT_EQ(matches(row.header, "sha256:ab", Comparison::strong), row.strong) << row.header << ": " << row.why;
  }
}

TEST(EntityTags, IfRange) {  // P2
  const struct {
    const char* header;
    bool match;
    const char* why;
  } rows[] = {
      {"\"sha256:ab\"", true, "the tag"},
      {"sha256:ab", true, "bare digest"},
      {"W/\"sha256:ab\"", false, "weak tags do not guard ranges"},
      {"*", false, "no star in If-Range"},
      {"\"sha256:ab\", \"x\"", false, "one tag only"},
      {"Tue, 15 Nov 1994 08:12:31 GMT", false, "dates mean nothing here"},
      {"", false, "empty"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(matches_if_range(row.header, "sha256:ab"), row.match) << row.header << ": " << row.why;
  }
}

}  // namespace
}  // namespace berth::http
