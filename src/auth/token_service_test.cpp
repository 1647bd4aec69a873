#include "auth/token_service.h"

#include "auth/jwt.h"
#include "support/accounts_fixture.h"

namespace berth::auth {
namespace {

class TokenServiceTest : public test::AccountsFixture {
 protected:
  TokenServiceTest() {
    add_user("ann");
    add_user("bob");
    add_repo("ann/app");
    add_repo("ann/open", meta::Visibility::open);
  }
  Identity identity_of(std::string_view name) {
    Identity out;
    out.subject = subject(name);
    return out;
  }
  IssuedToken issue(const Identity& identity, std::string scopes) {
    return must(tokens_.issue(identity, parse_scopes(std::vector{std::move(scopes)})));
  }
  Claims read(const IssuedToken& token) {
    return must(
        verify_token(token.text, keys_.keys()->verifying,
                     {.issuer = std::string(kService), .audience = std::string(kService), .now_ms = clock_.now_ms()}));
  }
  std::string granted(std::string_view name, const std::string& scopes) {
    return issue(identity_of(name), scopes).scope;
  }
};

// A8: granted = requested ∩ allowed; less, or nothing, is no error. A10: what is not there and what is not allowed are
// the same.
TEST_F(TokenServiceTest, GrantsWhatIsAskedAndAllowed) {
  grant("bob", "ann/app", Right::read | Right::overwrite);
  grant("bob", "ann/del", Right::remove | Right::write);
  const struct {
    std::string_view who;
    std::string asked;
    std::string_view granted;
    std::string_view why;
  } rows[] = {
      {"ann", "repository:ann/app:pull", "repository:ann/app:pull", "no more than asked"},
      {"ann", "repository:ann/app:*", "repository:ann/app:pull,push,delete", "* is what is allowed, in words (A6)"},
      {"bob", "repository:ann/app:*", "repository:ann/app:pull", "moving tags is not pushing (M7)"},
      {"bob", "repository:ann/app:pull,push", "repository:ann/app:pull", "less than asked"},
      {"bob", "repository:ann/app:push", "", "nothing"},
      {"bob", "repository:ann/del:*", "repository:ann/del:push,delete", "no pull because of another right"},
      {"bob", "repository:ann/none:pull", "", "a repository that is not there looks the same (A10)"},
      {"bob", "repository:none/none:pull", "", "nor its namespace"},
      {"bob", "repository:ann/open:pull,push", "repository:ann/open:pull", "public"},
      {"", "repository:ann/open:pull,push", "repository:ann/open:pull", "anonymous (A9)"},
      {"", "repository:ann/app:pull", "", "anonymous: never an error (A9)"},
      {"", "registry:catalog:*", "registry:catalog:*", "what is listed is filtered"},
      {"ann", "", "", "nothing asked"},
      {"bob", "repository:ann/app:pull repository:bob/x:push", "repository:ann/app:pull repository:bob/x:push", "two"},
  };
  for (const auto& row : rows) EXPECT_EQ(granted(row.who, row.asked), row.granted) << row.asked << ": " << row.why;
}

TEST_F(TokenServiceTest, WhatWasAskedAndDeniedIsSaid) {
  const Claims claims = read(issue(identity_of("bob"), "repository:ann/app:pull registry:catalog:*"));
  ASSERT_EQ(claims.access.size(), 2U);
  EXPECT_EQ(claims.access[0], (Access{"repository", "ann/app", {}})) << "A12";
  EXPECT_EQ(claims.access[1], (Access{"registry", "catalog", {"*"}}));
}

// A12
TEST_F(TokenServiceTest, SaysWhoseAndWhereAndHowLong) {
  Identity identity = identity_of("ann");
  identity.via = 12;
  const IssuedToken token = issue(identity, "");
  const Claims claims = read(token);
  EXPECT_EQ(claims.issuer, kService);
  EXPECT_EQ(claims.audiences, std::vector{std::string(kService)});
  EXPECT_EQ(claims.subject, "ann");
  EXPECT_EQ(claims.principal, subject("ann").id);
  EXPECT_EQ(claims.via, 12);
  EXPECT_EQ(claims.issued_at, clock_.now_ms() / 1000);
  EXPECT_EQ(claims.not_before, clock_.now_ms() / 1000);
  EXPECT_EQ(claims.expires, clock_.now_ms() / 1000 + 900);
  EXPECT_EQ(token.expires_in_s, 900) << "A11";
  EXPECT_EQ(claims.id.size(), 32U);
  EXPECT_NE(read(issue(identity, "")).id, claims.id);
  EXPECT_EQ(read(issue({}, "")).subject, "") << "A9: nobody's";
}

TEST_F(TokenServiceTest, LivesAsLongAsItIsTold) {
  TokenService brief({directory_, keys_, clock_, random_, std::string(kService), 60});
  const IssuedToken token = must(brief.issue(identity_of("ann"), {}));
  EXPECT_EQ(token.expires_in_s, 60);
  EXPECT_EQ(read(token).expires, clock_.now_ms() / 1000 + 60);
}

// A11: never under a minute.
TEST_F(TokenServiceTest, EndsWithAJobAndIsNotMadeForItsLastMinute) {
  Identity job = identity_of("ann");
  job.trust_rule = 3;
  job.valid_until_ms = clock_.now_ms() + 60'000;
  EXPECT_EQ(issue(job, "").expires_in_s, 60);
  job.valid_until_ms -= 1'000;
  const auto refused = tokens_.issue(job, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unauthorized);
}

TEST_F(TokenServiceTest, SignsWithTheNewestKey) {
  const auto next = crypto::SigningKey::generate();
  keys_.replace({next, key_});
  const std::string text = issue(identity_of("ann"), "").text;
  EXPECT_TRUE(
      verify_token(text, std::span(&next.public_key(), 1),
                   {.issuer = std::string(kService), .audience = std::string(kService), .now_ms = clock_.now_ms()}));
}

// A16: never more than the secret it is made with.
TEST_F(TokenServiceTest, IsAsNarrowAsTheIdentity) {
  Identity identity = identity_of("ann");
  identity.narrowing = parse_narrowing(R"({"repos":[{"pattern":"ann/app","rights":"read,admin"}]})");
  EXPECT_EQ(issue(identity, "repository:ann/app:* repository:ann/open:*").scope, "repository:ann/app:pull");
}

// A11: whatever a client asks, the token fits into a header.
TEST_F(TokenServiceTest, TheLongestTokenIsStillRead) {
  std::string scopes;
  for (int i = 10; i < 200; ++i) scopes += "repository:ann/" + std::string(240, 'x') + std::to_string(i) + ":* ";
  const IssuedToken token = issue(identity_of("ann"), scopes);
  EXPECT_EQ(read(token).access.size(), kScopesMax);
  EXPECT_TRUE(authenticate("Bearer " + token.text).has_value());
}

}  // namespace
}  // namespace berth::auth
