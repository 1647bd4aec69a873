#include "auth/key_ring.h"

#include "auth/jwt.h"
#include "base/json.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

Result<Claims> verify(const KeyRing& ring, const std::string& token) {
  const auto keys = ring.keys();
  return verify_token(token, keys->verifying, {.issuer = "r", .audience = "r", .now_ms = 1'700'000'000'000});
}

std::string sign(const KeyRing& ring) {
  Claims claims;
  claims.issuer = "r";
  claims.audiences = {"r"};
  claims.expires = 1'700'000'900;
  return sign_token(ring.keys()->signing, claims);
}

TEST(KeyRing, TheFirstSignsAndAllVerify) {
  const auto old = crypto::SigningKey::generate();
  const auto next = crypto::SigningKey::generate();
  KeyRing ring({old});
  const std::string before = sign(ring);
  const auto in_use = ring.keys();
  ring.replace({next, old});
  EXPECT_EQ(ring.keys()->signing.kid(), next.kid());
  EXPECT_TRUE(verify(ring, before)) << "what the one before signed is still good";
  EXPECT_TRUE(verify(ring, sign(ring)));
  EXPECT_EQ(in_use->signing.kid(), old.kid()) << "who began with the old ones goes on with them";
  ring.replace({next});
  EXPECT_FALSE(verify(ring, before)) << "until it is dropped";
}

// A secret must never be among what everybody may read.
TEST(KeyRing, PublishesThePublicHalves) {
  const KeyRing ring({crypto::SigningKey::generate(), crypto::SigningKey::generate()});
  const auto set = json::parse(ring.jwks());
  ASSERT_TRUE(set.has_value()) << ring.jwks();
  const auto& keys = set->find("keys")->array();
  ASSERT_EQ(keys.size(), 2U);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(keys[i].find("kid")->string(), ring.keys()->verifying[i].kid());
    EXPECT_EQ(keys[i].find("d"), nullptr) << "the private half";
  }
}

}  // namespace
}  // namespace berth::auth
