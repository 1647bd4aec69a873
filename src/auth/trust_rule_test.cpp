#include "auth/trust_rule.h"

#include "auth/accounts.h"
#include "base/random.h"
#include "meta/migrations.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using ::testing::HasSubstr;

constexpr struct {
  std::string_view pattern;
  std::string_view text;
  bool matches;
  std::string_view why;
} kTexts[] = {
    {"acme/web", "acme/web", true, "the same"},
    {"acme/web", "acme/web2", false, "the whole value counts, not its beginning"},
    {"acme/web", "evil/acme/web", false, "nor its end"},
    {"acme/web", "Acme/Web", false, "case counts"},
    {"", "", true, "nothing is nothing"},
    {"", "x", false, "and no more"},
    {"*", "", true, "a star may be nothing"},
    {"*", "refs/heads/main", true, "or everything, slashes included"},
    {"refs/heads/*", "refs/heads/release/1.0", true, "slashes are text"},
    {"refs/heads/*", "refs/tags/v1", false, "the beginning counts"},
    {"refs/heads/*", "refs/heads/", true, "the star is empty"},
    {"*-bot", "merge-bot", true, "at the beginning"},
    {"*-bot", "merge-bot2", false, "the end counts"},
    {"repo:*:ref:refs/heads/main", "repo:acme/web:ref:refs/heads/main", true, "in the middle"},
    {"repo:*:ref:refs/heads/main", "repo:acme/web:ref:refs/heads/main:x", false, "what follows counts"},
    {"a*a", "a", false, "beginning and end do not share a letter"},
    {"a*a", "aa", true, "they may touch"},
    {"a*b*c", "abbbc", true, "two stars"},
    {"a*b*c", "acb", false, "in this order"},
    {"a**c", "abc", true, "two stars are one"},
    {"**", "", true, "also of nothing"},
    {"*ab*ab*", "ab", false, "each part needs a place of its own"},
    {"*ab*ab*", "abab", true, "which may be next to the other's"},
    {"a.c", "abc", false, "no regular expressions"},
    {"a?c", "abc", false, "nor other wildcards"},
    {"[a]", "a", false, "nor sets"},
};

TEST(ClaimPattern, MatchesTheWholeText) {
  for (const auto& row : kTexts)
    EXPECT_EQ(matches(row.pattern, row.text), row.matches) << row.pattern << ": " << row.why;
}

/// What the words say, as slowly as that is.
bool matches_naively(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*')
    return matches_naively(pattern.substr(1), text) || (!text.empty() && matches_naively(pattern, text.substr(1)));
  return !text.empty() && text.front() == pattern.front() && matches_naively(pattern.substr(1), text.substr(1));
}

TEST(ClaimPattern, MatchesAsTheDefinitionDoes) {
  SeededRandom random(7);
  const auto draw = [&](std::string_view alphabet, std::size_t length_max) {
    std::array<std::byte, 12> bytes{};
    random.fill(bytes);
    std::string out;
    const std::size_t length = std::to_integer<std::size_t>(bytes[0]) % (length_max + 1);
    for (std::size_t i = 0; i < length; ++i)
      out += alphabet[std::to_integer<std::size_t>(bytes[i + 1]) % alphabet.size()];
    return out;
  };
  int matching = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string pattern = draw("ab*", 6);
    const std::string text = draw("ab", 8);
    const bool expected = matches_naively(pattern, text);
    ASSERT_EQ(matches(pattern, text), expected) << pattern << " " << text;
    matching += expected ? 1 : 0;
  }
  EXPECT_GT(matching, 5'000);
}

constexpr struct {
  std::string_view pattern;
  std::string_view claim;  // JSON
  bool matches;
  std::string_view why;
} kClaims[] = {
    {"acme", R"("acme")", true, "text"},
    {"true", "true", true, "a truth value as its word"},
    {"false", "true", false, "and no other"},
    {"42", "42", true, "a number as its digits"},
    {"42", R"("42")", true, "GitHub writes its numbers as text"},
    {"4*", "42", true, "patterns, too"},
    {"-7", "-7", true, "a sign"},
    {"1.5", "1.5", true, "a number as it is written"},
    {"15", "1.5e1", false, "not as it is meant"},
    {"b", R"(["a","b"])", true, "any element of a list"},
    {"2", "[1,2]", true, "whatever its kind"},
    {"c", R"(["a","b"])", false, "or none"},
    {"*", "[]", false, "an empty list has none"},
    {"b", R"([["b"]])", false, "no lists in lists"},
    {"*", "null", false, "null is nothing"},
    {"null", "null", false, "nor its word"},
    {"*", "{}", false, "objects match nothing"},
    {"*", "[{}]", false, "nor in lists"},
};

