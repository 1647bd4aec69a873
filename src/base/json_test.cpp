#include "base/json.h"

#include "base/random.h"

#include <gtest/gtest.h>

namespace berth::json {
namespace {

using namespace std::string_view_literals;
using Kind = Value::Kind;

std::string message_of(std::string_view text, Limits limits = {}) {
  const auto value = parse(text, limits);
  if (value.has_value()) return "";
  EXPECT_EQ(value.error().code, Errc::manifest_invalid);
  return value.error().message;
}

constexpr struct {
  std::string_view text;
  bool valid;
  std::string_view why;
} kTexts[] = {
    {"{}", true, "empty object"},
    {" \t\r\n{ } \n", true, "white space around (V3)"},
    {"\"text\"", true, "any value may stand at the top"},
    {"", false, "empty"},
    {"  ", false, "only white space"},
    {"\xEF\xBB\xBF{}", false, "byte order mark (V3)"},
    {"{}{}", false, "two values (V3)"},
    {"{} x", false, "text after the value (V3)"},
    {"{}\0"sv, false, "NUL after the value: only white space may follow (V3)"},
    {"{}\0{\"config\":{}}"sv, false, "a second document hidden behind NUL (V3)"},
    {"\0{}"sv, false, "NUL in front"},
    {"[1\0,2]"sv, false, "NUL inside"},
    {"[1,]", false, "trailing comma"},
    {"{\"a\":1,}", false, "trailing comma"},
    {"{a:1}", false, "unquoted key"},
    {"{'a':1}", false, "single quotes"},
    {"[1] // x", false, "comment"},
    {"/* x */ [1]", false, "comment"},
    {"[", false, "cut short"},
    {"{\"a\"", false, "cut short"},
    {"[NaN]", false, "not JSON"},
    {"[Infinity]", false, "not JSON"},
    {"[01]", false, "leading zero"},
    {"[+1]", false, "plus sign"},
    {"[.5]", false, "no digit before the point"},
    {"[0x10]", false, "hexadecimal"},
    {"[True]", false, "literals are lowercase"},
    {"[\"a\nb\"]", false, "control character inside a string"},
    {"[\"\\x41\"]", false, "unknown escape"},
    {"[\"\\ud800\"]", false, "half a surrogate pair: Go reads U+FFFD, others fail"},
    {"[\"\\ud83d\\udea2\"]", true, "a surrogate pair"},
    {"[\"\xFF\"]", false, "not UTF-8 (V3)"},
    {"[\"\xC0\xAF\"]", false, "overlong UTF-8 (V3)"},
    {"[\"\xED\xA0\x80\"]", false, "surrogate in UTF-8 (V3)"},
    {"{\"a\":1,\"b\":1}", true, "different keys"},
    {"{\"a\":1,\"a\":1}", false, "duplicate key, even with an equal value (V2)"},
    {"{\"a\":1,\"\\u0061\":2}", false, "duplicate key in another spelling (V2)"},
    {"[{\"x\":{\"a\":1,\"b\":{},\"a\":2}}]", false, "duplicate key below (V2)"},
    {"[{\"a\":1},{\"a\":1}]", true, "equal keys in different objects"},
    {"{\"a\":{\"a\":1}}", true, "equal keys at different depths"},
    {"{\"\":1,\"\":2}", false, "the empty key counts too (V2)"},
};

TEST(Json, AcceptsOneStrictValue) {
  for (const auto& row : kTexts) EXPECT_EQ(parse(row.text).has_value(), row.valid) << row.text << ": " << row.why;
}

constexpr struct {
  std::string_view text;
  Kind kind;
  std::string_view why;
} kNumbers[] = {
    {"0", Kind::integer, "zero"},
    {"-1", Kind::integer, "negative"},
    {"9007199254740993", Kind::integer, "2^53 + 1 stays exact (V3)"},
    {"9223372036854775807", Kind::integer, "the largest"},
    {"-9223372036854775808", Kind::integer, "the smallest"},
    {"9223372036854775808", Kind::number, "one more than fits"},
    {"-9223372036854775809", Kind::number, "one less than fits"},
    {"18446744073709551616", Kind::number, "more than 64 bits"},
    {"2.0", Kind::number, "a fraction, though whole (V3)"},
    {"1e3", Kind::number, "an exponent (V3)"},
    {"1E0", Kind::number, "an exponent (V3)"},
    {"0.5", Kind::number, "a fraction"},
};

TEST(Json, OnlyPlainLiteralsAreIntegers) {
  for (const auto& row : kNumbers) {
    const auto value = parse(row.text);
    ASSERT_TRUE(value.has_value()) << row.text;
    EXPECT_EQ(value->kind(), row.kind) << row.text << ": " << row.why;
    std::string printed;
    append(printed, *value);
    EXPECT_EQ(printed, row.text) << row.why;
  }
}

TEST(Json, TreeHoldsWhatWasWritten) {
  const auto root = parse(R"({"b":[1,"x",null],"a":true,"c":{"d":false},"e":"text"})");
  ASSERT_TRUE(root.has_value());
  ASSERT_EQ(root->object().size(), 4U);
  EXPECT_EQ(root->object()[0].first, "b") << "members stay in the order of the text";
  const Value* list = root->find("b");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->array().size(), 3U);
  EXPECT_EQ(list->array()[0].integer(), 1);
  EXPECT_EQ(list->array()[1].string(), "x");
  EXPECT_TRUE(list->array()[2].is_null());
  EXPECT_TRUE(root->find("a")->boolean());
  EXPECT_FALSE(root->find("c")->find("d")->boolean());
  EXPECT_EQ(root->find("A"), nullptr) << "keys match byte for byte (V2)";
  EXPECT_EQ(list->find("x"), nullptr) << "an array has no members";
  EXPECT_EQ(root->text("e"), "text");
  EXPECT_EQ(root->text("a"), "") << "no string";
  EXPECT_EQ(root->text("x"), "") << "not there";
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, DepthIsLimited) {  // V3
  EXPECT_TRUE(parse(nested(64)).has_value());
  EXPECT_NE(message_of(nested(65)).find("nested deeper than 64"), std::string::npos);
  EXPECT_NE(message_of(nested(3), {.depth_max = 2}).find("nested deeper than 2"), std::string::npos);
  EXPECT_NE(message_of(std::string(1'000'000, '[')), "") << "costs no stack";
}

TEST(Json, ElementsAreLimited) {
  const Limits limits{.elements_max = 5};
  EXPECT_TRUE(parse(R"({"a":1,"b":2})", limits).has_value()) << "object, two keys, two values";
  EXPECT_NE(message_of(R"({"a":1,"b":[2]})", limits).find("more than 5"), std::string::npos);
  EXPECT_NE(message_of("[1,2,3,4,5]", limits).find("more than 5"), std::string::npos);
}

TEST(Json, MessagesSayWhatAndWhere) {
  EXPECT_NE(message_of(R"({"a":1,"a":2})").find("duplicate key \"a\""), std::string::npos);
  const std::string message = message_of("{\"a\":!}");
  EXPECT_NE(message.find("byte 6"), std::string::npos) << message;
  EXPECT_EQ(message.find("nlohmann"), std::string::npos) << message;
  EXPECT_EQ(message.find("json.exception"), std::string::npos) << message;
}

// Property: print ∘ parse is the identity on compact text; and a changed byte never crashes.
TEST(Json, PrintsBackCompactText) {
  constexpr std::string_view kText = R"({"z":[],"a":{},"n":[-1,0,1.50,1e3,true,false,null],"s":"\u0000\"\\é"})";
  const auto value = parse(kText);
  ASSERT_TRUE(value.has_value()) << value.error().message;
  std::string printed;
  append(printed, *value);
  EXPECT_EQ(printed, kText);

  SeededRandom random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string text(kText);
    text[random.u64() % text.size()] = static_cast<char>(random.u64() % 256);
    const auto changed = parse(text);
    if (!changed.has_value()) continue;
    std::string once;
    append(once, *changed);
    const auto again = parse(once);
    ASSERT_TRUE(again.has_value()) << once;
    std::string twice;
    append(twice, *again);
    EXPECT_EQ(twice, once);
  }
}

}  // namespace
}  // namespace berth::json
