#include "auth/secret.h"

#include "base/hex.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace berth::auth {
namespace {

using namespace std::string_view_literals;

constexpr std::pair<SecretKind, std::string_view> kKinds[] = {
    {SecretKind::personal_token, "berth_pat_"}, {SecretKind::robot, "berth_rob_"}, {SecretKind::login, "berth_lgn_"},
    {SecretKind::refresh, "berth_ref_"},        {SecretKind::setup, "berth_set_"},
};

TEST(Secret, ReadsWhatItMakes) {
  SeededRandom random(5);
  std::set<std::string> seen;
  for (const auto& [kind, prefix] : kKinds) {
    for (int round = 0; round < 200; ++round) {
      const std::string secret = make_secret(kind, random);
      EXPECT_TRUE(secret.starts_with(prefix)) << secret;
      EXPECT_EQ(secret.size(), prefix.size() + (kind == SecretKind::refresh ? 43U : 32U) + 6) << "A15: 256 bits";
      EXPECT_EQ(parse_secret(secret), kind) << secret;
      EXPECT_TRUE(seen.insert(secret).second) << "the same twice";
    }
  }
}

TEST(Secret, AnyOtherCharacterIsNoticed) {
  SeededRandom random(6);
  const std::string secret = make_secret(SecretKind::robot, random);
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(parse_secret(other).has_value()) << other;
  }
}

// 62 does not divide 256: taken as they come, the first eight digits would be a quarter too frequent.
TEST(Secret, CharactersAreEquallyLikely) {
  SeededRandom random(7);
  std::map<char, int> counts;
  constexpr int kRounds = 4000;
  for (int round = 0; round < kRounds; ++round) {
    for (const char c : make_secret(SecretKind::login, random).substr(10, 32)) ++counts[c];
  }
  EXPECT_EQ(counts.size(), 62U);
  constexpr double kExpected = kRounds * 32.0 / 62.0;  // 2064, with a deviation of 45
  for (const auto& [c, count] : counts) EXPECT_NEAR(count, kExpected, 250) << c;
}

constexpr struct {
  std::string_view text;
  std::optional<SecretKind> kind;
  std::string_view why;
} kRows[] = {
    // The checksum was computed with Python's zlib: the form is for scanners of others.
    {"berth_pat_000000000000000000000000000000002rzB82", SecretKind::personal_token, "all zero"},
    {"berth_ref_00000000000000000000000000000000000000000000fW59N", SecretKind::refresh, "the long form"},
    {"", std::nullopt, "nothing"},
    {"berth_", std::nullopt, "the prefix alone"},
    {"berth_pat", std::nullopt, "cut short"},
    {"berth_pat_", std::nullopt, "cut short"},
    {"berth_pat_00000000000000000000000000000000000000", std::nullopt, "a wrong checksum"},
    {"berth_rob_000000000000000000000000000000002rzB82", std::nullopt, "another kind: the checksum covers it"},
    {"berth_xyz_000000000000000000000000000000002rzB82", std::nullopt, "an unknown kind"},
    {"berth__000000000000000000000000000000002rzB82", std::nullopt, "no kind"},
    {"BERTH_PAT_000000000000000000000000000000002rzB82", std::nullopt, "uppercase"},
    {"berth_pat_00000000000000000000000000000002rzB82", std::nullopt, "a character short"},
    {"berth_pat_000000000000000000000000000000002rzB820", std::nullopt, "a character long"},
    {"berth_ref_000000000000000000000000000000002rzB82", std::nullopt, "too short for its kind"},
    {" berth_pat_000000000000000000000000000000002rzB82", std::nullopt, "a blank in front"},
    {"berth_pat_000000000000000000000000000000002rzB82\n", std::nullopt, "a line end"},
    {"berth_pat_0000000000000000000000000000000-2rzB82", std::nullopt, "a character that is none of the digits"},
    {"berth_pat_0000000000000000000000000000000\02rzB82"sv, std::nullopt, "NUL"},
    {"ghp_0000000000000000000000000000000000", std::nullopt, "of somebody else"},
    {"hunter2", std::nullopt, "a password"},
};

TEST(Secret, IsStrict) {
  for (const auto& row : kRows) EXPECT_EQ(parse_secret(row.text), row.kind) << row.text << ": " << row.why;
}

TEST(Secret, IsStoredAsHash) {
  EXPECT_EQ(to_hex(secret_hash("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace berth::auth