TEST(ClaimPattern, MatchesByTheTextOfAClaim) {
  for (const auto& row : kClaims)
    EXPECT_EQ(matches(row.pattern, json::parse(row.claim).value()), row.matches) << row.claim << ": " << row.why;
}

TEST(ClaimPattern, AllOfARuleMustMatchAndAnAbsentClaimNeverDoes) {
  const auto claims = json::parse(R"({"repository":"acme/web","ref":"refs/heads/main"})").value();
  const ClaimPatterns good = {{"repository", "acme/*"}, {"ref", "refs/heads/main"}};
  EXPECT_EQ(first_mismatch(good, claims), nullptr);
  const ClaimPatterns other = {{"repository", "acme/*"}, {"ref", "refs/tags/*"}};
  EXPECT_EQ(first_mismatch(other, claims), &other[1]);
  const ClaimPatterns absent = {{"repository", "acme/*"}, {"environment", "*"}};
  EXPECT_EQ(first_mismatch(absent, claims), &absent[1]);
}

TEST(ClaimPattern, PrintUndoesParse) {
  const ClaimPatterns patterns = {{"a\"b", "x*"}, {"ref", "refs/heads/*"}};
  EXPECT_EQ(parse_claim_patterns(print_claim_patterns(patterns)), patterns);
  EXPECT_EQ(print_claim_patterns({{"z", "1"}, {"a", "2"}}), R"({"a":"2","z":"1"})");
  for (const std::string_view bad : {"", "[]", R"({"a":1})", R"({"a":"1","a":"2"})"})
    EXPECT_FALSE(parse_claim_patterns(bad)) << bad;
}

const std::string kGitHub = "https://token.actions.githubusercontent.com";

