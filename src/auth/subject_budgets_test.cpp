#include "auth/subject_budgets.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

class SubjectBudgetsTest : public ::testing::Test {
 protected:
  /// Seconds to wait; 0: it was let in.
  std::uint64_t ask(std::string_view caller) {
    const auto admitted = budgets_.admit(budgets_.payer_of(caller));
    if (admitted) return 0;
    EXPECT_EQ(admitted.error().code, Errc::too_many_requests);
    EXPECT_GE(admitted.error().number, 1U);
    EXPECT_TRUE(admitted.error().message.ends_with(" in " + std::to_string(admitted.error().number) + " s"));
    return admitted.error().number;
  }
  int let_in(std::string_view caller, int of) {
    int out = 0;
    for (int i = 0; i < of; ++i) out += ask(caller) == 0 ? 1 : 0;
    return out;
  }
  void spend(std::string_view caller, std::uint64_t bytes) { budgets_.spend(budgets_.payer_of(caller), bytes); }

  SubjectLimits limits_;
  ManualClock clock_;
  SystemRandom random_;
  Metrics metrics_;
  SubjectBudgets budgets_{{limits_, clock_, random_, metrics_}};
};

TEST_F(SubjectBudgetsTest, NothingIsLimitedByDefault) {
  EXPECT_FALSE(budgets_.is_on());
  EXPECT_EQ(let_in("ann", 10'000), 10'000);
  spend("ann", std::uint64_t{1} << 50);
  EXPECT_EQ(ask("ann"), 0U);
}

TEST_F(SubjectBudgetsTest, RequestsByRateAndBurst) {
  limits_.requests_per_second = 10;
  limits_.requests_burst = 5;
  EXPECT_TRUE(budgets_.is_on());
  EXPECT_EQ(let_in("ann", 20), 5) << "the burst";
  EXPECT_EQ(ask("ann"), 1U) << "part of a second is one";
  EXPECT_EQ(let_in("bob", 20), 5) << "others have their own";
  clock_.advance_ms(100);
  EXPECT_EQ(let_in("ann", 20), 1) << "a tenth of a second is one request";
  clock_.advance_ms(60'000);
  EXPECT_EQ(let_in("ann", 20), 5) << "a pause saves up no more than the burst";
}

TEST_F(SubjectBudgetsTest, WhatIsRefusedCostsNothing) {
  limits_.requests_per_second = 1;
  limits_.requests_burst = 1;
  EXPECT_EQ(let_in("ann", 100), 1);
  clock_.advance_ms(1000);
  EXPECT_EQ(ask("ann"), 0U);
}

TEST_F(SubjectBudgetsTest, BytesArePaidBeforeTheNextRequest) {
  limits_.bytes_per_second = 1000;
  limits_.bytes_burst = 500;
  spend("ann", 500);
  EXPECT_EQ(ask("ann"), 0U) << "within the burst";
  spend("ann", 3200);
  EXPECT_EQ(ask("ann"), 4U) << "3.2 s of it are left, and part of a second is one";
  EXPECT_EQ(ask("bob"), 0U);
  clock_.advance_ms(3199);
  EXPECT_EQ(ask("ann"), 1U);
  clock_.advance_ms(1);
  EXPECT_EQ(ask("ann"), 0U);
  clock_.advance_ms(60'000);
  spend("ann", 1500);
  EXPECT_EQ(ask("ann"), 1U) << "a pause saves up no more than the burst";
}

TEST_F(SubjectBudgetsTest, NobodyWaitsForEver) {
  limits_.bytes_per_second = 1;
  limits_.bytes_burst = 1;
  for (int i = 0; i < 3; ++i) spend("ann", UINT64_MAX);
  EXPECT_LE(ask("ann"), 24U * 3600);
}

TEST_F(SubjectBudgetsTest, LimitsChangeWhileTheyCount) {
  limits_.requests_per_second = 1;
  limits_.requests_burst = 1;
  EXPECT_EQ(let_in("ann", 2), 1);
  limits_.requests_per_second = 0;
  EXPECT_EQ(let_in("ann", 100), 100);
  limits_.requests_per_second = 1000;
  limits_.requests_burst = 10'000;
  EXPECT_EQ(let_in("ann", 100), 100);
}

TEST_F(SubjectBudgetsTest, AFloodOfAddressesDisplacesItself) {
  limits_.requests_per_second = 1;
  limits_.requests_burst = 10;
  EXPECT_EQ(let_in("ann", 20), 10);
  for (int i = 0; i < 200'000; ++i) (void)ask(std::to_string(i));
  EXPECT_NE(ask("ann"), 0U);
}

TEST_F(SubjectBudgetsTest, RefusalsAreCounted) {
  limits_.requests_per_second = 1;
  limits_.requests_burst = 1;
  limits_.bytes_per_second = 1;
  limits_.bytes_burst = 1;
  EXPECT_EQ(let_in("ann", 3), 1);
  spend("bob", 100);
  EXPECT_EQ(let_in("bob", 1), 0);
  const std::string text = metrics_.text();
  EXPECT_NE(text.find("berth_subject_limited_total{limit=\"requests\"} 2"), std::string::npos) << text;
  EXPECT_NE(text.find("berth_subject_limited_total{limit=\"bandwidth\"} 1"), std::string::npos) << text;
}

}  // namespace
}  // namespace berth::auth
