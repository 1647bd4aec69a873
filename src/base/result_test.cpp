#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace berth {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Errc::parameter_invalid, "odd", "from half");
  return value / 2;
}

Result<int> quarter(int value) {
  BERTH_TRY(const int once, half(value));
  BERTH_TRY(const int twice, half(once));
  return twice;
}

Result<void> check_even(int value) {
  BERTH_TRYV(half(value));
  return {};
}

TEST(Result, TryGoesOnWithTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  for (const int value : {3, 6}) {
    const auto failed = quarter(value);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code, Errc::parameter_invalid);
    EXPECT_EQ(failed.error().message, "odd");
    EXPECT_EQ(failed.error().cause, "from half");
  }
  EXPECT_TRUE(check_even(2).has_value());
  EXPECT_FALSE(check_even(3).has_value());
}

TEST(Result, ContextPrefixesTheCauseAndNothingElse) {
  const auto failed = half(3).context("reading x");
  EXPECT_EQ(failed.error().cause, "reading x: from half");
  EXPECT_EQ(failed.error().message, "odd");
  Result<int> bare = fail(Errc::io_failed);
  EXPECT_EQ(std::move(bare).context("reading y").error().cause, "reading y");
  EXPECT_EQ(half(4).context("reading z").value(), 2);
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  const auto make = [](bool good) -> Result<std::unique_ptr<int>> {
    if (!good) return fail(Errc::internal);
    return std::make_unique<int>(5);
  };
  const auto use = [&](bool good) -> Result<int> {
    BERTH_TRY(const auto owned, make(good));
    return *owned;
  };
  EXPECT_EQ(use(true).value(), 5);
  EXPECT_FALSE(use(false).has_value());
}

}  // namespace
}  // namespace berth