struct RuleRow {
  std::string issuer;
  std::string audience;
  ClaimPatterns claims;
  std::string says;  // empty: fine
};
const std::vector<RuleRow>& rule_rows() {
  static const std::vector<RuleRow> kRows = {
      {"https://gitlab.example.com", "registry.example.com", {{"project_path", "acme/web"}}, ""},
      {"https://gitlab.example.com/", "r", {{"sub", "project_path:acme/*"}}, ""},
      {"http://10.0.0.7:8080", "r", {{"sub", "x"}}, ""},  // whether it is asked is the settings' business
      {"http://[fd00::1]/x", "r", {{"sub", "x"}}, ""},
      {"http://gitlab.example.com", "r", {{"sub", "x"}}, "https://"},
      {"gitlab.example.com", "r", {{"sub", "x"}}, "is not an issuer"},
      {"ftp://gitlab.example.com", "r", {{"sub", "x"}}, "is not an issuer"},
      {"https://", "r", {{"sub", "x"}}, "is not an issuer"},
      {"https:///x", "r", {{"sub", "x"}}, "is not an issuer"},
      {"", "r", {{"sub", "x"}}, "is not an issuer"},
      {"https://a@b", "r", {{"sub", "x"}}, "is not an issuer"},
      {"https://a b", "r", {{"sub", "x"}}, "is not an issuer"},
      {"https://a/?x", "r", {{"sub", "x"}}, "is not an issuer"},
      {"https://a\n", "r", {{"sub", "x"}}, "is not an issuer"},
      {"https://a", "", {{"sub", "x"}}, "audience"},
      {"https://a", "x y", {{"sub", "x"}}, "audience"},
      {"https://a", "r", {}, "too wide"},
      {"https://a", "r", {{"sub", "*"}}, "too wide"},
      {"https://a", "r", {{"sub", "**"}, {"ref", "*"}}, "too wide"},
      {"https://a", "r", {{"sub", "*"}, {"ref", "refs/heads/*"}}, ""},
      {"https://a", "r", {{"iss", "https://a"}}, "checked by itself"},
      {"https://a", "r", {{"aud", "r"}}, "checked by itself"},
      {"https://a", "r", {{"exp", "1*"}}, "checked by itself"},
      {"https://a", "r", {{"", "x"}}, "name of a claim"},
      {"https://a", "r", {{"sub", ""}}, "1 to 512"},
      {"https://a", "r", {{"sub", std::string(513, 'x')}}, "1 to 512"},
      {"https://a", "r", ClaimPatterns(21, {"sub", "x"}), "at most 20"},
      {kGitHub, "r", {{"repository", "acme/web"}}, ""},
      {kGitHub, "r", {{"repository", "acme/*"}, {"ref", "refs/heads/main"}}, ""},
      {kGitHub, "r", {{"repository_owner", "acme"}}, ""},
      {kGitHub, "r", {{"repository_owner_id", "1234"}}, ""},
      {kGitHub, "r", {{"sub", "repo:acme/*"}}, ""},
      {kGitHub, "r", {{"ref", "refs/heads/main"}}, "everybody's jobs"},
      {kGitHub, "r", {{"repository", "acme*"}}, "everybody's jobs"},
      {kGitHub, "r", {{"repository", "*/web"}}, "everybody's jobs"},
      {kGitHub, "r", {{"repository_owner", "acme*"}}, "everybody's jobs"},
      {kGitHub, "r", {{"repository_id", "12*"}}, "everybody's jobs"},
      {kGitHub, "r", {{"sub", "repo:*"}}, "everybody's jobs"},
      {kGitHub, "r", {{"sub", "repo:acme*"}}, "everybody's jobs"},
      {kGitHub, "r", {{"job_workflow_ref", "acme/ci/.github/workflows/x.yml@*"}}, "everybody's jobs"},
      {kGitHub + "/", "r", {{"ref", "refs/heads/main"}}, "everybody's jobs"},
      {"https://gitlab.com", "r", {{"project_path", "acme/web"}}, ""},
      {"https://gitlab.com", "r", {{"namespace_id", "72"}}, ""},
      {"https://gitlab.com", "r", {{"user_login", "ann"}}, "everybody's jobs"},
      {"https://gitlab.com", "r", {{"ref_protected", "true"}}, "everybody's jobs"},
  };
  return kRows;
}

TEST(TrustRule, LetsNoStrangersIn) {
  for (const RuleRow& row : rule_rows()) {
    const auto checked = check_trust_rule(row.issuer, row.audience, row.claims);
    const std::string rule = row.issuer + " " + row.audience + " " + print_claim_patterns(row.claims);
    EXPECT_EQ(checked.has_value(), row.says.empty()) << rule << (checked ? "" : checked.error().message);
    if (checked) continue;
    EXPECT_EQ(checked.error().code, Errc::account_invalid) << rule;
    EXPECT_THAT(checked.error().message, HasSubstr(row.says)) << rule;
  }
}

class TrustRules : public ::testing::Test {
 protected:
  TrustRules() {
    EXPECT_TRUE(meta::migrate(*db_, 1).has_value());
    for (const char* name : {"acme", "other"})
      EXPECT_TRUE(create_user(*db_, {.name = name, .password_hash = "x"}, false, stamp_).has_value());
    for (const char* name : {"acme+ci", "acme+deploy", "other+ci"})
      EXPECT_TRUE(create_robot(*db_, {.name = name}, stamp_).has_value());
  }
  Result<meta::TrustRuleId> add(const std::string& ns, const std::string& robot, const std::string& repository) {
    return create_trust_rule(*db_, {ns, robot, kGitHub, "r", {{"repository", repository}}}, stamp_);
  }
  static std::string code(const auto& result) {
    return result.has_value() ? "ok" : std::string(to_string(result.error().code));
  }
  std::size_t count(std::string_view ns) {
    const auto id = meta::find_namespace(*db_, ns).value()->id;
    return meta::list_trust_rules(*db_, id, 0, 1000).value().size();
  }

  test::TempDir dir_{test::TempDir::Where::memory};
  std::unique_ptr<sql::Connection> db_ =
      *sql::open_sqlite({.path = dir_ / "meta.db", .mode = sql::SqliteOptions::Mode::writer});
  meta::Stamp stamp_{1'700'000'000'000, std::nullopt};
};

