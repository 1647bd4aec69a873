// What a repair leaves behind.

#include "lifecycle/fsck.h"
#include "lifecycle/missing.h"
#include "lifecycle/test_fsck.h"

#include <gmock/gmock.h>

namespace berth::lifecycle {
namespace {

using test::age;
using test::blob;
using test::check;
using test::Checked;
using test::flip;
using test::force;
using test::manifest;
using test::RegistryFolder;
using test::repair;
using test::StoreOfEverything;
using ::testing::HasSubstr;

/// A disk with a sector that cannot be read.
class BadSector final : public io::FileSystem {
 public:
  BadSector(const std::string& root, std::string path)
      : disk_(*io::open_posix_file_system(root)), inner_(*disk_), path_(std::move(path)) {}
  Result<std::unique_ptr<io::File>> open(const std::string& path, Mode mode) override {
    auto opened = inner_.open(path, mode);
    if (opened && path == path_) return std::make_unique<BadFile>(*std::move(opened));
    return opened;
  }
  Result<void> rename(const std::string& from, const std::string& to) override { return inner_.rename(from, to); }
  Result<void> unlink(const std::string& path) override { return inner_.unlink(path); }
  Result<void> make_dir(const std::string& path) override { return inner_.make_dir(path); }
  Result<std::vector<io::DirEntry>> list(const std::string& dir) override { return inner_.list(dir); }
  Result<void> sync_dir(const std::string& dir) override { return inner_.sync_dir(dir); }
  Result<io::Space> space() override { return inner_.space(); }

 private:
  class BadFile final : public io::File {
   public:
    explicit BadFile(std::unique_ptr<io::File> inner) : inner_(std::move(inner)) {}
    Result<std::size_t> read_at(std::uint64_t, std::span<std::byte>) override {
      return fail(Errc::io_failed, "storage failed", "pread: Input/output error");
    }
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> b) override {
      return inner_->write_at(offset, b);
    }
    Result<void> truncate(std::uint64_t size) override { return inner_->truncate(size); }
    Result<void> reserve(std::uint64_t size) override { return inner_->reserve(size); }
    Result<void> sync() override { return inner_->sync(); }
    Result<std::uint64_t> size_bytes() override { return inner_->size_bytes(); }
    Result<std::uint64_t> allocated_bytes() override { return inner_->allocated_bytes(); }
    int descriptor() const override { return inner_->descriptor(); }

   private:
    std::unique_ptr<io::File> inner_;
  };
  std::unique_ptr<io::FileSystem> disk_;
  io::FileSystem& inner_;
  std::string path_;
};

TEST(FsckRepair, ADamagedBlobIsSetAsideAndHealedByTheNextPush) {
  StoreOfEverything store;
  const oci::Digest d = RegistryFolder::digest(store.layer);
  store.folder.close();
  flip(store, store.layer);
  const std::string name = std::filesystem::path(store.folder.file_of(d)).filename();
  ASSERT_TRUE(repair(store.folder, {.deep = true}).has_damage(FindingKind::blob_hash, Remedy::done));
  EXPECT_EQ(store.folder.names_in("quarantine"), std::vector{"sha256-" + name});
  const Checked waits = check(store.folder);
  EXPECT_EQ(waits.damages(), "blob_bad none\n") << "an image cannot be pulled";
  EXPECT_EQ(waits.report.waiting, 1u);
  EXPECT_THAT(waits.text_of(FindingKind::blob_bad), HasSubstr("team/app@" + RegistryFolder::digest(store.image).str()));

  store.folder.open();
  const auto gone = test::run_task(store.folder.blob_service().open(RegistryFolder::repo("team/app"), d));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, Errc::blob_unknown);
  store.folder.push("team/app", store.layer);
  EXPECT_TRUE(test::run_task(store.folder.blob_service().open(RegistryFolder::repo("team/app"), d)).has_value());
  store.folder.close();
  const Checked healed = check(store.folder, {.deep = true});
  EXPECT_EQ(healed.damages(), "");
  EXPECT_FALSE(healed.has_note(FindingKind::blob_bad));
  EXPECT_EQ(healed.report.waiting, 0u);
}

