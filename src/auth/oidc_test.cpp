#include "auth/oidc.h"

#include "base/base64.h"
#include "base/json_text.h"
#include "crypto/signing_key.h"
#include "http/target.h"
#include "support/run_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using crypto::SigningKey;
using ::testing::HasSubstr;

const std::string kIssuer = "https://id.example.com";
const std::string kBack = "https://registry.example.com/login/oidc/callback";

/// A provider and what it is asked, and the client of it.
class OidcTest : public ::testing::Test {
 protected:
  Result<std::string> answer(const Oidc::Question& question) {
    asked_.push_back(question);
    if (is_away_) return fail(Errc::unavailable, "no answer");
    if (question.url == discovery_url(kIssuer)) return discovery_;
    if (question.url == kIssuer + "/userinfo") return userinfo_;
    if (question.url == kIssuer + "/token") return token_answer_;
    return fail(Errc::unavailable, "nothing there: " + question.url);
  }
  Result<std::string> serve_keys(const std::string& url) {
    if (url == discovery_url(kIssuer)) return discovery_;
    return "{\"keys\":[" + key_.public_key().jwk() + "]}";
  }

  Oidc::Begun begin() { return test::run_task(oidc_.begin(kBack)).value(); }
  static std::string parameter(const Oidc::Begun& begun, std::string_view name) {
    const auto query = http::Query::parse(std::string_view(begun.url).substr(begun.url.find('?') + 1));
    return query.value().single(name).value().value_or("");
  }

  /// The claims of a good ID token, with some of them otherwise; "-": left out.
  struct Claims {
    std::string iss = json_string(kIssuer);
    std::string aud = R"("berth")";
    std::string sub = R"("17")";
    std::string exp = {};
    std::string nonce = {};
    std::string more = R"(,"preferred_username":"ann","email":"ann@acme.example","name":"Ann Lee","groups":["dev"])";
  };
  std::string id_token(const Oidc::Begun& begun, const Claims& claims) const {
    std::string payload = R"({"iat":1)";
    const auto add = [&](std::string_view name, const std::string& value) {
      if (value != "-") payload += ",\"" + std::string(name) + "\":" + value;
    };
    add("iss", claims.iss);
    add("aud", claims.aud);
    add("sub", claims.sub);
    add("exp", claims.exp.empty() ? std::to_string(clock_.now_ms() / 1000 + 300) : claims.exp);
    add("nonce", claims.nonce.empty() ? json_string(parameter(begun, "nonce")) : claims.nonce);
    payload += claims.more + "}";
    const std::string header = R"({"typ":"JWT","alg":"ES256","kid":)" + json_string(signer_->kid()) + "}";
    std::string out = encode_base64url(header) + '.' + encode_base64url(payload);
    return out + '.' + encode_base64url(signer_->sign(std::as_bytes(std::span(out))));
  }
  Result<ExternalPerson> finish(const Oidc::Begun& begun, const Claims& claims) {
    token_answer_ =
        R"({"access_token":"at","token_type":"Bearer","id_token":)" + json_string(id_token(begun, claims)) + "}";
    return come_back(begun, parameter(begun, "state"));
  }
  Result<ExternalPerson> come_back(const Oidc::Begun& begun, std::string state, std::string issuer = {}) {
    return test::run_task(oidc_.finish({begun.secret, std::move(state), "the code", std::move(issuer), kBack}));
  }
  /// "ok", or why not.
  std::string outcome(const Claims& claims) {
    const auto person = finish(begin(), claims);
    return person ? "ok" : person.error().cause;
  }

