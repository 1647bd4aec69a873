#include "oci/reference.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace berth::oci {
namespace {

using namespace std::string_view_literals;

constexpr struct {
  std::string_view text;
  bool valid;
  std::string_view why;
} kTags[] = {
    {"latest", true, "letters (G2)"},
    {"1.2.3-rc.1_x", true, "every character class (G2)"},
    {"_", true, "may start with an underscore (G2)"},
    {"0", true, "may start with a digit (G2)"},
    {"A", true, "uppercase (G2)"},
    {"a..b--c__d", true, "repeated separators are fine in tags (G2)"},
    {"a.", true, "may end with a separator (G2)"},
    {"sha256-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", true, "fallback tags are tags (R6)"},
    {"", false, "empty (G2)"},
    {".a", false, "starts with a dot (G2)"},
    {"-a", false, "starts with a dash (G2)"},
    {"..", false, "dot segment (G2, S14)"},
    {"a/b", false, "slash (G2)"},
    {"a b", false, "blank (G2)"},
    {"a+b", false, "plus: helm writes an underscore instead (G2)"},
    {"a\0"sv, false, "NUL (G2)"},
    {"a\n", false, "newline (G2)"},
    {"\xC3\xA9", false, "not ASCII (S30)"},
};

TEST(Tag, Grammar) {
  for (const auto& row : kTags) {
    const auto tag = Tag::parse(row.text);
    ASSERT_EQ(tag.has_value(), row.valid) << row.text << ": " << row.why;
    if (tag.has_value()) {
      EXPECT_EQ(tag->str(), row.text);
    } else {
      EXPECT_EQ(tag.error().code, Errc::tag_invalid);
    }
    const auto reference = Reference::parse(row.text);
    ASSERT_EQ(reference.has_value(), row.valid) << "without a colon a reference is a tag (G4): " << row.text;
    if (reference.has_value()) {
      EXPECT_FALSE(reference->is_digest());
      EXPECT_EQ(reference->tag().str(), row.text);
      EXPECT_EQ(reference->str(), row.text);
    }
  }
}

TEST(Tag, AtMost128Characters) {  // G2
  EXPECT_TRUE(Tag::parse(std::string(128, 'a')).has_value());
  EXPECT_FALSE(Tag::parse(std::string(129, 'a')).has_value());
}

TEST(Tag, CaseMatters) {  // G2
  EXPECT_NE(*Tag::parse("A"), *Tag::parse("a"));
  EXPECT_LT(*Tag::parse("B"), *Tag::parse("a")) << "bytewise (L1)";
  EXPECT_EQ(std::unordered_set<Tag>({*Tag::parse("A"), *Tag::parse("a")}).size(), 2U);
}

TEST(Reference, ColonMeansDigest) {  // G4
  const std::string text = "sha256:" + std::string(64, 'a');
  const auto reference = Reference::parse(text);
  ASSERT_TRUE(reference.has_value());
  EXPECT_TRUE(reference->is_digest());
  EXPECT_EQ(reference->digest(), *Digest::parse(text));
  EXPECT_EQ(reference->str(), text);
  for (const std::string_view bad : {"a:b", ":", "latest:", "sha256:baddigeststring", "sha256:"}) {
    const auto refused = Reference::parse(bad);
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_EQ(refused.error().code, Errc::digest_invalid) << bad << ": never a tag, because of the colon";
  }
}

TEST(Reference, DigestInTagClothes) {
  // Without the colon the same letters are a tag: 64 hex digits are a legal one.
  EXPECT_FALSE(Reference::parse(std::string(64, 'a'))->is_digest());
}

TEST(ReferenceDeathTest, AskedForWhatItIsNot) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto tag = Reference::parse("latest");
  EXPECT_DEATH(static_cast<void>(tag->digest()), "asked of a tag");
}

}  // namespace
}  // namespace berth::oci
