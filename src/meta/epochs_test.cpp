#include "meta/epochs.h"

#include <gtest/gtest.h>

namespace berth::meta {
namespace {

constexpr Epochs::Stripe kApp = 7;
constexpr Epochs::Stripe kOther = 8;

struct EpochsTest : ::testing::Test {
  Epochs epochs;
};

TEST_F(EpochsTest, AStampHoldsWhileNothingChanges) {
  const auto stamp = epochs.stamp(kApp);
  ASSERT_TRUE(stamp.has_value());
  EXPECT_TRUE(epochs.holds(*stamp));
}

TEST_F(EpochsTest, AChangeEndsTheStampsOfItsStripesOnly) {
  const auto app = epochs.stamp(kApp);
  const auto other = epochs.stamp(kOther);
  {
    const Epochs::Change change(epochs, {kApp}, false);
    EXPECT_FALSE(epochs.holds(*app)) << "from before the commit on";
    EXPECT_FALSE(epochs.stamp(kApp).has_value()) << "what is read now may be the old or the new";
    EXPECT_TRUE(epochs.stamp(kOther).has_value());
  }
  EXPECT_FALSE(epochs.holds(*app)) << "and for good";
  EXPECT_TRUE(epochs.holds(*other));
  ASSERT_TRUE(epochs.stamp(kApp).has_value());
  EXPECT_TRUE(epochs.holds(*epochs.stamp(kApp)));
}

TEST_F(EpochsTest, AChangeOfEverythingEndsEveryStamp) {
  const auto app = epochs.stamp(kApp);
  {
    const Epochs::Change change(epochs, {}, true);
    EXPECT_FALSE(epochs.holds(*app));
    EXPECT_FALSE(epochs.stamp(kOther).has_value());
  }
  EXPECT_FALSE(epochs.holds(*app));
  EXPECT_TRUE(epochs.stamp(kApp).has_value());
}

TEST_F(EpochsTest, EveryChangeIsAnotherMoment) {
  const auto before = epochs.moment();
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(epochs.moment(), before);
  {
    const Epochs::Change change(epochs, {}, false);
    EXPECT_FALSE(epochs.moment().has_value()) << "what is read now may be the old or the new";
  }
  ASSERT_TRUE(epochs.moment().has_value());
  EXPECT_NE(epochs.moment(), before);
}

}  // namespace
}  // namespace berth::meta
