#include "auth/trusted_issuers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

bool allows(const std::vector<std::string>& patterns, std::string_view issuer) {
  const auto parsed = TrustedIssuers::parse(patterns);
  EXPECT_TRUE(parsed.has_value()) << patterns.front();
  return parsed && parsed->allows(issuer);
}

constexpr struct {
  const char* pattern;
  std::string_view issuer;
  bool allows;
  std::string_view why;
} kRows[] = {
    {"https://gitlab.example.com", "https://gitlab.example.com", true, "as it is written"},
    {"https://gitlab.example.com", "https://gitlab.example.com/", true, "with a slash behind it"},
    {"https://gitlab.example.com/", "https://gitlab.example.com", true, "or without"},
    {"https://GitLab.example.com", "https://gitlab.EXAMPLE.com", true, "a host has no case"},
    {"https://gitlab.example.com", "https://gitlab.example.com.evil.net", false, "more behind the host"},
    {"https://gitlab.example.com", "https://gitlab.example.com@evil.net", false, "a name before another host"},
    {"https://gitlab.example.com", "https://evil.net/https://gitlab.example.com", false, "in the path"},
    {"https://gitlab.example.com", "http://gitlab.example.com", false, "in the clear"},
    {"https://gitlab.example.com", "https://gitlab.example.com:8443", false, "another port"},
    {"https://gitlab.example.com:8443", "https://gitlab.example.com:8443", true, "that port"},
    {"https://gitlab.example.com", "https://gitlab.example.com/group", false, "another issuer of the same host"},
    {"https://*.example.com", "https://gitlab.example.com", true, "a name below"},
    {"https://*.example.com", "https://a.b.example.com", true, "of any depth"},
    {"https://*.example.com", "https://example.com", false, "not the name itself"},
    {"https://*.example.com", "https://.example.com", false, "nothing is no name"},
    {"https://*.example.com", "https://notexample.com", false, "whole labels"},
    {"https://*.example.com", "https://evil.net?.example.com", false, "a query is no host"},
    {"https://*.example.com", "https://evil.net#.example.com", false, "nor a fragment"},
    {"https://*.example.com", "https://evil.net\\.example.com", false, "nor what some read as a slash"},
    {"https://*.example.com", "https://evil.net@a.example.com", false, "nor a name before one"},
    {"https://*.example.com", "https://gitlab.example.com/x", false, "the path counts, too"},
    {"https://ci.example.com/*", "https://ci.example.com/org/7", true, "a path below"},
    {"https://ci.example.com/*", "https://ci.example.com", false, "not the root itself"},
    {"https://ci.example.com/id/*", "https://ci.example.com/id/7", true, "below that one"},
    {"https://ci.example.com/id/*", "https://ci.example.com/identity/7", false, "whole segments"},
    {"https://ci.example.com/id/*", "https://ci.example.com/id/../7", false, "which do not go up again"},
    {"https://ci.example.com/id/*", "https://ci.example.com/id/%2e%2e/7", false, "nor written in another way"},
    {"https://*.example.com/*", "https://a.example.com/b", true, "both"},
    {"http://10.0.0.7:8080", "http://10.0.0.7:8080", true, "in the clear, where that was said"},
    {"https://[2001:db8::1]", "https://[2001:db8::1]", true, "an address"},
};

TEST(TrustedIssuers, AreThoseThatAPatternNames) {  // S17
  for (const auto& row : kRows)
    EXPECT_EQ(allows({row.pattern}, row.issuer), row.allows) << row.pattern << " " << row.issuer << ": " << row.why;
}

TEST(TrustedIssuers, AreAllWithoutAPattern) {
  EXPECT_TRUE(TrustedIssuers().allows("https://ci.example.com"));
  EXPECT_TRUE(allows({}, "https://ci.example.com"));
}

TEST(TrustedIssuers, AreThoseOfAnyPattern) {
  EXPECT_TRUE(allows({"https://a.example", "https://b.example"}, "https://b.example"));
  EXPECT_FALSE(allows({"https://a.example", "https://b.example"}, "https://c.example"));
}

TEST(TrustedIssuers, WhatIsNoPatternIsRefused) {
  for (const char* text :
       {"", "gitlab.example.com", "*", "https://", "https://*", "https://*.", "https://a.*.example.com",
        "https://*example.com", "ftp://example.com", "https://ci.example.com/*/x", "https://ci.example.com/x*",
        "https://ci.example.com?x", "https://u@ci.example.com"}) {
    const auto parsed = TrustedIssuers::parse({text});
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, Errc::parameter_invalid);
    EXPECT_THAT(parsed.error().message, ::testing::HasSubstr(text));
  }
}

}  // namespace
}  // namespace berth::auth
