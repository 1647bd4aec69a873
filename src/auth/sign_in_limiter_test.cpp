#include "auth/sign_in_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

// S26
class SignInLimiterTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kMinuteMs = 60'000;

  /// Seconds to wait; 0: none.
  std::uint64_t wait_s(std::string_view account, std::string_view address) const {
    const auto checked = limiter_.check(account, address, now_ms_);
    if (checked) return 0;
    EXPECT_EQ(checked.error().code, Errc::too_many_requests);
    return checked.error().number;
  }
  void fail_times(int count, std::string_view account, std::string_view address) {
    for (int i = 0; i < count; ++i) limiter_.note_failure(account, address, now_ms_);
  }

  SignInLimiter limiter_;
  std::int64_t now_ms_ = 1'700'000'000'000;
};

TEST_F(SignInLimiterTest, AFewSlipsCostNothing) {
  fail_times(5, "ann", "a");
  EXPECT_EQ(wait_s("ann", "a"), 0U);
}

TEST_F(SignInLimiterTest, EachFailureBeyondDoublesTheWaitUpToAQuarterOfAnHour) {
  fail_times(5, "ann", "a");
  for (const std::uint64_t expected : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U, 256U, 512U, 900U, 900U}) {
    fail_times(1, "ann", "a");
    EXPECT_EQ(wait_s("ann", "a"), expected);
  }
  fail_times(100, "ann", "a");
  EXPECT_EQ(wait_s("ann", "a"), 900U) << "no shift too far";
}

TEST_F(SignInLimiterTest, TheWaitEnds) {
  fail_times(7, "ann", "a");
  EXPECT_EQ(wait_s("ann", "a"), 2U);
  now_ms_ += 1999;
  EXPECT_EQ(wait_s("ann", "a"), 1U) << "part of a second is one";
  now_ms_ += 1;
  EXPECT_EQ(wait_s("ann", "a"), 0U);
}

TEST_F(SignInLimiterTest, OthersAreNotSlowed) {
  fail_times(20, "ann", "a");
  EXPECT_EQ(wait_s("bob", "a"), 0U) << "another account from there";
  EXPECT_EQ(wait_s("ann", "b"), 0U) << "the account from elsewhere";
}

TEST_F(SignInLimiterTest, AddressesOfOneIPv6NetworkAreOne) {
  for (int i = 0; i < 6; ++i) fail_times(1, "ann", "2001:db8::" + std::to_string(i));
  EXPECT_EQ(wait_s("ann", "2001:db8::ffff:1"), 1U);
  EXPECT_EQ(wait_s("ann", "2001:db8:0:1::1"), 0U) << "the network beside it";
  for (int i = 0; i <= 50; ++i) fail_times(1, "user" + std::to_string(i), "2001:db8:0:2::" + std::to_string(i));
  EXPECT_EQ(wait_s("bob", "2001:db8:0:2:1::"), 1U);
}

TEST_F(SignInLimiterTest, AnAddressThatTriesManyAccountsWaits) {
  for (int i = 0; i < 50; ++i) fail_times(1, "user" + std::to_string(i), "a");
  EXPECT_EQ(wait_s("ann", "a"), 0U);
  fail_times(1, "user50", "a");
  EXPECT_EQ(wait_s("ann", "a"), 1U);
  EXPECT_EQ(wait_s("ann", "b"), 0U);
}

TEST_F(SignInLimiterTest, AnAccountThatIsTriedFromEverywhereWaitsAMinuteAtMost) {
  for (int i = 0; i < 100; ++i) fail_times(1, "ann", "a" + std::to_string(i));
  EXPECT_EQ(wait_s("ann", "home"), 0U);
  fail_times(30, "ann", "b");
  EXPECT_EQ(wait_s("ann", "home"), 60U) << "a stranger locks nobody out";
}

TEST_F(SignInLimiterTest, SuccessForgetsOnlyTheAccountFromThere) {
  fail_times(20, "ann", "a");
  fail_times(20, "bob", "a");
  limiter_.note_success("ann", "a", now_ms_);
  EXPECT_EQ(wait_s("bob", "a"), 900U) << "a good password of his own buys no tries at others'";
  fail_times(11, "carl", "a");
  EXPECT_GT(wait_s("ann", "a"), 0U) << "the address is still counted: 51 failures";
}

