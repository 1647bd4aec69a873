// What an Authorization header is taken apart into, before anybody asks whether it is right.
#include "auth/authenticator.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace berth::auth {
namespace {

const struct {
  std::string header;
  std::optional<std::string> pair;  // "name|secret"
  std::string_view why;
} kHeaders[] = {
    {"Basic YW5uOnNlY3JldA==", "ann|secret", "padded"},
    {"Basic YW5uOnNlY3JldA", "ann|secret", "some clients leave the padding out"},
    {"basic YW5uOnNlY3JldA==", "ann|secret", "schemes have no case (RFC 9110 11.1)"},
    {"BASIC YW5uOnNlY3JldA==", "ann|secret", "likewise"},
    {"Basic   YW5uOnNlY3JldA==", "ann|secret", "several blanks"},
    {"Basic YW5uOmE6Yg==", "ann|a:b", "the password may hold colons, a name may not"},
    {"Basic YW5uOg==", "ann|", "no password"},
    {"Basic OnNlY3JldA==", "|secret", "no name"},
    {"Basic Og==", "|", "nobody (A9)"},
    {"Basic YW5uAGI6YwA=", std::string("ann\0b|c\0", 8), "NUL is a byte like others"},
    {"Basic YW5u", std::nullopt, "no colon"},
    {"Basic ", std::nullopt, "nothing"},
    {"Basic", std::nullopt, "the scheme alone"},
    {"", std::nullopt, "no header"},
    {"Basic\tYW5uOnNlY3JldA==", std::nullopt, "a tab"},
    {"Basic YW5uOnNlY3JldA== ", std::nullopt, "a blank behind it"},
    {"Basic YW5uOnNlY3JldA==, Basic Og==", std::nullopt, "two headers joined"},
    {"Basic YW5uOnNlY3Jld-==", std::nullopt, "the other alphabet"},
    {"Basic YW5uOnNlY3JldB==", std::nullopt, "unused bits: one content, one spelling"},
    {"Basics YW5uOnNlY3JldA==", std::nullopt, "another scheme"},
    {"Bearer YW5uOnNlY3JldA==", std::nullopt, "another scheme"},
};

TEST(BasicHeader, Parses) {
  for (const auto& row : kHeaders) {
    const auto parsed = parse_basic(row.header);
    const auto pair = parsed ? std::optional(parsed->name + "|" + parsed->secret) : std::nullopt;
    EXPECT_EQ(pair, row.pair) << row.header << ": " << row.why;
  }
}

TEST(BearerHeader, Parses) {
  EXPECT_EQ(parse_bearer("Bearer a.b.c"), "a.b.c");
  EXPECT_EQ(parse_bearer("bearer  a.b.c"), "a.b.c");
  EXPECT_EQ(parse_bearer("Bearer"), std::nullopt);
  EXPECT_EQ(parse_bearer("Basic a.b.c"), std::nullopt);
}

}  // namespace
}  // namespace berth::auth
