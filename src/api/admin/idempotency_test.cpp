// What belongs to a call that comes with a key of its own, as time goes by and servers stop.
#include "api/admin/admin_api.h"
#include "support/accounts_fixture.h"

namespace berth::api {
namespace {

class Idempotency : public test::AccountsFixture {
 protected:
  Idempotency() { add_user("ann"); }

  AdminReply post(std::string key, std::string_view path = "user/tokens", std::string_view body = R"({"name":"t"})") {
    return post_as("ann", std::move(key), path, body);
  }
  AdminReply post_as(std::string_view name, std::string key, std::string_view path, std::string_view body) {
    const auto caller = must(sign_in(name, kPassword));
    AdminRequest request;
    request.method = http::Method::post;
    request.path = path;
    request.body = body;
    request.idempotency_key = std::move(key);
    return test::run_task(api_.handle(*caller, request, "r"));
  }
  std::int64_t tokens() { return probe_.number("SELECT count(*) FROM token WHERE kind = 1"); }
  std::int64_t kept() { return probe_.number("SELECT count(*) FROM kept_call"); }

  auth::SetupToken setup_{clock_};
  auth::SignInLimiter limiter_;
  AdminApi api_{{*store_, directory_, audit_, setup_, passwords_, clock_, random_, limiter_}};
};

TEST_F(Idempotency, AKeyIsGoodForADay) {
  ASSERT_EQ(post("k").status, 201);
  clock_.advance_ms(kDayMs - 1);
  EXPECT_TRUE(post("k").is_replay);
  clock_.advance_ms(1);
  EXPECT_FALSE(post("k").is_replay) << "and may be used anew then";
  EXPECT_TRUE(post("k").is_replay);
  EXPECT_EQ(tokens(), 2);
}

TEST_F(Idempotency, WhatIsKeptHasNoSecretInIt) {
  const AdminReply made = post("k");
  ASSERT_EQ(made.status, 201);
  const std::string secret = json::parse(made.body)->text("secret");
  ASSERT_FALSE(secret.empty());
  EXPECT_EQ(probe_.dump().find(secret), std::string::npos);
}

// Else a quick hash of it would be in the database beside the slow one.
TEST_F(Idempotency, NothingOfAPasswordIsKept) {
  add_admin("root");
  const auto create = [&](const char* name, const char* password) {
    return post_as("root", "k", "users", JsonObject().text("name", name).text("password", password).str());
  };
  ASSERT_EQ(create("bob", "correct horse battery").status, 201);
  EXPECT_TRUE(create("bob", "another horse battery").is_replay) << "nobody can tell that it is another one";
  EXPECT_EQ(create("eve", "correct horse battery").status, 422);
}

// The row is of the transaction that makes the change: after it a server may stop at any moment.
TEST_F(Idempotency, WhatWasDoneBeforeTheServerStoppedIsNotDoneAgain) {
  ASSERT_EQ(post("k").status, 201);
  probe_.force("UPDATE kept_call SET status = 0, body = ''");  // as it is between the change and its answer
  const AdminReply again = post("k");
  EXPECT_EQ(again.status, 409);
  EXPECT_THAT(again.body, ::testing::HasSubstr("it was done"));
  EXPECT_EQ(tokens(), 1);
}

TEST_F(Idempotency, WhatFailsKeepsNoKey) {
  EXPECT_EQ(post("k", "user/tokens", R"({"name":""})").status, 400);
  EXPECT_EQ(post("k", "users", R"({"name":"bob"})").status, 403);
  EXPECT_EQ(kept(), 0);
}

TEST_F(Idempotency, OfOneCallerAThousandAreKept) {
  ASSERT_EQ(post("first").status, 201);
  clock_.advance_ms(kMinuteMs);
  probe_.force(
      "INSERT INTO kept_call(principal_id, key_hash, request_hash, created_at) "
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
      "SELECT (SELECT id FROM principal WHERE name = 'ann'), CAST(i AS BLOB), x'00', " +
      std::to_string(clock_.now_ms()) + " FROM n");
  const AdminReply refused = post("one-more");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.retry_after_s, static_cast<std::uint64_t>((kDayMs - kMinuteMs) / 1000));
  EXPECT_EQ(tokens(), 1) << "what was refused was not done";
  clock_.advance_ms(kDayMs - kMinuteMs);
  EXPECT_EQ(post("one-more").status, 201) << "the first is over";
}

TEST_F(Idempotency, OldKeysAreForgotten) {
  ASSERT_EQ(post("a").status, 201);
  clock_.advance_ms(kDayMs);
  ASSERT_EQ(post("b").status, 201);
  expect_ok(change(
      [&](sql::Connection& db) { return meta::forget_kept_calls(db, clock_.now_ms() - meta::kKeptCallMs, 10); }));
  EXPECT_EQ(kept(), 1);
}

TEST(CallsUnderWay, HoldOneCallOnce) {
  CallsUnderWay calls;
  meta::CallKey key{.principal = 1};
  auto first = calls.begin(key);
  ASSERT_TRUE(first);
  EXPECT_FALSE(calls.begin(key));
  EXPECT_TRUE(calls.begin({.principal = 2})) << "another's";
  first.reset();
  EXPECT_TRUE(calls.begin(key));
}

}  // namespace
}  // namespace berth::api