TEST_F(SignInLimiterTest, AnHourOfQuietForgets) {
  fail_times(20, "ann", "a");
  now_ms_ += 60 * kMinuteMs + 1;
  fail_times(5, "ann", "a");
  EXPECT_EQ(wait_s("ann", "a"), 0U);
}

// A password takes a while to check: what comes meanwhile must not get in for nothing.
TEST_F(SignInLimiterTest, GuessesMadeAtOnceAreHeldUpToo) {
  std::vector<SignInLimiter::Attempt> attempts;
  for (int i = 0; i < 100; ++i) {
    if (auto begun = limiter_.begin("ann", "a", now_ms_)) attempts.push_back(*std::move(begun));
  }
  EXPECT_EQ(attempts.size(), 20U) << "a client that signs in for each of its connections is no attacker";
  for (auto& attempt : attempts) attempt.failed(now_ms_);
  attempts.clear();
  EXPECT_EQ(wait_s("ann", "a"), 900U);
  now_ms_ += 900'000;
  auto one = limiter_.begin("ann", "a", now_ms_);
  EXPECT_TRUE(one);
  EXPECT_EQ(wait_s("ann", "a"), 1U) << "then one at a time";
  EXPECT_EQ(wait_s("ann", "b"), 0U);
}

TEST_F(SignInLimiterTest, AnAttemptWithoutAVerdictWasNone) {
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(limiter_.begin("ann", "a", now_ms_));
  EXPECT_EQ(limiter_.size(), 0U);
  auto begun = limiter_.begin("ann", "a", now_ms_);
  ASSERT_TRUE(begun);
  const SignInLimiter::Attempt moved = *std::move(begun);
  EXPECT_EQ(limiter_.size(), 3U) << "it counts once, whoever holds it";
}

TEST_F(SignInLimiterTest, WhereTheOwnerWasLetInHeIsNotHeldUpByStrangers) {
  limiter_.begin("ann", "home", now_ms_)->succeeded(now_ms_);
  for (int i = 0; i < 200; ++i) fail_times(1, "ann", "a" + std::to_string(i));
  EXPECT_EQ(wait_s("ann", "home"), 0U);
  EXPECT_EQ(wait_s("ann", "elsewhere"), 60U);
  fail_times(6, "ann", "home");
  EXPECT_EQ(wait_s("ann", "home"), 1U) << "his own failures count there as anywhere";
  now_ms_ += 24 * 60 * kMinuteMs;
  for (int i = 0; i < 200; ++i) fail_times(1, "ann", "a" + std::to_string(i));
  EXPECT_EQ(wait_s("ann", "home"), 60U) << "for a day";
}

// What a client sends as name is any text: no name may count for another key's failures.
TEST_F(SignInLimiterTest, NoNameIsTakenForAnotherKey) {
  fail_times(20, "", "a");
  EXPECT_EQ(wait_s("ann", "a"), 0U) << "20 failures are below what an address has free";
  fail_times(20, "ann", "");
  EXPECT_EQ(wait_s("ann", "b"), 0U) << "and below what an account has";
  fail_times(20, "ann\nb", "c");
  EXPECT_EQ(wait_s("ann", "b\nc"), 0U);
}

// S2: a name of 20 KB in a header is not kept three times.
TEST_F(SignInLimiterTest, LongNamesAreKeptShort) {
  const std::string huge(20'000, 'x');
  fail_times(6, huge + "1", "a");
  EXPECT_EQ(wait_s(huge + "2", "a"), 1U) << "no account has such a name, and all of them count as one";
}

TEST_F(SignInLimiterTest, IsBounded) {
  for (int i = 0; i < 60'000; ++i) {
    now_ms_ += 100;  // over 100 minutes
    limiter_.note_failure("user" + std::to_string(i), "a" + std::to_string(i), now_ms_);
  }
  EXPECT_LE(limiter_.size(), 100'000U);
  EXPECT_GT(limiter_.size(), 50'000U) << "the last hour's are kept";
}

}  // namespace
}  // namespace berth::auth
