#include "http/warning.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

TEST(WarningHeader, Format) {  // H9
  EXPECT_EQ(warning_header("old"), "299 - \"old\"");
  EXPECT_EQ(warning_header(""), "299 - \"\"");
  EXPECT_EQ(warning_header("a \"b\" \\c"), "299 - \"a \\\"b\\\" \\\\c\"");
  EXPECT_EQ(warning_header("a\r\nSet-Cookie: x\t\x7f\x01"), "299 - \"aSet-Cookie: x\"") << "S23: nothing ends the line";
}

TEST(WarningHeader, IsCutTo4096Bytes) {  // H9
  const std::string longest = warning_header(std::string(10'000, 'x'));
  EXPECT_EQ(longest.size(), 4096u);
  EXPECT_TRUE(longest.ends_with("x\""));

  const std::string escaped = warning_header(std::string(10'000, '"'));
  EXPECT_LE(escaped.size(), 4096u);
  EXPECT_TRUE(escaped.ends_with("\\\"\"")) << "an escape is never cut in half";

  std::string text;
  for (int i = 0; i < 3'000; ++i) text += "\xe2\x82\xac";
  const std::string euros = warning_header(text);
  EXPECT_LE(euros.size(), 4096u);
  EXPECT_TRUE(euros.ends_with("\xe2\x82\xac\"")) << "nor a UTF-8 character";
}

}  // namespace
}  // namespace berth::http