TEST(FsckRepair, ABadBlobThatNoManifestNeedsIsANote) {
  StoreOfEverything store;
  store.folder.close();
  flip(store, store.loose);
  EXPECT_EQ(repair(store.folder, {.deep = true}).report.waiting, 0u);
  const Checked checked = check(store.folder);
  EXPECT_EQ(checked.damages(), "");
  EXPECT_TRUE(checked.has_note(FindingKind::blob_bad));
  EXPECT_THAT(checked.text_of(FindingKind::blob_bad), HasSubstr("team/other"));
}

TEST(FsckRepair, FilesThatComeBackAreServedAgain) {
  StoreOfEverything store;
  store.folder.close();
  // The blobs were away, and somebody repaired: what was present is bad now, although its files are good.
  const std::string blobs = store.folder.path() + "/blobs";
  std::filesystem::rename(blobs, blobs + ".away");
  const Checked written_off = repair(store.folder, {.force = true});
  EXPECT_TRUE(written_off.has_damage(FindingKind::blob_missing, Remedy::done)) << written_off.damages();
  EXPECT_GT(written_off.report.waiting, 0u);
  std::filesystem::remove_all(blobs);
  std::filesystem::rename(blobs + ".away", blobs);

  const Checked checked = check(store.folder);
  EXPECT_TRUE(checked.has_damage(FindingKind::blob_intact, Remedy::possible)) << checked.damages();
  EXPECT_FALSE(checked.has_note(FindingKind::stray_file));
  const Checked repaired = repair(store.folder);
  EXPECT_TRUE(repaired.has_damage(FindingKind::blob_intact, Remedy::done)) << repaired.damages();
  EXPECT_EQ(repaired.report.waiting, 0u);
  EXPECT_TRUE(store.folder.names_in("quarantine").empty());
  EXPECT_EQ(check(store.folder, {.deep = true}).damages(), "");
  store.folder.open();
  const auto d = RegistryFolder::digest(store.layer);
  EXPECT_TRUE(test::run_task(store.folder.blob_service().open(RegistryFolder::repo("team/app"), d)).has_value());
}

TEST(FsckRepair, IsRefusedWhileManyFilesAreMissing) {
  StoreOfEverything store;
  for (int i = 0; i < 20; ++i) store.folder.push("team/app", "one of many " + std::to_string(i));
  store.folder.close();
  const std::string blobs = store.folder.path() + "/blobs";
  std::filesystem::rename(blobs, blobs + ".away");
  const auto before = store.folder.contents();
  const auto refused = test::run(store.folder, {.repair = true});
  ASSERT_FALSE(refused.result.has_value());
  EXPECT_EQ(refused.result.error().code, Errc::unavailable);
  EXPECT_THAT(refused.result.error().message, HasSubstr("--force"));
  EXPECT_TRUE(store.folder.contents() == before) << "nothing was changed";
  EXPECT_FALSE(std::filesystem::exists(blobs));
  EXPECT_TRUE(check(store.folder).has_damage(FindingKind::blob_missing, Remedy::possible)) << "looking is free";
  EXPECT_TRUE(repair(store.folder, {.force = true}).has_damage(FindingKind::blob_missing, Remedy::done));
}

TEST(FsckRepair, AFewMissingFilesDoNotStopIt) {
  static_assert(!too_many_missing(10, 10), "a small store may lose everything it has");
  static_assert(too_many_missing(11, 109));
  static_assert(!too_many_missing(11, 110));
  static_assert(!too_many_missing(0, 0));
  StoreOfEverything store;
  store.folder.close();
  std::filesystem::remove(store.folder.path() + "/" + store.folder.file_of(RegistryFolder::digest(store.layer)));
  EXPECT_EQ(repair(store.folder).damages(), "blob_missing done\n");
}

