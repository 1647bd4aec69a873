#include "auth/repo_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

constexpr struct {
  std::string_view text;
  bool in_grant;  // where the first component names one namespace
  bool anywhere;
  std::string_view why;
} kGrammar[] = {
    {"acme", true, true, "one component"},
    {"acme/web", true, true, "no wildcard"},
    {"acme/web-*", true, true, "a run within a component"},
    {"acme/*/ci", true, true, "a component in the middle"},
    {"acme/**", true, true, "everything below"},
    {"acme/*-*/x", true, true, "two runs"},
    {"**", false, true, "every repository"},
    {"*", false, true, "every repository of one component"},
    {"ac*/web", false, true, "a grant names its namespace (S9)"},
    {"*/web", false, true, "likewise"},
    {"", false, false, "nothing"},
    {"/acme", false, false, "a slash first"},
    {"acme/", false, false, "a slash last"},
    {"acme//web", false, false, "an empty component"},
    {"acme/**/web", false, false, "** in the middle"},
    {"acme/web**", false, false, "** is a component of its own"},
    {"acme/***", false, false, "three stars"},
    {"**/web", false, false, "** in front"},
    {"Acme/web", false, false, "uppercase, nothing is normalised (S30)"},
    {"acme/we b", false, false, "a blank"},
    {"acme/we?", false, false, "no other wildcard"},
    {"acme/[ab]", false, false, "no classes"},
    {"acme:5000/web", false, false, "a colon"},
    {"acme/w\xC3\xA4", false, false, "ASCII only (S30)"},
};

TEST(RepoPattern, Grammar) {
  for (const auto& row : kGrammar) {
    EXPECT_EQ(RepoPattern::parse(row.text).has_value(), row.in_grant) << row.text << ": " << row.why;
    const auto anywhere = RepoPattern::parse(row.text, RepoPattern::FirstComponent::any);
    EXPECT_EQ(anywhere.has_value(), row.anywhere) << row.text << ": " << row.why;
    if (anywhere) {
      EXPECT_EQ(anywhere->str(), row.text);
    } else {
      EXPECT_EQ(anywhere.error().code, Errc::account_invalid);
      EXPECT_THAT(anywhere.error().message, ::testing::HasSubstr("is not a repository pattern"));
    }
  }
}

TEST(RepoPattern, IsNoLongerThanAName) {
  EXPECT_TRUE(RepoPattern::parse(std::string(RepoPattern::kBytesMax, 'a')));
  EXPECT_FALSE(RepoPattern::parse(std::string(RepoPattern::kBytesMax + 1, 'a')));
}

constexpr struct {
  std::string_view pattern;
  std::string_view repo;
  bool matches;
  std::string_view why;
} kMatches[] = {
    {"a/b", "a/b", true, "itself"},
    {"a/b", "a/bc", false, "no prefix of a component (S9)"},
    {"a/b", "a/b/c", false, "nor of the path (S9)"},
    {"a/b", "a", false, "nor the parent"},
    {"a/b", "x/a/b", false, "nor a suffix"},
    {"a/b", "a/B", false, "case counts (S30)"},
    {"a/*", "a/b", true, "one component"},
    {"a/*", "a/b/c", false, "* crosses no slash (S9)"},
    {"a/*", "a", false, "* is a component"},
    {"a/*/c", "a/b/c", true, "in the middle"},
    {"a/*/c", "a/b/b/c", false, "exactly one"},
    {"a/web-*", "a/web-", true, "an empty run"},
    {"a/web-*", "a/web-api", true, "a run"},
    {"a/web-*", "a/web", false, "what is written must be there"},
    {"a/*-api", "a/web-api", true, "a suffix"},
    {"a/*-api", "a/web-api-x", false, "to the end"},
    {"a/*b*c", "a/xbxbxc", true, "backtracks over the last star"},
    {"a/*b*c", "a/xbxbx", false, "and gives up"},
    {"a/**", "a/b", true, "below"},
    {"a/**", "a/b/c/d", true, "however deep"},
    {"a/**", "a", true, "and the namespace's own name"},
    {"a/**", "ab/c", false, "not another namespace (S9)"},
    {"a/**", "b/a/c", false, "nor elsewhere"},
    {"a/b/**", "a/bc", false, "not a sibling (S9)"},
    {"a/b*/**", "a/bc/d", true, "both wildcards"},
    {"**", "a/b/c", true, "everything"},
    {"*", "a", true, "one component"},
    {"*", "a/b", false, "not two"},
    {"a.b", "axb", false, "a dot is a dot"},
};

