#include "auth/web_sessions.h"

#include "support/accounts_fixture.h"

namespace berth::auth {
namespace {

class WebSessionsTest : public test::AccountsFixture {
 protected:
  WebSessionsTest() { add_user("ann"); }

  std::string open() {
    return must(test::run_task(
        sessions_.open(std::make_shared<const Identity>(Identity{.subject = ann_}), "Firefox", std::string(kAddress))));
  }
  std::string find(std::string_view cookie) {
    const auto found = must(sessions_.find(cookie, kAddress));
    expect_ok(change([](sql::Connection&) { return Result<void>(); }));  // what it queued is written
    return found ? found->subject.name : "nobody";
  }

  WebSessions sessions_{{*store_, clock_, random_}};
  Subject ann_;

  void SetUp() override { ann_ = subject("ann"); }
};

TEST_F(WebSessionsTest, TheCookieTellsWhoItIs) {
  const std::string cookie = open();
  EXPECT_EQ(find(cookie), "ann");
  EXPECT_EQ(find(cookie + "x"), "nobody");
  EXPECT_EQ(find(""), "nobody");
  EXPECT_EQ(find(add_secret("ann", meta::TokenKind::access).text), "nobody") << "no other secret is a cookie";
  EXPECT_EQ(who(sign_in("ann", cookie)), "unauthorized") << "nor is a cookie a password";
  EXPECT_EQ(who(authenticate("Bearer " + cookie)), "unauthorized");
}

TEST_F(WebSessionsTest, ASessionEndsWhenNobodyUsesIt) {
  const std::string cookie = open();
  clock_.advance_ms(WebSessions::kIdleMs - kMinuteMs);
  EXPECT_EQ(find(cookie), "ann");
  clock_.advance_ms(WebSessions::kIdleMs - kMinuteMs);
  EXPECT_EQ(find(cookie), "ann") << "it was used in between";
  clock_.advance_ms(WebSessions::kIdleMs);
  EXPECT_EQ(find(cookie), "nobody");
}

TEST_F(WebSessionsTest, ASessionEndsAfterAWeekOfUse) {
  const std::string cookie = open();
  for (int quarter = 0; quarter < 7 * 4; ++quarter) {
    EXPECT_EQ(find(cookie), "ann") << quarter;
    clock_.advance_ms(kDayMs / 4);
  }
  EXPECT_EQ(find(cookie), "nobody");
}

TEST_F(WebSessionsTest, ASessionEndsWithWhatItStandsFor) {
  const std::string closed = open();
  test::AccountsFixture::expect_ok(test::run_task(sessions_.close(must(sessions_.find(closed, kAddress)))));
  EXPECT_EQ(find(closed), "nobody");

  const std::string agreed = open();
  const auto session = must(sessions_.find(agreed, kAddress));
  EXPECT_TRUE(must(sessions_.is_open(*session)));
  const std::string by_password = open();
  expect_ok(change([&](sql::Connection& db) { return set_password(db, "ann", kHash, stamp()); }));
  EXPECT_EQ(find(by_password), "nobody");
  EXPECT_FALSE(must(sessions_.is_open(*session)));

  const std::string disabled = open();
  set_disabled("ann", true);
  EXPECT_EQ(find(disabled), "nobody");
}

TEST_F(WebSessionsTest, AFormBelongsToItsSession) {
  const std::string cookie = open();
  const std::string token = form_token(cookie);
  EXPECT_TRUE(is_form_token(token, cookie));
  EXPECT_FALSE(is_form_token(token, open()));
  EXPECT_FALSE(is_form_token("", cookie));
  EXPECT_FALSE(is_form_token(cookie, cookie));
  EXPECT_EQ(token.find(cookie.substr(10, 20)), std::string::npos) << "the page shows it, the cookie stays unseen";
}

}  // namespace
}  // namespace berth::auth
