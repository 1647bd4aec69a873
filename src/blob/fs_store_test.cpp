#include "blob/fs_store.h"

#include "blob/blob_paths.h"
#include "blob/blob_store_suite.h"
#include "support/fault_fs.h"
#include "support/temp_dir.h"

#include <filesystem>
#include <fstream>

namespace berth::blob {
namespace {

/// FsStore over either file system.
class FsBackend : public Backend {
 public:
  BlobStore& store() override { return *store_; }
  BlobMaintenance& files() override { return *store_; }
  void reopen() override {
    store_.reset();
    auto opened = FsStore::open_store(file_system(), disk_);
    ASSERT_TRUE(opened.has_value()) << opened.error().cause;
    store_ = *std::move(opened);
  }

 protected:
  virtual io::FileSystem& file_system() = 0;

  io::BlockingPool disk_{"disk", 2, 1000};
  std::unique_ptr<FsStore> store_;
};

class PosixBackend final : public FsBackend {
 public:
  PosixBackend() : file_system_(*io::open_posix_file_system(dir_.path())) { reopen(); }
  ~PosixBackend() override { store_.reset(); }
  void shorten(const BlobKey& key, std::size_t size_bytes) override {
    std::filesystem::resize_file(dir_ / final_path(key), size_bytes);
  }
  void flip_byte(const BlobKey& key, std::size_t offset) override {
    std::fstream file(dir_ / final_path(key), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 1));
  }

 private:
  io::FileSystem& file_system() override { return *file_system_; }
  test::TempDir dir_{test::TempDir::Where::memory};
  std::unique_ptr<io::FileSystem> file_system_;
};

class MemoryBackend final : public FsBackend {
 public:
  MemoryBackend() { reopen(); }
  ~MemoryBackend() override { store_.reset(); }
  void shorten(const BlobKey& key, std::size_t size_bytes) override {
    file_system_.shorten(final_path(key), size_bytes);
  }
  void flip_byte(const BlobKey& key, std::size_t offset) override { file_system_.flip_byte(final_path(key), offset); }

