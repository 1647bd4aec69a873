#include "auth/trust.h"

#include "auth/accounts.h"
#include "auth/authenticator.h"
#include "auth/secret.h"
#include "auth/token_service.h"
#include "base/base64.h"
#include "base/json_text.h"
#include "support/run_task.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using crypto::SigningKey;
using ::testing::HasSubstr;

constexpr std::string_view kIssuer = "https://ci.example.com";
constexpr std::string_view kAudience = "registry.example.com";
constexpr std::string_view kAddress = "192.0.2.7";
constexpr std::int64_t kMinuteMs = 60'000;

/// An organisation's CI: the issuer with its keys, and a registry where acme+ci trusts the jobs of acme/web on main.
class TrustTest : public ::testing::Test {
 protected:
  TrustTest() {
    make([&](sql::Connection& db) { return create_user(db, {.name = "acme", .password_hash = "x"}, false, stamp()); });
    add_robot("acme+ci");
    rule_ = add_rule("acme+ci", {{"repository", "acme/web"}, {"ref", "refs/heads/*"}});
  }

  template <class F>
  void make(F fn) {
    const auto done = store_->write_blocking(std::move(fn), {.touches = meta::Touches::accounts()});
    EXPECT_TRUE(done.has_value()) << done.error().message << done.error().cause;
  }
  /// Somebody with a namespace and a robot of his own, and what he says about the issuer's tokens.
  void add_stranger(ClaimPatterns claims, std::string_view audience = kAudience) {
    make([&](sql::Connection& db) { return create_user(db, {.name = "eve", .password_hash = "x"}, false, stamp()); });
    add_robot("eve+ci");
    add_rule("eve+ci", std::move(claims), audience, "eve");
  }
  void add_robot(const std::string& name) {
    make([&](sql::Connection& db) { return create_robot(db, {.name = name}, stamp()); });
  }
  meta::TrustRuleId add_rule(const std::string& robot, ClaimPatterns claims, std::string_view audience = kAudience,
                             std::string_view ns = "acme") {
    const NewTrustRule rule{std::string(ns), robot, std::string(kIssuer), std::string(audience), std::move(claims)};
    meta::TrustRuleId id = 0;
    make([&](sql::Connection& db) -> Result<void> {
      BERTH_TRY(id, create_trust_rule(db, rule, stamp()));
      return {};
    });
    return id;
  }
  void change_robot(const std::string& name, const std::function<void(meta::Principal&)>& edit) {
    make([&](sql::Connection& db) -> Result<void> {
      BERTH_TRY(auto robot, meta::find_principal(db, name));
      edit(*robot);
      return meta::update_principal(db, *robot);
    });
  }
  meta::Stamp stamp() const { return {clock_.now_ms(), std::nullopt}; }
  std::int64_t now_s() const { return clock_.now_ms() / 1000; }