TEST_F(TrustRules, AreOfTheNamespaceOfTheirRobot) {
  EXPECT_EQ(code(add("acme", "acme+ci", "acme/web")), "ok");
  EXPECT_EQ(code(add("acme", "other+ci", "acme/web")), "account_unknown");  // S13
  EXPECT_EQ(code(add("acme", "acme", "acme/web")), "account_unknown");      // a user is no robot
  EXPECT_EQ(code(add("acme", "acme+none", "acme/web")), "account_unknown");
  EXPECT_EQ(code(add("nobody", "acme+ci", "acme/web")), "account_unknown");
  EXPECT_EQ(code(add("acme", "acme+ci", "acme*")), "account_invalid");
  EXPECT_EQ(count("acme"), 1U);
  EXPECT_EQ(count("other"), 0U);
}

TEST_F(TrustRules, AreKeptAsTheyWereGiven) {
  const auto id = add("acme", "acme+ci", "acme/web").value();
  const auto rule = meta::find_trust_rule(*db_, id).value();
  ASSERT_TRUE(rule.has_value());
  EXPECT_EQ(rule->issuer, kGitHub);
  EXPECT_EQ(rule->audience, "r");
  EXPECT_EQ(rule->robot_name, "acme+ci");
  EXPECT_EQ(rule->claims, R"({"repository":"acme/web"})");
  EXPECT_EQ(rule->created_at_ms, stamp_.at_ms);
  EXPECT_FALSE(rule->is_disabled);
  EXPECT_FALSE(rule->used_at_ms);
  ASSERT_TRUE(meta::note_trust_rule_use(*db_, id, 77).has_value());
  EXPECT_EQ(meta::find_trust_rule(*db_, id).value()->used_at_ms, 77);
}

TEST_F(TrustRules, SayNothingTwice) {
  ASSERT_EQ(code(add("acme", "acme+ci", "acme/web")), "ok");
  EXPECT_EQ(code(add("acme", "acme+ci", "acme/web")), "already_exists");
  EXPECT_EQ(code(add("acme", "acme+ci", "acme/api")), "ok");
  EXPECT_EQ(code(add("acme", "acme+deploy", "acme/web")), "ok");
}

TEST_F(TrustRules, AreTakenAwayOnlyWhereTheyAre) {
  const auto id = add("acme", "acme+ci", "acme/web").value();
  EXPECT_EQ(code(remove_trust_rule(*db_, "other", id)), "account_unknown");
  EXPECT_EQ(code(remove_trust_rule(*db_, "nobody", id)), "account_unknown");
  EXPECT_EQ(code(remove_trust_rule(*db_, "acme", id)), "ok");
  EXPECT_EQ(code(remove_trust_rule(*db_, "acme", id)), "account_unknown");
}

TEST_F(TrustRules, GoWithTheirRobotAndTheirNumberIsNotGivenOutAgain) {
  const auto id = add("acme", "acme+ci", "acme/web").value();
  ASSERT_TRUE(remove_robot(*db_, "acme+ci").has_value());
  EXPECT_EQ(count("acme"), 0U);
  EXPECT_FALSE(meta::has_trust_rules(*db_, kGitHub).value());
  EXPECT_GT(add("acme", "acme+deploy", "acme/web").value(), id);  // tokens name it
}

TEST_F(TrustRules, ArePagedAndFew) {
  for (std::int64_t i = 0; i < kTrustRulesPerRobotMax; ++i)
    ASSERT_EQ(code(add("acme", "acme+ci", "acme/web" + std::to_string(i))), "ok");
  EXPECT_EQ(code(add("acme", "acme+ci", "acme/more")), "state_conflict");
  const auto ns = meta::find_namespace(*db_, "acme").value()->id;
  const auto first = meta::list_trust_rules(*db_, ns, 0, 60).value();
  const auto second = meta::list_trust_rules(*db_, ns, first.back().id, 60).value();
  EXPECT_EQ(first.size(), 60U);
  EXPECT_EQ(second.size(), 40U);
}

}  // namespace
}  // namespace berth::auth