TEST(RepoPattern, Matches) {
  for (const auto& row : kMatches) {
    const auto pattern = RepoPattern::parse(row.pattern, RepoPattern::FirstComponent::any);
    ASSERT_TRUE(pattern.has_value()) << row.pattern;
    EXPECT_EQ(pattern->matches(row.repo), row.matches) << row.pattern << " on " << row.repo << ": " << row.why;
  }
}

TEST(RepoPattern, NamesItsNamespace) {
  EXPECT_EQ(RepoPattern::parse("acme/web/**")->first_component(), "acme");
  EXPECT_EQ(RepoPattern::parse("acme")->first_component(), "acme");
}

RepoPattern::Specificity specificity(std::string_view text) {
  return RepoPattern::parse(text, RepoPattern::FirstComponent::any)->specificity();
}

// Each decides before those below it.
TEST(RepoPattern, OrderOfSpecificity) {
  constexpr std::string_view kOrder[] = {"a/b/c", "a/b/c*", "a/b/*",   "a/b/**", "a/*/c-*", "a/*/*",
                                         "a/bc*", "a/b*",   "a/b*/**", "a/*",    "a/*/**"};
  for (std::size_t i = 0; i + 1 < std::size(kOrder); ++i) {
    EXPECT_TRUE(specificity(kOrder[i]) > specificity(kOrder[i + 1])) << kOrder[i] << " over " << kOrder[i + 1];
  }
  EXPECT_GT(specificity("a/b"), specificity("a/b/**")) << "exact, though it has fewer components";
  EXPECT_GT(specificity("a/*"), specificity("a/**")) << "one level is narrower than all";
  EXPECT_EQ(specificity("a/x*"), specificity("a/*x")) << "neither is narrower";
}

/// Of a few components, up to three deep.
std::vector<std::string> names() {
  std::vector<std::string> out;
  const std::vector<std::string> parts = {"a", "b", "ab", "ba", "aab", "aba"};
  for (const auto& x : parts) {
    out.push_back(x);
    for (const auto& y : parts) {
      out.push_back(x + "/" + y);
      for (const auto& z : parts) out.push_back(x + "/" + y + "/" + z);
    }
  }
  return out;
}

// What matches less is the more specific: otherwise an exception to a rule would not be one.
TEST(RepoPattern, WhoeverMatchesLessIsMoreSpecific) {
  const std::vector<std::string> parts = {"a", "b", "ab", "*", "a*", "*b", "a*b", "*a*", "a*b*"};
  std::vector<std::string> texts = {"a/**"};
  for (const auto& y : parts) {
    texts.push_back("a/" + y);
    texts.push_back("a/" + y + "/**");
    for (const auto& z : parts) texts.push_back("a/" + y + "/" + z);
  }
  const auto all = names();
  std::vector<std::pair<RepoPattern, std::vector<bool>>> patterns;
  for (const auto& text : texts) {
    auto pattern = *RepoPattern::parse(text);
    std::vector<bool> hits;
    for (const auto& name : all) hits.push_back(pattern.matches(name));
    patterns.emplace_back(std::move(pattern), std::move(hits));
  }
  for (const auto& [narrow, few] : patterns) {
    for (const auto& [wide, many] : patterns) {
      bool is_within = few != many;
      for (std::size_t i = 0; i < few.size() && is_within; ++i) is_within = !few[i] || many[i];
      if (is_within && std::ranges::count(few, true) > 0)
        EXPECT_TRUE(narrow.specificity() > wide.specificity()) << narrow.str() << " is within " << wide.str();
    }
  }
}

// S1: a pattern somebody chose is matched against a name somebody else chose, with every request. A matcher that tries
// every split of the name among the stars would not come back from this.
TEST(RepoPattern, ManyStarsCostNoMoreThanTheProductOfTheLengths) {
  std::string hostile = "a/";
  while (hostile.size() < RepoPattern::kBytesMax - 2) hostile += "a*";
  hostile += "b";
  const auto pattern = RepoPattern::parse(hostile);
  ASSERT_TRUE(pattern.has_value()) << hostile.size();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(pattern->matches("a/" + std::string(253, 'a')));
}

}  // namespace
}  // namespace berth::auth