  /// A job's claims, with some of them otherwise; empty: left out.
  struct Job {
    std::string iss = json_string(kIssuer);
    std::string aud = json_string(kAudience);
    std::string exp = {};
    std::string repository = R"("acme/web")";
    std::string ref = R"("refs/heads/main")";
    std::string more = {};  // ,"x":1
  };
  std::string claims(const Job& job) const {
    std::string out = R"({"sub":"repo:acme/web:ref:refs/heads/main","uid":"u-7","access":"none")";
    const auto add = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) out += ",\"" + std::string(name) + "\":" + value;
    };
    add("iss", job.iss);
    add("aud", job.aud);
    add("exp", job.exp.empty() ? std::to_string(now_s() + 300) : job.exp);
    add("repository", job.repository);
    add("ref", job.ref);
    return out + job.more + "}";
  }
  std::string header() const { return R"({"typ":"JWT","alg":"ES256","kid":)" + json_string(key_.kid()) + "}"; }
  std::string signed_by(const SigningKey& key, std::string_view header, std::string_view payload) const {
    std::string out = encode_base64url(header) + '.' + encode_base64url(payload);
    const auto signature = key.sign(std::as_bytes(std::span(out)));
    return out + '.' + encode_base64url(signature);
  }
  std::string token(const Job& job) const { return signed_by(key_, header(), claims(job)); }
  std::string good() const { return token({}); }

  Result<IdentityPtr> sign_in(std::string name, std::string secret) {
    return test::run_task(authenticator_.sign_in({std::move(name), std::move(secret)}, std::string(kAddress)));
  }
  /// The robot's name, or the error.
  static std::string who(const Result<IdentityPtr>& found) {
    if (!found) return std::string(to_string(found.error().code));
    return (*found)->subject.name;
  }
  std::string as(std::string name, const Job& job) { return who(sign_in(std::move(name), token(job))); }

  /// The newest entry of the audit log, once what is queued is written.
  meta::AuditEntry last_audit() {
    make([](sql::Connection&) { return Result<void>(); });
    std::int64_t last = 0;
    auto entries = store_->peek([&](sql::Connection& db) { return meta::list_audit(db, {}, 0, 1, 100, last); });
    return entries.value().empty() ? meta::AuditEntry() : entries->front();
  }

  Result<std::string> serve(const std::string& url) const {
    if (is_down_) return fail(Errc::unavailable, "nobody answers");
    if (url == discovery_url(kIssuer))
      return R"({"issuer":"https://ci.example.com","jwks_uri":"https://ci.example.com/k"})";
    return "{\"keys\":[" + key_.public_key().jwk() + "]}";
  }

  test::TempDir dir_{test::TempDir::Where::memory};
  ManualClock clock_;
  Log log_{LogLevel::off};
  SeededRandom random_{1};
  std::unique_ptr<meta::Store> store_ = *meta::Store::open({.path = dir_ / "meta.db"}, {}, clock_, log_);
  test::SqliteProbe probe_{dir_ / "meta.db"};
  io::BlockingPool passwords_{"passwords", 1, 16};
  io::BlockingPool outbound_{"outbound", 1, 16};
  SigningKey key_ = SigningKey::generate();  // the issuer's
  bool is_down_ = false;
  KeyRing keys_{{SigningKey::generate()}};  // ours
  Directory directory_{*store_, {}};
  AuditLog audit_{*store_, clock_};
  IssuerKeys issuers_{{[this](const std::string& url, std::size_t) { return serve(url); }, outbound_, clock_, log_}};
  Trust trust_{{*store_, issuers_, clock_, audit_}};
  Authenticator authenticator_{
      {*store_, passwords_, keys_, clock_, random_, log_, audit_, "registry.example.com", &trust_}};
  TokenService tokens_{{directory_, keys_, clock_, random_, "registry.example.com"}};
  meta::TrustRuleId rule_ = 0;
};

TEST_F(TrustTest, AJobIsTheRobotOfTheRuleForAsLongAsItsTokenLives) {
  const auto found = sign_in("acme+ci", good());
  ASSERT_EQ(who(found), "acme+ci");
  const Identity& identity = **found;
  EXPECT_EQ(identity.subject.kind, Subject::Kind::robot);
  EXPECT_EQ(identity.credential, Credential::password);
  EXPECT_EQ(identity.trust_rule, rule_);
  EXPECT_EQ(identity.valid_until_ms, (now_s() + 300) * 1000);
  EXPECT_EQ(as("acme+ci", {}), "acme+ci");  // docker signs in several times
  clock_.advance_ms(5 * kMinuteMs);
  EXPECT_EQ(as("acme+ci", {}), "acme+ci");
}

