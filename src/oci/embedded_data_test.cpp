#include "oci/embedded_data.h"

#include <gtest/gtest.h>

namespace berth::oci {
namespace {

using namespace std::string_view_literals;

constexpr struct {
  std::string_view text;
  std::optional<std::string_view> bytes;
  std::string_view why;
} kBase64[] = {
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
};

TEST(Base64, IsStrict) {  // V10
  for (const auto& row : kBase64) EXPECT_EQ(decode_base64(row.text), row.bytes) << row.text << ": " << row.why;
}

Descriptor descriptor_of(std::string_view bytes) {
  Descriptor out;
  out.digest = digest_of(Algorithm::sha256, bytes);
  out.digest_text = out.digest->str();
  out.size = static_cast<std::int64_t>(bytes.size());
  out.has_size = true;
  return out;
}

TEST(EmbeddedData, MustBeTheContent) {  // V10
  Descriptor descriptor = descriptor_of("{}");
  EXPECT_TRUE(check_embedded_data("e30=", descriptor).has_value());
  EXPECT_FALSE(check_embedded_data("e30", descriptor).has_value()) << "not base64";
  EXPECT_FALSE(check_embedded_data("W10=", descriptor).has_value()) << "two other bytes";
  EXPECT_FALSE(check_embedded_data("", descriptor).has_value()) << "empty, but size is 2";
  EXPECT_TRUE(check_embedded_data("", descriptor_of("")).has_value()) << "empty content";

  descriptor.size = 3;
  EXPECT_FALSE(check_embedded_data("e30=", descriptor).has_value()) << "size differs";
  descriptor.has_size = false;
  EXPECT_TRUE(check_embedded_data("e30=", descriptor).has_value()) << "a subject may lack its size (V4)";
  descriptor.digest = digest_of(Algorithm::sha512, "{}");
  EXPECT_TRUE(check_embedded_data("e30=", descriptor).has_value()) << "sha512 (V14)";
  descriptor.digest.reset();
  EXPECT_FALSE(check_embedded_data("e30=", descriptor).has_value()) << "an algorithm that cannot be checked";
}

}  // namespace
}  // namespace berth::oci
