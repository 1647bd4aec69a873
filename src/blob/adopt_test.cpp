#include "blob/adopt.h"

#include "blob/blob_paths.h"
#include "support/fault_fs.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace berth::blob {
namespace {

using Fallback = Adopter::Fallback;

const BlobMaintenance::Pace kGoOn = [](std::size_t) { return true; };

/// A store on a real disk, and a file of somebody else's beside it.
struct Fixture {
  test::TempDir dir;
  std::string text = std::string(1'500'000, 'x') + "end";
  std::unique_ptr<io::FileSystem> files;
  io::BlockingPool disk{"disk", 1, 1};
  std::unique_ptr<FsStore> store;
  BlobKey key{oci::digest_of(oci::Algorithm::sha256, text), 0x1234};

  Fixture() {
    std::filesystem::create_directory(dir / "data");
    std::ofstream(dir / "theirs", std::ios::binary) << text;
    files = *io::open_posix_file_system(dir / "data");
    store = *FsStore::open_store(*files, disk);
  }
  std::unique_ptr<io::File> theirs() const { return *io::open_foreign_file(dir / "theirs"); }
  std::string staged() const { return dir / ("data/" + staged_path(key.inc)); }
  nlink_t names() const {
    struct stat st{};
    EXPECT_EQ(::stat((dir / "theirs").c_str(), &st), 0);
    return st.st_nlink;
  }
};

TEST(Adopt, AHardLinkIsTheSameFile) {
  Fixture f;
  Adopter adopter(*f.files, *f.store, AdoptMethod::hard_link, Fallback::refused);
  const auto adopted = adopter.adopt(*f.theirs(), f.key, kGoOn);
  ASSERT_TRUE(adopted.has_value()) << adopted.error().message;
  EXPECT_EQ(adopted->method, AdoptMethod::hard_link);
  EXPECT_EQ(adopted->size_bytes, f.text.size());
  EXPECT_EQ(f.names(), 2u);
  ASSERT_TRUE(f.store->ensure_placed(f.key).has_value());
  EXPECT_TRUE(f.store->inspect(f.key, &kGoOn)->digest_matches);
}

TEST(Adopt, ACopyIsAFileOfItsOwn) {
  Fixture f;
  Adopter adopter(*f.files, *f.store, AdoptMethod::copy, Fallback::refused);
  ASSERT_EQ(adopter.adopt(*f.theirs(), f.key, kGoOn)->method, AdoptMethod::copy);
  EXPECT_EQ(f.names(), 1u);
  ASSERT_TRUE(f.store->ensure_placed(f.key).has_value());
  EXPECT_TRUE(f.store->inspect(f.key, &kGoOn)->digest_matches);
}

TEST(Adopt, AReflinkWhereTheDiskCannotBecomesACopyOrIsRefused) {
  for (const Fallback fallback : {Fallback::allowed, Fallback::refused}) {
    Fixture f;
    Adopter adopter(*f.files, *f.store, AdoptMethod::reflink, fallback);
    const auto adopted = adopter.adopt(*f.theirs(), f.key, kGoOn);
    if (adopted) {  // a clone, if the disk of the tests can make one
      EXPECT_NE(adopted->method, AdoptMethod::hard_link);
      EXPECT_EQ(f.names(), 1u);
    } else {
      EXPECT_EQ(fallback, Fallback::refused);
      EXPECT_EQ(adopted.error().code, Errc::unsupported);
      EXPECT_FALSE(std::filesystem::exists(f.staged()));
    }
  }
}

TEST(Adopt, OtherBytesLeaveNothingBehind) {
  for (const AdoptMethod method : {AdoptMethod::hard_link, AdoptMethod::copy}) {
    Fixture f;
    f.key.digest = oci::digest_of(oci::Algorithm::sha256, std::string_view("other bytes"));
    Adopter adopter(*f.files, *f.store, method, Fallback::refused);
    const auto adopted = adopter.adopt(*f.theirs(), f.key, kGoOn);
    ASSERT_FALSE(adopted.has_value());
    EXPECT_EQ(adopted.error().code, Errc::digest_mismatch);
    EXPECT_NE(adopted.error().message.find(oci::digest_of(oci::Algorithm::sha256, f.text).str()), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(f.staged()));
  }
}

TEST(Adopt, AFileThatLostItsNameIsNoReasonToGiveUpLinking) {
  Fixture f;
  Adopter adopter(*f.files, *f.store, AdoptMethod::hard_link, Fallback::allowed);
  const auto theirs = f.theirs();
  std::filesystem::remove(f.dir / "theirs");
  EXPECT_EQ(adopter.adopt(*theirs, f.key, kGoOn).error().code, Errc::corrupt);
  EXPECT_EQ(adopter.method(), AdoptMethod::hard_link);
}

TEST(Adopt, WhoIsToldToStopLeavesNothingBehind) {
  Fixture f;
  Adopter adopter(*f.files, *f.store, AdoptMethod::copy, Fallback::refused);
  EXPECT_EQ(adopter.adopt(*f.theirs(), f.key, [](std::size_t) { return false; }).error().code, Errc::unavailable);
  EXPECT_FALSE(std::filesystem::exists(f.staged()));
}

TEST(Adopt, ADiskThatLinksNothingGetsCopiesAndSaysWhy) {
  Fixture f;
  test::FaultFs disk;
  const auto store = *FsStore::open_store(disk, f.disk);
  Adopter adopter(disk, *store, AdoptMethod::hard_link, Fallback::allowed);
  EXPECT_EQ(*adopter.probe(*f.theirs(), 0x99), AdoptMethod::copy);
  EXPECT_FALSE(disk.exists(staged_path(0x99)));
  EXPECT_NE(adopter.why_not_first(), "");
  EXPECT_EQ(adopter.adopt(*f.theirs(), f.key, kGoOn)->method, AdoptMethod::copy);
}

TEST(Adopt, WhatIsStagedSurvivesAPowerCutOnceItsNameIsSynced) {  // I2
  Fixture f;
  test::FaultFs disk;
  const auto store = *FsStore::open_store(disk, f.disk);
  Adopter adopter(disk, *store, AdoptMethod::copy, Fallback::refused);
  ASSERT_TRUE(store->sync_staging().has_value());
  ASSERT_TRUE(adopter.adopt(*f.theirs(), f.key, kGoOn).has_value());
  ASSERT_TRUE(store->sync_staging().has_value());
  disk.cut_power();
  EXPECT_EQ(disk.content(staged_path(f.key.inc)), f.text);
}

}  // namespace
}  // namespace berth::blob