TEST(FsckRepair, ALostBlobRowBecomesAPlaceholderThatTheNextPushFills) {
  StoreOfEverything store;
  store.folder.close();
  force(store, "DELETE FROM blob WHERE id = " + blob(store.layer));
  repair(store.folder);
  store.folder.open();
  store.folder.push("team/app", store.layer);
  store.folder.close();
  EXPECT_EQ(check(store.folder, {.deep = true}).damages(), "");
  EXPECT_EQ(store.folder.probe().number("SELECT count(*) FROM manifest_blob WHERE blob_id = " + blob(store.layer)), 1);
}

TEST(FsckRepair, ADanglingTagGoesWithAnEntryInItsHistory) {
  StoreOfEverything store;
  store.folder.close();
  force(store, "UPDATE tag SET manifest_id = 9999 WHERE name = 'v1'");
  repair(store.folder);
  EXPECT_EQ(store.folder.probe().number("SELECT count(*) FROM tag WHERE name = 'v1'"), 0);
  EXPECT_EQ(
      store.folder.probe().rows("SELECT op, prev_digest FROM tag_history WHERE name = 'v1' ORDER BY id DESC LIMIT 1"),
      std::vector{"2|" + to_hex(RegistryFolder::digest(store.image).storage())});
}

TEST(FsckRepair, ALostTagComesBackIfItsManifestIsThere) {
  StoreOfEverything store;
  store.folder.close();
  force(store, "DELETE FROM tag WHERE name = 'v1'");
  repair(store.folder);
  EXPECT_EQ(store.folder.probe().number("SELECT manifest_id FROM tag WHERE name = 'v1'"),
            store.folder.probe().number("SELECT " + manifest(store.image)));
}

TEST(FsckRepair, QueuesGarbageForWhenItWouldHaveBeenDue) {
  StoreOfEverything store;
  store.folder.close();
  const std::string query = "SELECT kind, repo_id, obj_id, due FROM gc_queue WHERE kind = 4";
  const auto before = store.folder.probe().rows(query);
  ASSERT_FALSE(before.empty());
  force(store, "DELETE FROM gc_queue WHERE kind = 4");
  repair(store.folder);
  EXPECT_EQ(store.folder.probe().rows(query), before);
}

TEST(FsckRepair, FoldersThatABackupLeftOutComeBackBeforeAnythingIsMoved) {
  StoreOfEverything store;
  // Committed and staged, with nowhere to go.
  const oci::Digest d = store.folder.push("team/app", "half placed");
  const std::string file = store.folder.file_of(d);
  std::filesystem::rename(store.folder.path() + "/" + file,
                          store.folder.path() + "/uploads/" + file.substr(file.find('.') + 1));
  store.folder.close();
  std::vector<std::filesystem::path> empty;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(store.folder.path())) {
    if (entry.is_directory() && std::filesystem::is_empty(entry)) empty.push_back(entry);
  }
  for (const auto& folder : empty) std::filesystem::remove(folder);
  const Checked checked = check(store.folder);
  EXPECT_TRUE(checked.has_damage(FindingKind::folder_missing, Remedy::possible));
  const Checked repaired = repair(store.folder);
  EXPECT_TRUE(repaired.has_damage(FindingKind::folder_missing, Remedy::done));
  EXPECT_EQ(repaired.report.recovered->placed, 1u);
  EXPECT_EQ(store.folder.file_of(d), file);
  EXPECT_EQ(check(store.folder, {.deep = true}).damages(), "");
}

