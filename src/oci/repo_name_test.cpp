#include "oci/repo_name.h"

#include "base/random.h"

#include <gtest/gtest.h>

#include <regex>
#include <unordered_set>

namespace berth::oci {
namespace {

using namespace std::string_view_literals;

constexpr struct {
  std::string_view text;
  bool valid;
  std::string_view why;
} kRows[] = {
    {"a", true, "one letter (G1)"},
    {"0", true, "a digit (G1)"},
    {"library/nginx", true, "two components (G1)"},
    {"a/manifests/b", true, "route words are legal parts (G5)"},
    {"v2/blobs/uploads/tags/list/referrers", true, "route words are legal parts (G5)"},
    {"a__b", true, "double underscore (G1)"},
    {"a_b", true, "underscore (G1)"},
    {"a.b", true, "dot (G1)"},
    {"a-b", true, "dash (G1)"},
    {"a-----b", true, "any number of dashes (G1)"},
    {"a.b_c__d-e--f/g", true, "all joints (G1)"},
    {"", false, "empty (G1)"},
    {"a___b", false, "triple underscore (G1)"},
    {"a..b", false, "double dot (G1)"},
    {"a._b", false, "mixed separators (G1)"},
    {"a-_b", false, "mixed separators (G1)"},
    {"a.-b", false, "mixed separators (G1)"},
    {"A/b", false, "uppercase (G1)"},
    {"a/B", false, "uppercase (G1)"},
    {"-a", false, "leading separator (G1)"},
    {"a-", false, "trailing separator (G1)"},
    {"a/-b", false, "separator at a component's start (G1)"},
    {"a-/b", false, "separator at a component's end (G1)"},
    {"/a", false, "leading slash (G1)"},
    {"a/", false, "trailing slash (G1)"},
    {"a//b", false, "empty component (G6: never merged)"},
    {"/", false, "only a slash (G1)"},
    {".", false, "dot segment (S14)"},
    {"a/../b", false, "dot segment (S14)"},
    {"_catalog", false, "reserved: starts with an underscore (E1)"},
    {"_oci/ext", false, "reserved: starts with an underscore (E1)"},
    {"a b", false, "blank (G1)"},
    {"a\0b"sv, false, "NUL (G1)"},
    {"a\n", false, "newline at the end (G1)"},
    {"a:b", false, "colon (G1)"},
    {"a@b", false, "at sign (G1)"},
    {"a%2fb", false, "percent (G6)"},
    {"\xC3\xA9", false, "not ASCII (S30)"},
};

TEST(RepoName, Grammar) {
  for (const auto& row : kRows) {
    const auto name = RepoName::parse(row.text);
    ASSERT_EQ(name.has_value(), row.valid) << row.text << ": " << row.why;
    if (name.has_value()) {
      EXPECT_EQ(name->str(), row.text);
    } else {
      EXPECT_EQ(name.error().code, Errc::name_invalid);
    }
  }
}

TEST(RepoName, AtMost255Characters) {  // G1
  EXPECT_TRUE(RepoName::parse(std::string(255, 'a')).has_value());
  EXPECT_FALSE(RepoName::parse(std::string(256, 'a')).has_value());
}

TEST(RepoName, FirstComponent) {
  EXPECT_EQ(RepoName::parse("library/nginx/x")->first_component(), "library");
  EXPECT_EQ(RepoName::parse("nginx")->first_component(), "nginx");
}

TEST(RepoName, ComparesBytewise) {
  EXPECT_EQ(*RepoName::parse("a/b"), *RepoName::parse("a/b"));
  EXPECT_LT(*RepoName::parse("a-b"), *RepoName::parse("a/b"));
  const std::unordered_set<RepoName> names{*RepoName::parse("a"), *RepoName::parse("b"), *RepoName::parse("a")};
  EXPECT_EQ(names.size(), 2U);
}

// Property: the hand-written matcher agrees with the expression of the spec on random text over its alphabet.
TEST(RepoName, AgreesWithTheSpecsExpression) {
  const std::regex spec("[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*");
  constexpr std::string_view kAlphabet = "aaz09._-/A";
  SeededRandom random(13);
  int valid = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text(random.u64() % 9, ' ');
    for (char& c : text) c = kAlphabet[random.u64() % kAlphabet.size()];
    const bool expected = std::regex_match(text, spec);
    EXPECT_EQ(RepoName::parse(text).has_value(), expected) << text;
    valid += expected ? 1 : 0;
  }
  EXPECT_GT(valid, 300) << "the sample must not be all invalid";
}

}  // namespace
}  // namespace berth::oci
