#include "auth/issuer_keys.h"

#include "base/json_text.h"
#include "crypto/signing_key.h"
#include "support/run_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

namespace berth::auth {
namespace {

using crypto::SigningKey;
using ::testing::HasSubstr;

const std::string kIssuer = "https://ci.example.com";

struct DiscoveryRow {
  std::string issuer;
  std::string text;
  std::string url;   // empty: refused
  std::string says;  // then
};

TEST(Discovery, IsOfTheIssuerItselfAndNamesAnAddressThatMayBeAsked) {
  const auto document = [](const std::string& issuer, const std::string& url) {
    return "{\"issuer\":" + json_string(issuer) + ",\"jwks_uri\":" + json_string(url) + ",\"other\":[1]}";
  };
  const std::string plain = "http://127.0.0.1:1";
  const std::vector<DiscoveryRow> rows = {
      {kIssuer, document(kIssuer, kIssuer + "/jwks"), kIssuer + "/jwks", ""},
      {kIssuer, document(kIssuer, "https://keys.example.com/x?y=1"), "https://keys.example.com/x?y=1", ""},
      {kIssuer, document(kIssuer + "/", kIssuer + "/jwks"), "", "another issuer"},
      {kIssuer, document("https://evil.example.com", kIssuer + "/jwks"), "", "another issuer"},
      {kIssuer, document(kIssuer, "http://ci.example.com/jwks"), "", "no address"},
      {plain, document(plain, plain + "/jwks"), plain + "/jwks", ""},
      {plain, document(plain, "https://ci.example.com/jwks"), "https://ci.example.com/jwks", ""},
      {kIssuer, document(kIssuer, "file:///etc/passwd"), "", "no address"},
      {kIssuer, document(kIssuer, "https://ci.example.com@evil.example.com/"), "", "no address"},
      {kIssuer, document(kIssuer, "https://ci.example.com/\r\nX: y"), "", "no address"},
      {kIssuer, document(kIssuer, "https://" + std::string(3000, 'a')), "", "no address"},
      {kIssuer, document(kIssuer, ""), "", "no address"},
      {kIssuer, "{\"issuer\":\"" + kIssuer + "\"}", "", "no address"},
      {kIssuer, "{\"issuer\":\"" + kIssuer + "\",\"jwks_uri\":7}", "", "no address"},
      {kIssuer, "{}", "", "another issuer"},
      {kIssuer, "[]", "", "no JSON object"},
      {kIssuer, "<html>", "", "not JSON"},
      {kIssuer, "", "", "not JSON"},
  };
  for (const DiscoveryRow& row : rows) {
    const auto found = parse_discovery(row.text, row.issuer);
    EXPECT_EQ(found ? found->keys : "", row.url) << row.text;
    if (!found) EXPECT_THAT(found.error().message, HasSubstr(row.says)) << row.text;
  }
}

TEST(Discovery, TellsWhereToSignInAsFarAsThatMayBeAsked) {
  const auto of = [](const std::string& members) {
    return parse_discovery("{\"issuer\":" + json_string(kIssuer) + ",\"jwks_uri\":\"https://a/k\"" + members + "}",
                           kIssuer)
        .value();
  };
  const Discovery full =
      of(R"(,"authorization_endpoint":"https://a/in","token_endpoint":"https://a/t",)"
         R"("userinfo_endpoint":"https://a/u","token_endpoint_auth_methods_supported":["client_secret_post"])");
  EXPECT_EQ(full.authorization, "https://a/in");
  EXPECT_EQ(full.token, "https://a/t");
  EXPECT_EQ(full.userinfo, "https://a/u");
  EXPECT_FALSE(full.takes_basic);
  EXPECT_TRUE(of("").takes_basic);
  EXPECT_TRUE(of(R"(,"token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_basic"])").takes_basic);
  EXPECT_EQ(of(R"(,"authorization_endpoint":"http://a/in","token_endpoint":"javascript:x")").authorization, "");
}

TEST(Discovery, IsBelowTheIssuer) {
  EXPECT_EQ(discovery_url("https://a"), "https://a/.well-known/openid-configuration");
  EXPECT_EQ(discovery_url("https://a/b/"), "https://a/b/.well-known/openid-configuration");
}

std::string set_of(const std::vector<std::string>& keys) {
  std::string out = "{\"keys\":[";
  for (const std::string& key : keys) out += (&key == &keys.front() ? "" : ",") + key;
  return out + "]}";
}

TEST(Jwks, PassesOverWhatChecksNoSignatures) {
  const std::string good = SigningKey::generate().public_key().jwk();
  const std::string encryption = R"({"kty":"RSA","use":"enc","kid":"e","n":"AQAB","e":"AQAB"})";
  const std::string unknown = R"({"kty":"AKP","alg":"ML-DSA-44","kid":"q","pub":"AA"})";
  const std::string symmetric = R"({"kty":"oct","kid":"s","k":"c2VjcmV0"})";
  EXPECT_EQ(parse_jwks(set_of({unknown, encryption, symmetric, "1", good})).value().size(), 1U);
  EXPECT_THAT(parse_jwks(set_of({unknown, encryption, symmetric})).error().message, HasSubstr("no key"));
  EXPECT_THAT(parse_jwks(set_of({})).error().message, HasSubstr("no key"));
  EXPECT_THAT(parse_jwks("{}").error().message, HasSubstr("no list"));
  EXPECT_THAT(parse_jwks(R"({"keys":{}})").error().message, HasSubstr("no list"));
  EXPECT_THAT(parse_jwks("x").error().message, HasSubstr("not JSON"));
  EXPECT_THAT(parse_jwks(set_of(std::vector<std::string>(101, good))).error().message, HasSubstr("too many"));
}

class IssuerKeysTest : public ::testing::Test {
 protected:
  Result<std::string> serve(const std::string& url) {
    ++asked_;
    if (while_asked_) while_asked_();
    if (is_down_) return fail(Errc::unavailable, "nobody answers");
    if (url == discovery_url(kIssuer)) return "{\"issuer\":\"" + kIssuer + "\",\"jwks_uri\":\"" + kIssuer + "/jwks\"}";
    if (url != kIssuer + "/jwks") return fail(Errc::unavailable, "no such page: " + url);
    std::vector<std::string> keys;
    for (const SigningKey& key : published_) keys.push_back(key.public_key().jwk());
    return set_of(keys);
  }
  /// How many keys there are, or the error.
  std::string get(const std::string& kid, const std::string& issuer = kIssuer) {
    const auto keys = test::run_task(keys_.keys(issuer, kid));
    return keys ? std::to_string((*keys)->size()) : std::string(to_string(keys.error().code));
  }
  /// Questions since the last call, of two documents each.
  int questions() { return asked_.exchange(0); }

  std::vector<SigningKey> published_{SigningKey::generate()};
  std::string kid_ = published_.front().kid();
  std::atomic<int> asked_{0};
  std::atomic<bool> is_down_{false};
  std::function<void()> while_asked_;
  ManualClock clock_;
  Log log_{LogLevel::off};
  io::BlockingPool pool_{"outbound", 1, 10};
  IssuerKeys keys_{{[this](const std::string& url, std::size_t) { return serve(url); }, pool_, clock_, log_}};
};

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;

TEST_F(IssuerKeysTest, AreAskedForOnceAnHour) {
  EXPECT_EQ(get(kid_), "1");
  EXPECT_EQ(questions(), 2);
  clock_.advance_ms(kHourMs - 1);
  EXPECT_EQ(get(kid_), "1");
  EXPECT_EQ(questions(), 0);
  clock_.advance_ms(1);
  EXPECT_EQ(get(kid_), "1");
  EXPECT_EQ(questions(), 2);
}

TEST_F(IssuerKeysTest, AnUnknownNameIsARotationButOnceAMinute) {
  EXPECT_EQ(get(kid_), "1");
  questions();
  published_.push_back(SigningKey::generate());
  const std::string next = published_.back().kid();
  EXPECT_EQ(get(next), "1");  // asked a moment ago
  EXPECT_EQ(questions(), 0);
  clock_.advance_ms(kMinuteMs);
  EXPECT_EQ(get(next), "2");
  EXPECT_EQ(questions(), 2);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(get("made up " + std::to_string(i)), "2");
  EXPECT_EQ(questions(), 0);
  EXPECT_EQ(get(kid_), "2");
}

TEST_F(IssuerKeysTest, AnIssuerThatDoesNotAnswerIsBelievedForADay) {
  EXPECT_EQ(get(kid_), "1");
  questions();
  is_down_ = true;
  clock_.advance_ms(kHourMs);
  EXPECT_EQ(get(kid_), "1");
  EXPECT_EQ(questions(), 1);
  EXPECT_EQ(get(kid_), "1");
  EXPECT_EQ(questions(), 0);  // tried a moment ago
  clock_.advance_ms(23 * kHourMs - 1);
  EXPECT_EQ(get(kid_), "1");
  clock_.advance_ms(1);
  EXPECT_EQ(get(kid_), "unavailable");
  is_down_ = false;
  clock_.advance_ms(2 * kMinuteMs);
  EXPECT_EQ(get(kid_), "1");
}

TEST_F(IssuerKeysTest, WhoNeverAnswersIsAskedLessAndLess) {
  is_down_ = true;
  // Each question takes ten seconds, and what follows counts from its end.
  while_asked_ = [&] { clock_.advance_ms(10'000); };
  for (const std::int64_t wait_ms : {10'000, 20'000, 40'000, 80'000, 160'000, 320'000, 640'000, 900'000, 900'000}) {
    EXPECT_EQ(get(kid_), "unavailable");
    EXPECT_EQ(questions(), 1) << wait_ms;
    clock_.advance_ms(wait_ms - 1);
    EXPECT_EQ(get(kid_), "unavailable");
    EXPECT_EQ(questions(), 0) << wait_ms;
    clock_.advance_ms(1);
  }
  is_down_ = false;
  EXPECT_EQ(get(kid_), "1");
  questions();
  clock_.advance_ms(kHourMs);
  is_down_ = true;
  EXPECT_EQ(get(kid_), "1");
  clock_.advance_ms(kMinuteMs);
  questions();
  EXPECT_EQ(get(kid_), "1");
  EXPECT_EQ(questions(), 1) << "an answer begins the count anew";
}

TEST_F(IssuerKeysTest, TheFirstQuestionIsRepeatedSooner) {
  is_down_ = true;
  EXPECT_EQ(get(kid_), "unavailable");
  EXPECT_EQ(questions(), 1);
  EXPECT_EQ(get(kid_), "unavailable");
  EXPECT_EQ(questions(), 0);
  is_down_ = false;
  clock_.advance_ms(10'000);
  EXPECT_EQ(get(kid_), "1");
}

TEST_F(IssuerKeysTest, ManyWhoWaitAskOnce) {
  std::vector<io::Task<Result<IssuerKeys::KeysPtr>>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(keys_.keys(kIssuer, kid_));
  for (const auto& keys : test::run_tasks(std::move(tasks))) EXPECT_EQ(keys.value()->size(), 1U);
  EXPECT_EQ(questions(), 2);
}

TEST_F(IssuerKeysTest, WhileOneAsksTheOthersGoOnWithWhatTheyKnow) {
  EXPECT_EQ(get(kid_), "1");
  clock_.advance_ms(kHourMs);
  std::latch asked(1);
  std::latch go_on(1);
  std::atomic<bool> first = true;
  while_asked_ = [&] {
    if (!first.exchange(false)) return;
    asked.count_down();
    go_on.wait();
  };
  // The pool's only thread is held up: whoever needs it would wait for ever.
  io::BlockingPool other("other", 1, 1);
  other.post([&] {
    asked.wait();
    EXPECT_EQ(get(kid_), "1");
    go_on.count_down();
  });
  EXPECT_EQ(get(kid_), "1");
  other.stop();
}

TEST_F(IssuerKeysTest, ADocumentOfAnotherIssuerGivesNothing) {
  EXPECT_EQ(get(kid_, "https://other.example.com"), "unavailable");
  EXPECT_EQ(get(kid_), "1");
}

}  // namespace
}  // namespace berth::auth