  ManualClock clock_;
  SeededRandom random_{1};
  Log log_{LogLevel::off};
  io::BlockingPool pool_{"outbound", 1, 16};
  SigningKey key_ = SigningKey::generate();
  SigningKey other_key_ = SigningKey::generate();
  const SigningKey* signer_ = &key_;
  bool is_away_ = false;
  std::vector<Oidc::Question> asked_;
  std::string discovery_ = "{\"issuer\":" + json_string(kIssuer) + ",\"jwks_uri\":" + json_string(kIssuer + "/keys") +
                           ",\"authorization_endpoint\":" + json_string(kIssuer + "/auth?tenant=a") +
                           ",\"token_endpoint\":" + json_string(kIssuer + "/token") +
                           ",\"userinfo_endpoint\":" + json_string(kIssuer + "/userinfo") + "}";
  std::string token_answer_;
  std::string userinfo_ = R"({"sub":"17","groups":["from userinfo"]})";
  IssuerKeys issuers_{{[this](const std::string& url, std::size_t) { return serve_keys(url); }, pool_, clock_, log_}};
  Oidc oidc_{{.issuer = kIssuer, .client_id = "berth", .client_secret = "s3:cr t"},
             {issuers_, [this](const Oidc::Question& q) { return answer(q); }, pool_, clock_, random_, log_}};
};

TEST_F(OidcTest, SendsTheBrowserThereWithWhatOnlyItsCookieExplains) {
  const auto begun = begin();
  EXPECT_THAT(begun.url, HasSubstr("https://id.example.com/auth?tenant=a&response_type=code&"));
  EXPECT_EQ(parameter(begun, "client_id"), "berth");
  EXPECT_EQ(parameter(begun, "redirect_uri"), kBack);
  EXPECT_EQ(parameter(begun, "scope"), "openid profile email");
  EXPECT_EQ(parameter(begun, "code_challenge_method"), "S256");
  for (const std::string_view name : {"state", "nonce", "code_challenge"}) {
    EXPECT_EQ(parameter(begun, name).size(), 43U) << name;
    EXPECT_EQ(begun.url.find(begun.secret), std::string::npos);
  }
  EXPECT_NE(parameter(begin(), "state"), parameter(begun, "state"));
}

TEST_F(OidcTest, ExchangesTheCodeWithItsVerifierAndSecret) {
  const auto begun = begin();
  const auto person = finish(begun, {});
  ASSERT_TRUE(person) << person.error().cause;
  EXPECT_EQ(person->issuer, kIssuer);
  EXPECT_EQ(person->id, "17");
  EXPECT_EQ(person->name, "ann");
  EXPECT_EQ(person->email, "ann@acme.example");
  EXPECT_EQ(person->display_name, "Ann Lee");
  EXPECT_EQ(person->groups, std::vector<std::string>{"dev"});
  const Oidc::Question& question = asked_.back();
  EXPECT_EQ(question.user, "berth");
  EXPECT_EQ(question.secret, "s3%3Acr%20t") << "RFC 6749 2.3.1";
  const auto form = http::Query::parse(question.form).value();
  EXPECT_EQ(form.single("grant_type").value(), "authorization_code");
  EXPECT_EQ(form.single("code").value(), "the code");
  EXPECT_EQ(form.single("redirect_uri").value(), kBack);
  const std::string verifier = form.single("code_verifier").value().value();
  EXPECT_EQ(encode_base64url(crypto::sha256(std::as_bytes(std::span(verifier)))), parameter(begun, "code_challenge"));
  EXPECT_FALSE(form.has("client_secret"));
}

TEST_F(OidcTest, TheSecretGoesIntoTheFormWhereTheProviderWantsItSo) {
  discovery_.insert(discovery_.size() - 1, R"(,"token_endpoint_auth_methods_supported":["client_secret_post"])");
  ASSERT_TRUE(finish(begin(), {}));
  const auto form = http::Query::parse(asked_.back().form).value();
  EXPECT_EQ(form.single("client_id").value(), "berth");
  EXPECT_EQ(form.single("client_secret").value(), "s3:cr t");
  EXPECT_EQ(asked_.back().user, "");
}

TEST_F(OidcTest, AnotherBrowsersAnswerIsRefused) {
  const auto mine = begin();
  const auto theirs = begin();
  EXPECT_THAT(come_back(mine, parameter(theirs, "state")).error().cause, HasSubstr("state"));
  EXPECT_THAT(come_back(mine, "").error().cause, HasSubstr("state"));
  EXPECT_THAT(come_back({.url = {}, .secret = {}}, "").error().cause, HasSubstr("state"));
  EXPECT_THAT(come_back(mine, parameter(mine, "state"), "https://evil.example.com").error().cause,
              HasSubstr("another issuer"));
  token_answer_ = R"({"id_token":)" + json_string(id_token(theirs, {})) + "}";
  EXPECT_THAT(come_back(mine, parameter(mine, "state")).error().cause, HasSubstr("nonce"));
}

