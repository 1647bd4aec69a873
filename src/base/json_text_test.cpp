#include "base/json_text.h"

#include "base/json.h"
#include "base/random.h"

#include <gtest/gtest.h>

#include <span>

namespace berth {
namespace {

using namespace std::string_view_literals;

constexpr struct {
  std::string_view text;
  std::string_view printed;
  std::string_view why;
} kRows[] = {
    {"", R"("")", "empty"},
    {"plain", R"("plain")", "nothing to escape"},
    {R"(a"b\c/d)", R"("a\"b\\c/d")", "quote and backslash, but not the slash"},
    {"\n\t\x01"sv, R"("\u000a\u0009\u0001")", "control characters"},
    {"\x7f"sv, "\"\x7f\"", "as it is: a page of descriptors must not outgrow what was pushed (R4)"},
    {"a\0b"sv, R"("a\u0000b")", "NUL does not end the text"},
    {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x9A\xA2", "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x9A\xA2\"", "UTF-8 passes as it is"},
    {"\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\"", "the last code point"},
    {"\xFF", "\"\xEF\xBF\xBD\"", "no lead byte"},
    {"\x80", "\"\xEF\xBF\xBD\"", "a tail byte alone"},
    {"\xC3", "\"\xEF\xBF\xBD\"", "cut short at the end"},
    {"\xC3(", "\"\xEF\xBF\xBD(\"", "cut short by another character, which stays"},
    {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", "overlong slash"},
    {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"", "surrogate"},
    {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"", "beyond the last code point"},
};

TEST(JsonText, Quotes) {
  for (const auto& row : kRows) EXPECT_EQ(json_string(row.text), row.printed) << row.why;
}

TEST(JsonText, AppendsBehindWhatIsThere) {
  std::string out = "{\"a\":";
  append_json_string(out, "b");
  EXPECT_EQ(out, R"({"a":"b")");
}

TEST(JsonText, ObjectsAreJoinedMemberByMember) {
  EXPECT_EQ(joined_objects(R"({"a":1})", R"({"b":{"c":2}})"), R"({"a":1,"b":{"c":2}})");
  EXPECT_EQ(joined_objects("{}", R"({"b":2})"), R"({"b":2})");
  EXPECT_EQ(joined_objects(R"({"a":1})", "{}"), R"({"a":1})");
  EXPECT_EQ(joined_objects("{}", "{}"), "{}");
}

// Property: whatever bytes come in, the strict parser reads the output; and it reads UTF-8 back unchanged.
TEST(JsonText, OutputIsAlwaysValidJson) {
  SeededRandom random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random.u64() % 40, '\0');
    random.fill(std::as_writable_bytes(std::span(text)));
    const auto first = json::parse(json_string(text));
    ASSERT_TRUE(first.has_value()) << "round " << round;
    const std::string& valid = first->string();  // the same text with what was not UTF-8 replaced
    const auto second = json::parse(json_string(valid));
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(second->string(), valid);
  }
}

}  // namespace
}  // namespace berth
