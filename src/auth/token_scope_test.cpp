#include "auth/token_scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// As it is written back; "refused" for what is none.
std::string read(std::string_view scope) {
  Narrowing out;
  if (!add_scope(out, scope)) return "refused";
  std::string text;
  for (const std::string& each : scopes_of(out)) text += (text.empty() ? "" : " ") + each;
  return text;
}

constexpr struct {
  std::string_view scope;
  std::string_view read;
  std::string_view why;
} kRows[] = {
    {"acme/web:read,write", "acme/web:read,write", "rights on a repository"},
    {"acme/**:all", "acme/**:read,write,overwrite,delete,admin", "all of them, on a pattern"},
    {"*/ci:pull", "*/ci:read", "docker's word, in every namespace"},
    {"repo:read,write:acme/**", "acme/**:read,write", "the other spelling"},
    {"repo:delete:acme/web", "acme/web:delete", "likewise"},
    {"repo:admin:acme/web", "acme/web:admin", "to administer a repository is a right on it"},
    {"repo:read", "repo:read", "a repository of that name"},
    {"org:read", "org:read", "likewise"},
    {"user:read", "user:read", "likewise"},
    {"user", "user", "one's own profile"},
    {"org:admin:acme", "org:admin:acme", "a namespace"},
    {"org:admin:a.b-c", "org:admin:a.b-c", "with all that a name may have"},
    {"admin:read", "admin:read", "the registry"},
    {"admin:write", "admin:write", "likewise"},
    {"repo:read:admin", "repo:read:admin", "a repository of that name is not taken for the registry"},
    {"admin:all", "refused", "nor the registry for a repository"},
    {"admin:delete", "refused", "likewise"},
    {"admin:read,write", "refused", "likewise"},
    {"admin", "refused", "without rights"},
    {"acme/web", "refused", "without rights"},
    {"acme/web:", "refused", "without rights"},
    {"acme/web:everything", "refused", "a right we do not know"},
    {"repo:read:", "refused", "without a pattern"},
    {"repo::acme/web", "refused", "without rights"},
    {"repo:acme/web:read", "refused", "the wrong way round"},
    {"org:admin:", "refused", "without a name"},
    {"org:admin:acme/web", "refused", "a repository is no namespace"},
    {"org:admin:*", "refused", "nor is a pattern"},
    {"org:admin:acme:x", "refused", "with something behind it"},
    {"org:write:acme", "refused", "an organisation is administered or not"},
    {"User", "refused", "exactly as written"},
    {" user", "refused", "exactly as written"},
    {"", "refused", "nothing"},
};

TEST(TokenScope, IsReadAndWrittenBack) {  // A16
  for (const auto& row : kRows) {
    EXPECT_EQ(read(row.scope), row.read) << row.scope << ": " << row.why;
    if (row.read != "refused") EXPECT_EQ(read(row.read), row.read) << row.scope;
  }
}

TEST(TokenScope, ScopesUnite) {
  Narrowing all;
  for (const char* scope : {"admin:write", "acme/web:read", "user", "org:admin:acme", "admin:read", "org:admin:acme"})
    ASSERT_TRUE(add_scope(all, scope)) << scope;
  EXPECT_THAT(scopes_of(all), ElementsAre("acme/web:read", "org:admin:acme", "user", "admin:write"));
}

TEST(TokenScope, WhatIsNoneNarrowsAllTheSame) {
  Narrowing out;
  const auto done = add_scope(out, "everything");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("'everything' is not a scope"));
  EXPECT_TRUE(out.is_narrow) << "who goes on regardless has nothing";
}

TEST(TokenScope, ThatWouldDoIsOneThatCoversIt) {
  for (const Act act :
       {Act::keep_profile, Act::keep_credentials, Act::administer_namespace, Act::know_members, Act::appoint_owners,
        Act::read_registry, Act::administer_registry, Act::appoint_administrators, Act::see_every_repository}) {
    const std::string scope = scope_for(act, "acme");
    Narrowing narrowing;
    if (scope.empty()) {
      for (const char* each : {"**:all", "user", "org:admin:acme", "admin:write"})
        ASSERT_TRUE(add_scope(narrowing, each));
      EXPECT_FALSE(narrowing.covers(act, "acme")) << "none does";
      continue;
    }
    ASSERT_TRUE(add_scope(narrowing, scope)) << scope;
    EXPECT_TRUE(narrowing.covers(act, "acme")) << scope;
  }
}

}  // namespace
}  // namespace berth::auth