TEST_F(TrustTest, AnHourAtMost) {
  const auto found = sign_in("acme+ci", token({.exp = std::to_string(now_s() + 86'400)}));
  ASSERT_EQ(who(found), "acme+ci");
  EXPECT_EQ((*found)->valid_until_ms, (now_s() + 3600) * 1000);
  EXPECT_EQ(as("acme+ci", {.exp = "9223372036854775807"}), "acme+ci");
}

// S17: who runs the registry bounds whom it asks, and whom it believes.
TEST_F(TrustTest, RulesAboutAnIssuerThatIsNotTakenDoNotCount) {
  const TrustedIssuers others = *TrustedIssuers::parse({"https://other.example.com"});
  Trust bounded{{*store_, issuers_, clock_, audit_, kTokenLeewayS, others}};
  Authenticator after{{*store_, passwords_, keys_, clock_, random_, log_, audit_, "registry.example.com", &bounded}};
  is_down_ = true;
  EXPECT_EQ(who(test::run_task(after.sign_in({"acme+ci", good()}, std::string(kAddress)))), "unauthorized")
      << "nobody was asked, or it would be unavailable";
  EXPECT_EQ(last_audit().rule, "ID token: auth.trusted_issuers does not name https://ci.example.com");
  is_down_ = false;
  const auto before = sign_in("acme+ci", good());
  ASSERT_EQ(who(before), "acme+ci");
  const std::string bearer = "Bearer " + tokens_.issue(**before, {})->text;
  EXPECT_EQ(who(test::run_task(authenticator_.authenticate(bearer, std::string(kAddress)))), "acme+ci");
  EXPECT_EQ(who(test::run_task(after.authenticate(bearer, std::string(kAddress)))), "unauthorized")
      << "nor does what was made by them";
}

TEST_F(TrustTest, NoRuleIsMadeAboutAnIssuerThatIsNotTaken) {
  const NewTrustRule rule{"acme", "acme+ci", std::string(kIssuer), "another", {{"repository", "acme/web"}}};
  const auto try_with = [&](const char* pattern) {
    const TrustedIssuers trusted = *TrustedIssuers::parse({pattern});
    return store_->write_blocking([&](sql::Connection& db) { return create_trust_rule(db, rule, stamp(), trusted); },
                                  {.touches = meta::Touches::accounts()});
  };
  const auto refused = try_with("https://other.example.com");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::account_invalid);
  EXPECT_THAT(refused.error().message, HasSubstr("auth.trusted_issuers"));
  EXPECT_TRUE(try_with("https://*.example.com").has_value());
}

struct Refusal {
  std::string what;
  std::string token;
  std::string why;  // in the cause and in the audit log
};

TEST_F(TrustTest, WhatIsNotAsItMustBeIsRefused) {
  const std::string none = encode_base64url(R"({"alg":"none","kid":)" + json_string(key_.kid()) + "}") + "." +
                           encode_base64url(claims({})) + ".";
  const auto with_header = [&](const std::string& text) { return signed_by(key_, text, claims({})); };
  const std::string kid = json_string(key_.kid());
  std::string cut = good();
  cut.back() = cut.back() == 'A' ? 'Q' : 'A';
  const std::vector<Refusal> rows = {
      {"another audience", token({.aud = R"("https://other.example.com")"}), "wants the audience"},
      {"no audience", token({.aud = "[]"}), "aud names nobody"},
      {"audience left out", token({.aud = ""}), "aud is missing"},
      {"another issuer", token({.iss = R"("https://evil.example.com")"}), "no rule trusts https://evil.example.com"},
      {"an issuer with a slash", token({.iss = R"("https://ci.example.com/")"}), "no rule trusts"},
      {"no issuer", token({.iss = ""}), "iss is missing"},
      {"another repository", token({.repository = R"("acme/api")"}), "wants repository acme/web, which is 'acme/api'"},
      {"a longer name", token({.repository = R"("acme/web2")"}), "wants repository"},
      {"another ref", token({.ref = R"("refs/tags/v1")"}), "wants ref refs/heads/*, which is 'refs/tags/v1'"},
      {"no ref", token({.ref = ""}), "which is not there"},
      {"a ref that is an object", token({.ref = "{}"}), "which is of another kind"},
      {"still to come", token({.more = ",\"nbf\":" + std::to_string(now_s() + 120)}), "nbf is still to come"},
      {"made tomorrow", token({.more = ",\"iat\":" + std::to_string(now_s() + 120)}), "iat is still to come"},
      {"exp is text", token({.exp = "\"soon\""}), "exp is no integer"},
      {"a claim twice", token({.more = R"(,"repository":"acme/web")"}), "the claims"},
      {"not signed", none, "alg does not fit"},
      {"signed by somebody else", signed_by(SigningKey::generate(), header(), claims({})), "the signature is wrong"},
      {"signature cut", cut, "the signature is wrong"},
      {"unknown kid", with_header(R"({"alg":"ES256","kid":"x"})"), "kid: no such key"},
      {"no kid", with_header(R"({"alg":"ES256"})"), "kid is missing"},
      {"HS256 with the public key", with_header(R"({"alg":"HS256","kid":)" + kid + "}"), "alg does not fit"},
      {"crit", with_header(R"({"alg":"ES256","crit":["x"],"kid":)" + kid + "}"), "crit"},
      {"a key of its own", with_header(R"({"alg":"ES256","kid":"y","jwk":)" + key_.public_key().jwk() + "}"),
       "kid: no such key"},
      {"too long", token({.more = ",\"x\":" + json_string(std::string(40'000, 'x'))}), "longer than"},
  };
  for (const Refusal& row : rows) {
    const auto found = sign_in("acme+ci", row.token);
    ASSERT_EQ(who(found), "unauthorized") << row.what;
    EXPECT_EQ(found.error().message, kJobRefused) << row.what;
    EXPECT_THAT(found.error().cause, HasSubstr(row.why)) << row.what;
    const auto entry = last_audit();
    EXPECT_FALSE(entry.allowed) << row.what;
    EXPECT_EQ(entry.action, "sign_in");
    EXPECT_EQ(entry.actor, "acme+ci");
    EXPECT_EQ(entry.peer, kAddress);
    EXPECT_THAT(entry.rule, HasSubstr(row.why)) << row.what;
  }
}

TEST_F(TrustTest, AnExpiredTokenIsToldSo) {
  for (const std::int64_t ago_s : {0, 30, 61, 3600}) {
    const auto found = sign_in("acme+ci", token({.exp = std::to_string(now_s() - ago_s)}));
    ASSERT_EQ(who(found), "unauthorized") << ago_s;
    EXPECT_EQ(found.error().message, kJobExpired) << ago_s;
  }
  // Only if it is good otherwise: what is wrong with it is nobody else's business.
  const auto other = sign_in("acme+ci", token({.aud = R"("x")", .exp = std::to_string(now_s() - 30)}));
  EXPECT_EQ(other.error().message, kJobRefused);
}

TEST_F(TrustTest, AListOfAudiencesWillDo) {
  EXPECT_EQ(as("acme+ci", {.aud = R"(["https://x","registry.example.com"])"}), "acme+ci");
}

TEST_F(TrustTest, TheNameSaysWhoseRulesAreMeant) {
  add_robot("acme+deploy");
  EXPECT_EQ(as("acme+deploy", {}), "unauthorized");
  EXPECT_EQ(as("acme", {}), "unauthorized");
  EXPECT_EQ(as("nobody", {}), "unauthorized");
  EXPECT_EQ(as("token", {}), "acme+ci");  // the only one whose rules match
  EXPECT_EQ(as("", {}), "acme+ci");
  add_rule("acme+deploy", {{"repository", "acme/*"}});
  EXPECT_EQ(as("acme+deploy", {}), "acme+deploy");
  EXPECT_EQ(as("acme+ci", {}), "acme+ci");
  const auto found = sign_in("token", good());
  ASSERT_EQ(who(found), "unauthorized");
  EXPECT_THAT(found.error().cause, HasSubstr("several robots"));
}

// Anybody with a namespace may make rules about anybody's jobs.
TEST_F(TrustTest, AStrangersRuleNeitherCatchesNorBlocksAJob) {
  add_stranger({{"repository", "eve/web"}}, "other.example.com");
  EXPECT_EQ(as("token", {}), "acme+ci") << "rules about another audience are about other tokens";
  const std::vector<ClaimPatterns> rows = {
      {{"repository", "acme/web"}}, {{"repository", "acme/*"}, {"ref", "*"}}, {{"repository", "eve/web"}}};
  for (const ClaimPatterns& claims : rows) {
    const auto rule = add_rule("eve+ci", claims, kAudience, "eve");
    for (const bool is_disabled : {false, true}) {
      make([&](sql::Connection& db) { return meta::set_trust_rule_disabled(db, rule, is_disabled); });
      for (const std::string name : {"", "token", "<token>"}) {
        const auto found = sign_in(name, good());
        ASSERT_EQ(who(found), "unauthorized") << claims.front().pattern;
        EXPECT_EQ(found.error().message, kJobNeedsName);
        EXPECT_THAT(last_audit().rule, HasSubstr("the user name must be the robot's"));
      }
      EXPECT_EQ(as("acme+ci", {}), "acme+ci") << "the name says which rules count";
      EXPECT_EQ(as("token", {.repository = R"("somebody/else")"}), "unauthorized");
    }
    make([&](sql::Connection& db) { return remove_trust_rule(db, "eve", rule); });
  }
  EXPECT_EQ(as("token", {}), "acme+ci") << "nobody else has rules about it any more";
}

TEST_F(TrustTest, NobodyHidesRulesBehindManyOthers) {
  add_stranger({{"repository", "eve/web"}});
  probe_.force(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
      " INSERT INTO trust_rule(issuer, audience, robot_id, ns_id, claims, created_at)"
      " SELECT issuer, audience, robot_id, ns_id, claims, 1 FROM trust_rule, n WHERE robot_id IN"
      " (SELECT id FROM principal WHERE name = 'eve+ci')");
  add_robot("acme+late");
  add_rule("acme+late", {{"repository", "acme/late"}});
  EXPECT_EQ(as("acme+late", {.repository = R"("acme/late")"}), "acme+late") << "its rule has the highest number";
  EXPECT_EQ(as("acme+ci", {}), "acme+ci");
  probe_.force("DELETE FROM trust_rule WHERE robot_id NOT IN (SELECT id FROM principal WHERE name = 'eve+ci')");
  const auto found = sign_in("token", token({.repository = R"("eve/web")"}));
  ASSERT_EQ(who(found), "unauthorized") << "more than are looked at: there may be others behind them";
  EXPECT_EQ(found.error().message, kJobNeedsName);
}

TEST_F(TrustTest, ATokenForManyAudiencesSaysItsName) {
  std::string audiences = "[" + json_string(kAudience);
  for (int i = 0; i < 8; ++i) audiences += R"(,"https://)" + std::to_string(i) + "\"";
  audiences += "]";
  EXPECT_EQ(as("acme+ci", {.aud = audiences}), "acme+ci");
  const auto found = sign_in("token", token({.aud = audiences}));
  ASSERT_EQ(who(found), "unauthorized");
  EXPECT_EQ(found.error().message, kJobNeedsName);
}

TEST_F(TrustTest, AnyRuleOfTheRobotWillDo) {
  EXPECT_EQ(as("acme+ci", {.repository = R"("acme/api")"}), "unauthorized");
  const auto second = add_rule("acme+ci", {{"repository", "acme/api"}});
  const auto found = sign_in("acme+ci", token({.repository = R"("acme/api")"}));
  ASSERT_EQ(who(found), "acme+ci");
  EXPECT_EQ((*found)->trust_rule, second);
}

TEST_F(TrustTest, ARuleThatIsGoneCountsNoMoreAtOnce) {
  const std::string basic = "Basic " + encode_base64("acme+ci:" + good());
  const auto authenticate = [&] { return test::run_task(authenticator_.authenticate(basic, std::string(kAddress))); };
  ASSERT_EQ(who(authenticate()), "acme+ci");
  ASSERT_NE(authenticator_.find_cached(basic), nullptr);
  const auto issued = tokens_.issue(**authenticate(), {}).value();
  const std::string bearer = "Bearer " + issued.text;
  ASSERT_EQ(who(test::run_task(authenticator_.authenticate(bearer, std::string(kAddress)))), "acme+ci");
  make([&](sql::Connection& db) { return remove_trust_rule(db, "acme", rule_); });
  EXPECT_EQ(authenticator_.find_cached(basic), nullptr);
  EXPECT_EQ(who(authenticate()), "unauthorized");
  EXPECT_EQ(who(test::run_task(authenticator_.authenticate(bearer, std::string(kAddress)))), "unauthorized");
  add_rule("acme+ci", {{"repository", "acme/web"}, {"ref", "refs/heads/*"}});
  EXPECT_EQ(who(authenticate()), "acme+ci");
  // The token came from the other rule, whatever this one says.
  EXPECT_EQ(who(test::run_task(authenticator_.authenticate(bearer, std::string(kAddress)))), "unauthorized");
}

TEST_F(TrustTest, ARuleIsSwitchedOffAndOnAgain) {
  const auto set_disabled = [&](bool is_disabled) {
    make([&](sql::Connection& db) { return meta::set_trust_rule_disabled(db, rule_, is_disabled); });
  };
  const std::string basic = "Basic " + encode_base64("acme+ci:" + good());
  const auto authenticate = [&](const std::string& header) {
    return who(test::run_task(authenticator_.authenticate(header, std::string(kAddress))));
  };
  ASSERT_EQ(authenticate(basic), "acme+ci");
  const std::string bearer = "Bearer " + tokens_.issue(**sign_in("acme+ci", good()), {}).value().text;
  ASSERT_EQ(authenticate(bearer), "acme+ci");
  set_disabled(true);
  EXPECT_EQ(authenticate(basic), "unauthorized");
  EXPECT_THAT(last_audit().rule, HasSubstr("is disabled"));
  EXPECT_EQ(authenticate(bearer), "unauthorized") << "also who is signed in by it";
  set_disabled(false);
  EXPECT_EQ(authenticate(basic), "acme+ci");
  EXPECT_EQ(authenticate(bearer), "acme+ci");
}

// An image takes longer to build and push than an ID token lives: docker, which keeps a refresh token, goes on.
TEST_F(TrustTest, AJobStaysSignedInForAnHourAndAsLongAsItsRule) {
  const auto job = sign_in("acme+ci", good());
  ASSERT_EQ(who(job), "acme+ci");
  const std::string secret = test::run_task(authenticator_.make_refresh_token(*job)).value();
  const auto refresh = [&] { return authenticator_.refresh(secret, kAddress); };
  clock_.advance_ms(30 * kMinuteMs);
  const auto later = refresh();
  ASSERT_EQ(who(later), "acme+ci");
  EXPECT_EQ((*later)->trust_rule, rule_);
  const auto issued = tokens_.issue(**later, {}).value();
  EXPECT_EQ(issued.expires_in_s, 900) << "no shorter than anybody's (A11)";
  const std::string bearer = "Bearer " + issued.text;
  const auto use = [&] { return who(test::run_task(authenticator_.authenticate(bearer, std::string(kAddress)))); };
  EXPECT_EQ(use(), "acme+ci");
  clock_.advance_ms(30 * kMinuteMs);
  EXPECT_EQ(who(refresh()), "unauthorized") << "the hour is over";

  const std::string second = test::run_task(authenticator_.make_refresh_token(*sign_in("acme+ci", good()))).value();
  EXPECT_EQ(who(authenticator_.refresh(second, kAddress)), "acme+ci");
  const auto of_second = tokens_.issue(**authenticator_.refresh(second, kAddress), {}).value();
  make([&](sql::Connection& db) { return remove_trust_rule(db, "acme", rule_); });
  EXPECT_EQ(who(authenticator_.refresh(second, kAddress)), "unauthorized") << "with the rule goes what it let in";
  EXPECT_EQ(who(test::run_task(authenticator_.authenticate("Bearer " + of_second.text, std::string(kAddress)))),
            "unauthorized");
}

// S23: what was typed into the wrong field stays out of the log.
TEST_F(TrustTest, OnlyWhatCouldBeARobotsNameGoesOnRecord) {
  const std::string secret = make_secret(SecretKind::robot, random_);
  for (const auto& [typed, recorded] : {std::pair<std::string, std::string>{"acme+none", "acme+none"},
                                        {secret, "(no account's name)"},
                                        {"P4ss, w0rd!", "(no account's name)"},
                                        {"token", ""}}) {
    EXPECT_EQ(as(typed, {.repository = R"("acme/none")"}), "unauthorized");
    EXPECT_EQ(last_audit().actor, recorded);
    EXPECT_EQ(last_audit().target, recorded);
  }
}

TEST_F(TrustTest, ARobotThatIsDisabledOrOverIsRefused) {
  change_robot("acme+ci", [](meta::Principal& robot) { robot.is_disabled = true; });
  EXPECT_EQ(as("acme+ci", {}), "unauthorized");
  EXPECT_THAT(last_audit().rule, HasSubstr("disabled or has expired"));
  change_robot("acme+ci", [&](meta::Principal& robot) {
    robot.is_disabled = false;
    robot.expires_at_ms = clock_.now_ms() + kMinuteMs;
  });
  const auto found = sign_in("acme+ci", good());
  ASSERT_EQ(who(found), "acme+ci");
  EXPECT_EQ((*found)->valid_until_ms, clock_.now_ms() + kMinuteMs);
  clock_.advance_ms(kMinuteMs);
  EXPECT_EQ(as("acme+ci", {}), "unauthorized");
}

TEST_F(TrustTest, OurTokenEndsWithTheJobs) {
  const auto identity = *sign_in("acme+ci", token({.exp = std::to_string(now_s() + 100)}));
  const auto issued = tokens_.issue(*identity, {}).value();
  EXPECT_EQ(issued.expires_in_s, 100);
  const std::string service = "registry.example.com";
  const auto claims = verify_token(issued.text, keys_.keys()->verifying,
                                   {.issuer = service, .audience = service, .now_ms = clock_.now_ms()});
  EXPECT_EQ(claims.value().expires, now_s() + 100);
  EXPECT_EQ(claims->rule, rule_);
  // A long-lived one changes nothing about ours.
  const auto lasting = *sign_in("acme+ci", token({.exp = std::to_string(now_s() + 86'400)}));
  EXPECT_EQ(tokens_.issue(*lasting, {}).value().expires_in_s, 900);
}

TEST_F(TrustTest, TheRecordSaysWhichJobItWas) {
  ASSERT_EQ(as("acme+ci", {.more = R"(,"run_id":"77","secret_thing":"x","actor":"ann")"}), "acme+ci");
  const auto entry = last_audit();
  EXPECT_TRUE(entry.allowed);
  EXPECT_EQ(entry.action, "sign_in");
  EXPECT_EQ(entry.actor, "acme+ci");
  EXPECT_TRUE(entry.actor_id.has_value());
  EXPECT_EQ(entry.peer, kAddress);
  EXPECT_EQ(entry.rule, "trust rule " + std::to_string(rule_));
  EXPECT_EQ(entry.detail, R"({"issuer":"https://ci.example.com","claims":{"sub":"repo:acme/web:ref:refs/heads/main",)"
                          R"("repository":"acme/web","ref":"refs/heads/main","run_id":"77"}})");
  EXPECT_EQ(probe_.number("SELECT used_at FROM trust_rule"), clock_.now_ms());
}

TEST_F(TrustTest, WhatIsAskedOfTheIssuerIsNotTheJobsWord) {
  is_down_ = true;
  EXPECT_EQ(as("acme+ci", {}), "unavailable");  // a retry may help
  EXPECT_EQ(as("acme+ci", {.iss = R"("https://evil.example.com")"}), "unauthorized");
  is_down_ = false;
  clock_.advance_ms(kMinuteMs);
  EXPECT_EQ(as("acme+ci", {}), "acme+ci");
}

TEST_F(TrustTest, ARotationOfTheIssuersKeysIsSeen) {
  ASSERT_EQ(as("acme+ci", {}), "acme+ci");
  clock_.advance_ms(kMinuteMs);
  key_ = SigningKey::generate();
  EXPECT_EQ(as("acme+ci", {}), "acme+ci");
}

TEST_F(TrustTest, TheShapeOfATokenIsNotThatOfAPassword) {
  EXPECT_TRUE(looks_like_token(good()));
  for (const std::string_view text : {"", "eyJ", "eyJ.a", "a.b.c", "eyJh.b.c.d", "eyJh b.c.d", "berth_rob_x"})
    EXPECT_FALSE(looks_like_token(text)) << text;
}

}  // namespace
}  // namespace berth::auth
