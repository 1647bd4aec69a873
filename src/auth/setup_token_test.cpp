#include "auth/setup_token.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

class SetupTokenTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  SeededRandom random_{1};
  SetupToken token_{clock_};
};

TEST_F(SetupTokenTest, BeforeOneIsMadeNothingIsRight) {
  EXPECT_FALSE(token_.is_right(""));
  SeededRandom same(1);
  EXPECT_FALSE(token_.is_right(make_secret(SecretKind::setup, same)));
}

TEST_F(SetupTokenTest, LivesForAnHour) {
  const std::string secret = token_.make(random_);
  EXPECT_TRUE(token_.is_right(secret));
  clock_.advance_ms(60LL * 60 * 1000 - 1);
  EXPECT_TRUE(token_.is_right(secret)) << "the last moment";
  clock_.advance_ms(1);
  EXPECT_FALSE(token_.is_right(secret));
}

TEST_F(SetupTokenTest, ANewOneEndsTheOneBeforeAndHasAnHourOfItsOwn) {
  const std::string first = token_.make(random_);
  clock_.advance_ms(SetupToken::kLifeMs - 1);
  const std::string second = token_.make(random_);
  EXPECT_NE(first, second);
  EXPECT_FALSE(token_.is_right(first));
  EXPECT_TRUE(token_.is_right(second));
  clock_.advance_ms(SetupToken::kLifeMs - 1);
  EXPECT_TRUE(token_.is_right(second));
}

TEST_F(SetupTokenTest, OnceItIsUsedNothingIsRight) {
  const std::string secret = token_.make(random_);
  token_.end();
  EXPECT_FALSE(token_.is_right(secret));
  EXPECT_FALSE(token_.is_right(""));
}

TEST_F(SetupTokenTest, S26OnlyTheWholeSecretIsRight) {
  const std::string secret = token_.make(random_);
  EXPECT_EQ(parse_secret(secret), SecretKind::setup);
  EXPECT_FALSE(token_.is_right(secret.substr(0, secret.size() - 1)));
  EXPECT_FALSE(token_.is_right(secret + "x"));
  EXPECT_FALSE(token_.is_right(""));
  std::string other = secret;
  other.back() = other.back() == '0' ? '1' : '0';
  EXPECT_FALSE(token_.is_right(other));
}

}  // namespace
}  // namespace berth::auth
