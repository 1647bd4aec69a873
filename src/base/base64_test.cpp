#include "base/base64.h"

#include "base/random.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

using namespace std::string_view_literals;

constexpr struct {
  std::string_view text;
  std::optional<std::string_view> bytes;
  std::string_view why;
} kPadded[] = {
    {"", "", "empty"},
    {"e30=", "{}", "one padding character"},
    {"Zg==", "f", "two padding characters (RFC 4648, 10)"},
    {"Zm8=", "fo", "one padding character (RFC 4648, 10)"},
    {"Zm9v", "foo", "no padding (RFC 4648, 10)"},
    {"Zm9vYmFy", "foobar", "two groups (RFC 4648, 10)"},
    {"AAAA", "\0\0\0"sv, "zero bytes"},
    {"+/+/", "\xFB\xFF\xBF", "the last two characters of the alphabet"},
    {"e30", std::nullopt, "padding is missing"},
    {"e30==", std::nullopt, "too much padding"},
    {"e31=", std::nullopt, "unused bits are not zero: a second spelling"},
    {"Zh==", std::nullopt, "unused bits are not zero: a second spelling"},
    {"e===", std::nullopt, "one character cannot make a byte"},
    {"====", std::nullopt, "only padding"},
    {"=", std::nullopt, "only padding"},
    {"e30=e30=", std::nullopt, "padding in the middle"},
    {"e=0=", std::nullopt, "padding in the middle"},
    {"e30=\n", std::nullopt, "newline at the end"},
    {"e3 =", std::nullopt, "blank"},
    {"-_-_", std::nullopt, "the alphabet for file names"},
    {"e30\0"sv, std::nullopt, "NUL"},
    {"e3\xFF="sv, std::nullopt, "a byte over 127"},
};

TEST(Base64, IsStrict) {  // V10
  for (const auto& row : kPadded) EXPECT_EQ(decode_base64(row.text), row.bytes) << row.text << ": " << row.why;
}

constexpr struct {
  std::string_view text;
  std::optional<std::string_view> bytes;
  std::string_view why;
} kOptional[] = {
    {"Og==", ":", "with its padding: empty name and password (A9)"},
    {"Og", ":", "without"},
    {"YW5uOnB3", "ann:pw", "no padding needed"},
    {"Og=", std::nullopt, "half of its padding"},
    {"Oh", std::nullopt, "unused bits are not zero"},
    {"Ogg", ":\x08", "two bytes without their padding"},
    {"O", std::nullopt, "one character cannot make a byte"},
    {"A", std::nullopt, "one character whose bits are all zero cannot either"},
    {"AAAAA", std::nullopt, "the same behind a group"},
    {"Og==Og==", std::nullopt, "padding in the middle"},
};

TEST(Base64, PaddingMayBeOptional) {
  for (const auto& row : kOptional) {
    EXPECT_EQ(decode_base64(row.text, Padding::optional), row.bytes) << row.text << ": " << row.why;
  }
}

constexpr struct {
  std::string_view text;
  std::optional<std::string_view> bytes;
  std::string_view why;
} kUrl[] = {
    {"", "", "empty"},
    {"e30", "{}", "two bytes"},
    {"Zg", "f", "one byte"},
    {"Zm9v", "foo", "three bytes"},
    {"-_-_", "\xFB\xFF\xBF", "the last two characters of the alphabet"},
    {"e30=", std::nullopt, "padding"},
    {"Zm9v=", std::nullopt, "padding"},
    {"e31", std::nullopt, "unused bits are not zero: a second spelling of a token (A12)"},
    {"Zh", std::nullopt, "unused bits are not zero"},
    {"A", std::nullopt, "one character cannot make a byte"},
    {"Zm9vA", std::nullopt, "one character cannot make a byte"},
    {"+/+/", std::nullopt, "the standard alphabet"},
    {"e30\n", std::nullopt, "newline"},
    {" e30", std::nullopt, "blank"},
    {"e3.0", std::nullopt, "a dot"},
    {"e3\0"sv, std::nullopt, "NUL"},
};

TEST(Base64Url, IsStrict) {
  for (const auto& row : kUrl) {
    EXPECT_EQ(decode_base64url(row.text), row.bytes) << row.text << ": " << row.why;
    if (row.bytes) EXPECT_EQ(encode_base64url(*row.bytes), row.text) << row.why;
  }
}

TEST(Base64Url, ReadsWhatItPrints) {
  SeededRandom random(3);
  for (std::size_t size = 0; size < 100; ++size) {
    std::string bytes(size, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    const std::string text = encode_base64url(bytes);
    EXPECT_EQ(text.size(), (size * 4 + 2) / 3);
    EXPECT_EQ(decode_base64url(text), bytes) << size;
  }
}

}  // namespace
}  // namespace berth