TEST_F(OidcTest, AnIdTokenMustBeForUsAndForThisSignIn) {
  const std::string past = std::to_string(clock_.now_ms() / 1000 - 3600);
  const struct {
    Claims claims;
    std::string_view says;
  } rows[] = {
      {{}, "ok"},
      {{.aud = R"(["berth"])"}, "ok"},
      {{.aud = R"(["berth","other"])", .more = R"(,"azp":"berth")"}, "ok"},
      {{.aud = R"("other")"}, "another client"},
      {{.aud = R"(["berth","other"])"}, "no azp"},
      {{.more = R"(,"azp":"other")"}, "azp"},
      {{.more = R"(,"azp":7)"}, "azp"},
      {{.aud = "-"}, "aud"},
      {{.iss = R"("https://evil.example.com")"}, "another issuer"},
      {{.iss = R"("https://id.example.com/")"}, "another issuer"},
      {{.sub = "-"}, "sub"},
      {{.sub = R"("")"}, "sub"},
      {{.exp = past}, "exp"},
      {{.exp = "-"}, "exp"},
      {{.nonce = R"("other")"}, "nonce"},
      {{.nonce = "-"}, "nonce"},
      {{.nonce = "7"}, "nonce"},
  };
  for (const auto& row : rows) EXPECT_THAT(outcome(row.claims), HasSubstr(row.says));
  signer_ = &other_key_;
  EXPECT_THAT(outcome({}), HasSubstr("not good"));
}

TEST_F(OidcTest, WhatIsNoAnswerOfATokenEndpointIsRefused) {
  for (const std::string_view text : {"", "[]", "{}", R"({"id_token":7})", R"({"access_token":"x"})", "<html>",
                                      R"({"id_token":"a.b.c"})", R"({"id_token":""})"}) {
    const auto begun = begin();
    token_answer_ = text;
    EXPECT_EQ(come_back(begun, parameter(begun, "state")).error().code, Errc::denied) << text;
  }
}

TEST_F(OidcTest, GroupsComeFromTheClaimOrElseFromUserinfoOrAreNone) {
  const auto groups = [&](const std::string& more) {
    const auto person = finish(begin(), {.more = more});
    return person ? testing::PrintToString(*person->groups) : person.error().cause;
  };
  EXPECT_EQ(groups(R"(,"groups":["a","b",7])"), R"({ "a", "b" })");
  EXPECT_EQ(groups(R"(,"groups":"a")"), R"({ "a" })");
  EXPECT_EQ(groups(R"(,"groups":[])"), "{}");
  EXPECT_EQ(groups(""), R"({ "from userinfo" })");
  EXPECT_EQ(asked_.back().bearer, "at");
  userinfo_ = R"({"sub":"17"})";
  EXPECT_EQ(groups(""), "{}") << "not said is none";
  userinfo_ = R"({"sub":"18","groups":["a"]})";
  EXPECT_THAT(groups(""), HasSubstr("somebody else"));
}

TEST_F(OidcTest, AProviderThatIsAwayIsAskedAgainAfterAWhileAndBelievedMeanwhile) {
  is_away_ = true;
  const auto outcome = [&] {
    const auto begun = test::run_task(oidc_.begin(kBack));
    return begun ? std::string("ok") : std::string(to_string(begun.error().code));
  };
  EXPECT_EQ(outcome(), "unavailable");
  is_away_ = false;
  EXPECT_EQ(outcome(), "unavailable") << "not at every request";
  EXPECT_EQ(asked_.size(), 1U);
  clock_.advance_ms(10'000);
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(asked_.size(), 2U);
  is_away_ = true;
  clock_.advance_ms(60LL * 60 * 1000);
  EXPECT_EQ(outcome(), "ok") << "it is believed to be where it was";
  EXPECT_EQ(asked_.size(), 3U);
}

}  // namespace
}  // namespace berth::auth