TEST(FsckRepair, OnlyOldStrayFilesAreMoved) {
  StoreOfEverything store;
  store.folder.close();
  const std::string key = std::string(64, 'a') + ".00000000000000aa";
  store.folder.write_file("blobs/sha256/aa/" + key, "nobody's");
  store.folder.write_file("blobs/sha256/ab/" + key, "in the wrong folder");
  store.folder.write_file("blobs/sha256/ac/README\n.txt", "not ours");
  store.folder.write_file("blobs/sha256/ad/young", "not ours");
  store.folder.write_file("uploads/what is this", "not ours");
  for (const auto* old : {"aa/", "ab/"}) age(store, std::string("blobs/sha256/") + old + key);
  age(store, "blobs/sha256/ac/README\n.txt");
  age(store, "uploads/what is this");

  EXPECT_EQ(check(store.folder).notes(FindingKind::stray_file), 5u);
  EXPECT_EQ(check(store.folder).damages(), "");
  repair(store.folder);
  auto moved = store.folder.names_in("quarantine");
  std::ranges::sort(moved);
  EXPECT_EQ(moved, (std::vector<std::string>{"sha256-" + key, "stray-blobs-sha256-ab-" + key,
                                             "stray-blobs-sha256-ac-README_.txt", "stray-uploads-what_is_this"}));
  EXPECT_EQ(check(store.folder).notes(FindingKind::stray_file), 1u);

  store.folder.write_file("blobs/sha256/ac/README\n.txt", "a second one");
  age(store, "blobs/sha256/ac/README\n.txt");
  repair(store.folder);
  EXPECT_EQ(store.folder.names_in("quarantine").size(), 5u) << "nothing in quarantine is replaced";
}

TEST(FsckRepair, TheDamagedFileOfABlobKnownToBeBadIsMovedAtOnce) {
  StoreOfEverything store;
  store.folder.close();
  flip(store, store.layer);
  // A scrub that was killed between its two steps.
  force(store, "UPDATE blob SET state = 3 WHERE id = " + blob(store.layer));
  EXPECT_EQ(check(store.folder).notes(FindingKind::stray_file), 1u);
  repair(store.folder);
  EXPECT_EQ(store.folder.names_in("quarantine").size(), 1u);
  EXPECT_EQ(check(store.folder).notes(FindingKind::stray_file), 0u);
}

TEST(FsckRepair, ASessionWhoseBytesAreGoneIsForgotten) {
  StoreOfEverything store;
  store.folder.close();
  repair(store.folder);  // notes this boot; after another one every session starts over anyway
  force(store, "UPDATE upload SET offset_ = 1000000 WHERE state = 1");
  const Checked checked = check(store.folder);
  EXPECT_TRUE(checked.has_note(FindingKind::upload_lost));
  EXPECT_EQ(checked.damages(), "");
  repair(store.folder);
  EXPECT_EQ(store.folder.probe().number("SELECT count(*) FROM upload WHERE state = 1"), 0);
  EXPECT_TRUE(store.folder.names_in("uploads").empty());
}

TEST(FsckRepair, BytesTheDiskCannotReadAreSetAside) {
  StoreOfEverything store;
  store.folder.close();
  {
    // Gone before the next check: each keeps every folder of the store open.
    BadSector disk(store.folder.path(), store.folder.file_of(RegistryFolder::digest(store.layer)));
    const Checked repaired = test::require(test::run(store.folder, {.deep = true, .repair = true}, &disk));
    EXPECT_EQ(repaired.damages(), "blob_unreadable done\n");
  }
  EXPECT_EQ(store.folder.names_in("quarantine").size(), 1u);
  EXPECT_EQ(check(store.folder, {.deep = true}).damages(), "blob_bad none\n");
}

TEST(FsckRepair, ARepairThatFailsSaysWhy) {
  StoreOfEverything store;
  store.folder.close();
  flip(store, store.layer);
  // Somebody put a folder where the bytes would go.
  const std::string name = std::filesystem::path(store.folder.file_of(RegistryFolder::digest(store.layer))).filename();
  std::filesystem::create_directories(store.folder.path() + "/quarantine/sha256-" + name + "/x");
  const Checked repaired = repair(store.folder, {.deep = true});
  EXPECT_TRUE(repaired.has_damage(FindingKind::blob_hash, Remedy::failed)) << repaired.damages();
  EXPECT_NE(repaired.failures(), "");
}

}  // namespace
}  // namespace berth::lifecycle