 private:
  io::FileSystem& file_system() override { return file_system_; }
  test::MemoryFs file_system_;
};

template <class B>
std::unique_ptr<Backend> make() {
  return std::make_unique<B>();
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Posix, BlobStoreSuite, ::testing::Values(&make<PosixBackend>));
INSTANTIATE_TEST_SUITE_P(Memory, BlobStoreSuite, ::testing::Values(&make<MemoryBackend>));

namespace {

TEST(FsStore, ACompleteStoreIsOpenedWithOneOperation) {
  test::MemoryFs files;
  io::BlockingPool disk("disk", 1, 10);
  ASSERT_TRUE(FsStore::open_store(files, disk).has_value());
  files.reset_counters();
  ASSERT_TRUE(FsStore::open_store(files, disk).has_value());
  EXPECT_EQ(files.operations(), 1U);
}

TEST(FsStore, CreationCutShortAnywhereIsFinishedByTheNextStart) {
  for (std::uint64_t seed = 1; seed <= 34; ++seed) {  // up to and beyond the last of about 525 operations
    test::FaultFs files;
    io::BlockingPool disk("disk", 1, 10);
    files.fail_from(seed * 17, Errc::io_failed);
    (void)FsStore::open_store(files, disk);
    files.cut_power_keeping_some(seed);
    ASSERT_TRUE(FsStore::open_store(files, disk).has_value()) << seed;
    for (unsigned shard = 0; shard < 256; ++shard) {
      for (const auto algorithm : {oci::Algorithm::sha256, oci::Algorithm::sha512}) {
        ASSERT_TRUE(files.exists(shard_dir(algorithm, shard))) << "seed " << seed << " " << shard;
      }
    }
    ASSERT_TRUE(files.exists(kUploadsDir) && files.exists(kQuarantineDir)) << seed;
  }
}

TEST(FsStore, AnOpenedStoreSurvivesAPowerCut) {
  test::FaultFs files;
  io::BlockingPool disk("disk", 1, 10);
  ASSERT_TRUE(FsStore::open_store(files, disk).has_value());
  files.cut_power();
  EXPECT_TRUE(files.exists(kUploadsDir) && files.exists(kQuarantineDir));
  EXPECT_TRUE(files.exists(shard_dir(oci::Algorithm::sha512, 255)));
}

TEST(FsStore, FilesOfRestingUploadsAreClosedBeyondALimit) {
  test::MemoryFs files;
  io::BlockingPool disk("disk", 1, 10);
  const auto store = *FsStore::open_store(files, disk, {.read_max = 4, .staged_max = 2});
  struct Upload {
    std::shared_ptr<Staged> staged;
    RunningHashes hashes = std::make_shared<UploadHashes>();
  };
  std::vector<Upload> uploads(5);
  const auto append = [](Upload& upload, std::uint64_t at, std::string_view text) {
    auto ticket = upload.staged->append(at, std::as_bytes(std::span(text)), upload.hashes);
    ASSERT_TRUE(test::run_task(ticket.get()).has_value());
    upload.staged->rest();
  };
  for (std::size_t i = 0; i < uploads.size(); ++i) {
    uploads[i].staged = store->begin(i + 1);
    append(uploads[i], 0, "01");
  }
  files.reset_counters();
  append(uploads[0], 2, "23");
  EXPECT_EQ(files.operations(), 1U) << "write: was still open";
  files.reset_counters();
  append(uploads[4], 2, "23");
  EXPECT_EQ(files.operations(), 3U) << "open, size, write";
  for (Upload& upload : uploads) EXPECT_TRUE(upload.staged->seal(2).has_value());
  EXPECT_EQ(files.content("uploads/0000000000000005"), "01");
}

std::string piece(std::size_t number) { return std::string(kPipelineBytes + number, static_cast<char>('a' + number)); }

TEST(FsStore, LongAppendsUnderWayTogetherKeepTheirOrder) {
  constexpr std::size_t kPieces = 12;
  for (const unsigned threads : {1U, 2U, 4U}) {
    test::MemoryFs files;
    io::BlockingPool disk("disk", threads, 100);
    const auto store = *FsStore::open_store(files, disk);
    const auto staged = store->begin(1);
    const auto running = std::make_shared<UploadHashes>();
    std::vector<std::string> pieces;
    for (std::size_t i = 0; i < kPieces; ++i) pieces.push_back(piece(i));
    std::vector<io::Ticket<UploadHashes>> tickets;
    std::uint64_t at = 0;
    for (const std::string& text : pieces) {
      tickets.push_back(staged->append(at, std::as_bytes(std::span(text)), running));
      at += text.size();
    }
    std::string whole;
    for (std::size_t i = 0; i < kPieces; ++i) {
      whole += pieces[i];
      const auto hashes = test::run_task(tickets[i].get());
      ASSERT_TRUE(hashes.has_value());
      EXPECT_EQ(oci::Digest::sha256(hashes->sha256.sum()), oci::digest_of(oci::Algorithm::sha256, whole)) << i;
    }
    EXPECT_EQ(files.content("uploads/0000000000000001"), whole) << threads;
  }
}

TEST(FsStore, WhereThePoolIsFullALongAppendIsRefusedOrWholeNeverWrong) {
  for (const std::size_t queue_max : {1U, 2U, 3U}) {
    test::MemoryFs files;
    io::BlockingPool disk("disk", 1, queue_max);
    io::BlockingPool setup("setup", 1, 100);
    const auto store = *FsStore::open_store(files, setup);
    ASSERT_NE(store, nullptr);
    const auto busy = *FsStore::open_store(files, disk);
    const auto staged = busy->begin(1);
    const auto running = std::make_shared<UploadHashes>();
    std::vector<std::string> pieces;
    std::vector<io::Ticket<UploadHashes>> tickets;
    for (std::size_t i = 0; i < 6; ++i) pieces.push_back(piece(i));
    std::uint64_t at = 0;
    for (const std::string& text : pieces) {
      tickets.push_back(staged->append(at, std::as_bytes(std::span(text)), running));
      at += text.size();
    }
    std::string whole;
    bool refused = false;
    for (std::size_t i = 0; i < tickets.size(); ++i) {
      whole += pieces[i];
      const auto hashes = test::run_task(tickets[i].get());
      if (!hashes) {
        EXPECT_THAT(hashes.error().code, ::testing::AnyOf(Errc::unavailable, Errc::corrupt)) << "a gap, or no room";
        refused = true;
      } else if (!refused) {
        EXPECT_EQ(oci::Digest::sha256(hashes->sha256.sum()), oci::digest_of(oci::Algorithm::sha256, whole)) << i;
      }
    }
  }
}

TEST(FsStore, SyncStagingTouchesTheDiskOnlyIfAFileIsNew) {
  test::MemoryFs files;
  io::BlockingPool disk("disk", 1, 10);
  const auto store = *FsStore::open_store(files, disk);
  ASSERT_TRUE(store->sync_staging().has_value());
  files.reset_counters();
  ASSERT_TRUE(store->sync_staging().has_value());
  EXPECT_EQ(files.syncs(), 0U);
  auto ticket =
      store->begin(1)->append(0, std::as_bytes(std::span(std::string_view("x"))), std::make_shared<UploadHashes>());
  ASSERT_TRUE(test::run_task(ticket.get()).has_value());
  ASSERT_TRUE(store->sync_staging().has_value());
  ASSERT_TRUE(store->sync_staging().has_value());
  EXPECT_EQ(files.syncs(), 1U);
}

TEST(FsStore, AStagingSyncThatFailedIsOwedStill) {
  test::FaultFs files;
  io::BlockingPool disk("disk", 1, 10);
  const auto store = *FsStore::open_store(files, disk);
  files.fail_at(1, Errc::io_failed);
  EXPECT_FALSE(store->sync_staging().has_value());
  files.reset_counters();
  EXPECT_TRUE(store->sync_staging().has_value());
  EXPECT_EQ(files.syncs(), 1U);
}

TEST(BlobPaths, NamesAreReadBackAndNothingElseIs) {  // S14
  const BlobKey key{oci::digest_of(oci::Algorithm::sha256, "x"), 0x00ab};
  const std::string hex = key.digest.hex();
  EXPECT_EQ(final_path(key), "blobs/sha256/" + hex.substr(0, 2) + "/" + hex + ".00000000000000ab");
  EXPECT_EQ(staged_path(0xab), "uploads/00000000000000ab");
  EXPECT_EQ(quarantine_path(key), "quarantine/sha256-" + hex + ".00000000000000ab");
  const struct {
    std::string name;
    bool valid;
    std::string_view why;
  } rows[] = {
      {hex + ".00000000000000ab", true, "our own"},
      {hex + ".00000000000000AB", false, "uppercase incarnation"},
      {hex + ".ab", false, "short incarnation"},
      {hex, false, "no incarnation"},
      {hex.substr(1) + ".00000000000000ab", false, "short hash"},
      {hex + ".00000000000000ab.tmp", false, "something behind"},
      {"../../../etc/passwd", false, "a path"},
      {"", false, "nothing"},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_final_name(oci::Algorithm::sha256, row.name);
    EXPECT_EQ(parsed.has_value(), row.valid) << row.why;
    if (parsed) EXPECT_TRUE(parsed->digest == key.digest && parsed->inc == key.inc);
  }
}

TEST(BlobPaths, IncarnationsPrintAndParse) {
  for (const std::uint64_t inc : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{INT64_MAX}, UINT64_MAX}) {
    EXPECT_EQ(parse_inc(inc_text(inc)), inc);
  }
}

}  // namespace
}  // namespace berth::blob
