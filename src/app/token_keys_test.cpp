#include "app/token_keys.h"

#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace berth::app {
namespace {

namespace fs = std::filesystem;

class TokenKeys : public ::testing::Test {
 protected:
  static constexpr std::int64_t kKeepMs = 60 * 60 * 1000;

  std::vector<std::string> load() {
    const auto keys = load_token_keys(dir_.path(), clock_);
    EXPECT_TRUE(keys.has_value()) << keys.error().message;
    std::vector<std::string> kids;
    if (keys) {
      for (const auto& key : *keys) kids.push_back(key.kid());
    }
    return kids;
  }
  std::string rotate() {
    const auto kid = rotate_token_keys(dir_.path(), clock_, kKeepMs);
    EXPECT_TRUE(kid.has_value()) << kid.error().message;
    return kid.value_or("");
  }
  /// "1700000000000.pem 600", sorted.
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(dir_ / "keys")) {
      out.push_back(entry.path().filename().string() + " " + mode_of(entry.path()));
    }
    std::ranges::sort(out);
    return out;
  }
  static std::string mode_of(const fs::path& path) {
    std::string out;
    for (auto mode = static_cast<unsigned>(fs::status(path).permissions()); mode != 0; mode /= 8)
      out.insert(out.begin(), static_cast<char>('0' + mode % 8));
    return out;
  }
  std::string path_of(std::int64_t made_ms) const { return dir_ / "keys/" + std::to_string(made_ms) + ".pem"; }
  Errc refusal() {
    const auto keys = load_token_keys(dir_.path(), clock_);
    EXPECT_FALSE(keys.has_value());
    if (!keys) EXPECT_THAT(keys.error().message, ::testing::HasSubstr(dir_ / "keys/"));
    return keys ? Errc::internal : keys.error().code;
  }

  test::TempDir dir_{test::TempDir::Where::memory};
  ManualClock clock_;
  std::int64_t start_ms_ = clock_.now_ms();
};

TEST_F(TokenKeys, OneIsMadeWhereThereIsNoneAndStays) {
  const auto first = load();
  ASSERT_EQ(first.size(), 1U);
  clock_.advance_ms(1);
  EXPECT_EQ(load(), first);
}

TEST_F(TokenKeys, NobodyElseMayReadThem) {
  load();
  EXPECT_EQ(files(), std::vector{std::to_string(start_ms_) + ".pem 600"});
  EXPECT_EQ(mode_of(dir_ / "keys"), "700");
}

TEST_F(TokenKeys, AKeyThatOthersMayReadSignsNothing) {
  load();
  for (const fs::perms leak : {fs::perms::group_read, fs::perms::others_read, fs::perms::others_write}) {
    fs::permissions(path_of(start_ms_), fs::perms::owner_read | fs::perms::owner_write | leak);
    EXPECT_EQ(refusal(), Errc::unavailable);
  }
  fs::permissions(path_of(start_ms_), fs::perms::owner_read);
  EXPECT_EQ(load().size(), 1U);
}

TEST_F(TokenKeys, WhatIsNoKeyIsRefusedByItsName) {
  load();
  std::ofstream(path_of(start_ms_), std::ios::trunc) << "no key";
  EXPECT_EQ(refusal(), Errc::unavailable);
}

TEST_F(TokenKeys, OtherFilesAreLeftAlone) {
  const auto first = load();
  for (const char* name : {"README", "1.pem.new", "x1.pem", ".pem", "1.pem.bak"}) {
    std::ofstream file(dir_ / "keys/" + name);
    file << "no key";
  }
  EXPECT_EQ(load(), first);
  rotate();
  EXPECT_EQ(files().size(), 7U);
}

TEST_F(TokenKeys, ANewOneSignsAndTheOneBeforeIsKept) {
  const auto first = load();
  clock_.advance_ms(1000);
  const std::string next = rotate();
  EXPECT_EQ(load(), (std::vector{next, first.front()}));
  EXPECT_EQ(files().size(), 2U);
}

TEST_F(TokenKeys, OneIsDroppedWhenNothingItSignedCanBeValid) {
  const auto first = load();
  clock_.advance_ms(10 * kKeepMs);  // in use all that time
  const std::string second = rotate();
  clock_.advance_ms(kKeepMs);
  const std::string third = rotate();
  EXPECT_EQ(load(), (std::vector{third, second, first.front()})) << "replaced an hour ago, not longer";
  clock_.advance_ms(1);
  const std::string fourth = rotate();
  EXPECT_EQ(load(), (std::vector{fourth, third, second}));
}

TEST_F(TokenKeys, AClockThatWentBackDoesNotMakeAnOldKeySign) {
  load();
  clock_.set_wall_ms(start_ms_ - kKeepMs);
  const std::string next = rotate();
  EXPECT_EQ(load().front(), next);
  const std::string third = rotate();
  EXPECT_EQ(load().front(), third) << "and two of one moment are two";
}

TEST_F(TokenKeys, ARotationBeforeTheFirstLoadMakesTheFirst) {
  const std::string kid = rotate();
  EXPECT_EQ(load(), std::vector{kid});
}

// What an attempt before left behind, perhaps with another's eyes on it, is not written into.
TEST_F(TokenKeys, ADraftThatWasLeftBehindIsReplaced) {
  fs::create_directory(dir_ / "keys");
  const std::string draft = path_of(start_ms_) + ".new";
  std::ofstream(draft) << "half a key";
  fs::permissions(draft, fs::perms::all);
  EXPECT_EQ(load().size(), 1U);
  EXPECT_EQ(files(), std::vector{std::to_string(start_ms_) + ".pem 600"});
}

}  // namespace
}  // namespace berth::app
