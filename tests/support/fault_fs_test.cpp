// The disk that forgets is what crash tests stand on: here it is held to its own model.
#include "support/fault_fs.h"

#include <gtest/gtest.h>

#include <set>

namespace berth::test {
namespace {

using Mode = io::FileSystem::Mode;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

void write_file(FaultFs& fs, const std::string& path, std::string_view text) {
  const auto file = fs.open(path, Mode::create_new);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->write_at(0, bytes(text)).has_value());
}

void sync_file(FaultFs& fs, const std::string& path) {
  ASSERT_TRUE((*fs.open(path, Mode::read_write))->sync().has_value());
}

TEST(FaultFs, ContentAndNameAreLostApart) {
  FaultFs fs;
  write_file(fs, "named", "1234");
  ASSERT_TRUE(fs.sync_dir(".").has_value());
  write_file(fs, "synced", "5678");
  sync_file(fs, "synced");
  fs.cut_power();
  EXPECT_EQ(fs.content("named"), "") << "its name was synced, its content was not";
  EXPECT_FALSE(fs.exists("synced")) << "its content was synced, its name was not";
}

TEST(FaultFs, WhatWasSyncedStays) {
  FaultFs fs;
  ASSERT_TRUE(fs.make_dir("d").has_value());
  write_file(fs, "d/a", "1234");
  sync_file(fs, "d/a");
  ASSERT_TRUE(fs.sync_dir("d").has_value());
  ASSERT_TRUE(fs.sync_dir(".").has_value());
  ASSERT_TRUE((*fs.open("d/a", Mode::read_write))->write_at(2, bytes("xxxx")).has_value());
  EXPECT_EQ(fs.content("d/a"), "12xxxx");
  fs.cut_power();
  EXPECT_EQ(fs.content("d/a"), "1234");
}

TEST(FaultFs, AFileGoesWithItsUnsyncedFolder) {
  FaultFs fs;
  ASSERT_TRUE(fs.make_dir("d").has_value());
  write_file(fs, "d/a", "1");
  ASSERT_TRUE(fs.sync_dir("d").has_value());
  fs.cut_power();
  EXPECT_TRUE(fs.files().empty());
}

TEST(FaultFs, RenameIsDurableWithEitherFolderAndNeverHalf) {
  for (const std::string synced : {"from", "to"}) {
    FaultFs fs;
    for (const char* dir : {"from", "to"}) ASSERT_TRUE(fs.make_dir(dir).has_value());
    ASSERT_TRUE(fs.sync_dir(".").has_value());
    write_file(fs, "from/a", "");
    ASSERT_TRUE(fs.rename("from/a", "to/b").has_value());
    ASSERT_TRUE(fs.sync_dir(synced).has_value());
    fs.cut_power();
    EXPECT_EQ(fs.files(), std::vector<std::string>{"to/b"}) << synced;
  }
}

TEST(FaultFs, RandomCutsKeepEveryKindOfPartAndNeverHalfARename) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    FaultFs fs;
    for (const char* dir : {"from", "to"}) ASSERT_TRUE(fs.make_dir(dir).has_value());
    write_file(fs, "from/a", std::string(1024, 'x'));
    for (const char* dir : {".", "from"}) ASSERT_TRUE(fs.sync_dir(dir).has_value());
    ASSERT_TRUE(fs.rename("from/a", "to/b").has_value());
    fs.cut_power_keeping_some(seed);
    ASSERT_EQ(fs.files().size(), 1U) << seed;
    outcomes.insert(fs.files()[0] + " " + std::to_string(fs.content(fs.files()[0])->size()));
  }
  EXPECT_TRUE(outcomes.contains("from/a 0") && outcomes.contains("from/a 1024") && outcomes.contains("from/a 512") &&
              outcomes.contains("to/b 0") && outcomes.contains("to/b 1024"))
      << ::testing::PrintToString(outcomes);
}

TEST(FaultFs, AFailedSyncLosesItsBytesThoughTheNextOneSucceeds) {
  FaultFs fs;
  write_file(fs, "a", "1234");
  ASSERT_TRUE(fs.sync_dir(".").has_value());
  const auto file = *fs.open("a", Mode::read_write);
  fs.fail_at(1, Errc::io_failed);
  ASSERT_FALSE(file->sync().has_value());
  ASSERT_TRUE(file->sync().has_value());
  EXPECT_EQ(fs.content("a"), "1234");
  fs.cut_power();
  EXPECT_EQ(fs.content("a"), "");
}

TEST(FaultFs, TheNthOperationFailsOnceAndAWriteLeavesHalf) {
  FaultFs fs;
  const auto file = *fs.open("a", Mode::create_new);
  fs.fail_at(2, Errc::no_space);
  EXPECT_TRUE(file->write_at(0, bytes("1234")).has_value());
  EXPECT_FALSE(fs.struck());
  const auto second = file->write_at(4, bytes("5678"));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::no_space);
  EXPECT_TRUE(fs.struck());
  EXPECT_EQ(fs.content("a"), "123456");
  EXPECT_TRUE(file->write_at(4, bytes("5678")).has_value());
}

TEST(FaultFs, ALastingFaultEndsWithHealOrThePowerCut) {
  FaultFs fs;
  fs.fail_from(1, Errc::io_failed);
  EXPECT_FALSE(fs.open("a", Mode::create_new).has_value());
  EXPECT_FALSE(fs.list(".").has_value());
  fs.heal();
  EXPECT_TRUE(fs.list(".").has_value());
}

TEST(FaultFs, AFullDiskTakesWhatFits) {
  FaultFs fs;
  fs.set_capacity_bytes(6);
  const auto file = *fs.open("a", Mode::create_new);
  ASSERT_TRUE(file->write_at(0, bytes("1234")).has_value());
  const auto more = file->write_at(4, bytes("5678"));
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, Errc::no_space);
  EXPECT_EQ(fs.content("a"), "123456");
  EXPECT_EQ(fs.space()->free_bytes, 0U);
  EXPECT_EQ(file->reserve(7).error().code, Errc::no_space);
  ASSERT_TRUE(file->truncate(0).has_value());
  EXPECT_EQ(fs.space()->free_bytes, 6U);
}

TEST(FaultFs, CountsOperationsAndSyncs) {
  FaultFs fs;
  write_file(fs, "a", "1");
  sync_file(fs, "a");
  ASSERT_TRUE(fs.sync_dir(".").has_value());
  EXPECT_EQ(fs.operations(), 5U);  // create, write, open, sync, sync_dir
  EXPECT_EQ(fs.syncs(), 2U);
}

TEST(FaultFs, HandlesDieWithThePower) {
  FaultFs fs;
  const auto file = *fs.open("a", Mode::create_new);
  ASSERT_TRUE(fs.sync_dir(".").has_value());
  fs.cut_power();
  EXPECT_FALSE(file->write_at(0, bytes("1")).has_value());
  EXPECT_EQ(fs.content("a"), "");
}

}  // namespace
}  // namespace berth::test
