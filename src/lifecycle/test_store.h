#pragma once
// For this room's tests: blobs on a disk that fails when it is told to, rows in a real database.

#include "base/clock.h"
#include "base/log.h"
#include "blob/blob_paths.h"
#include "blob/fs_store.h"
#include "io/blocking_pool.h"
#include "meta/blobs.h"
#include "meta/store.h"
#include "meta/uploads.h"
#include "support/fault_fs.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace berth::lifecycle::test {

using namespace berth::test;  // NOLINT(google-build-using-namespace): the fakes of tests/support

struct StoreOnFaultyDisk {
  TempDir dir{TempDir::Where::memory};
  ManualClock clock;
  Log log{LogLevel::off};
  FaultFs files;
  io::BlockingPool disk{"disk", 1, 10};
  std::unique_ptr<blob::FsStore> blobs = *blob::FsStore::open_store(files, disk);
  std::unique_ptr<meta::Store> meta = *meta::Store::open({.path = dir / "meta.db"}, {}, clock, log);

  SqliteProbe probe() const { return SqliteProbe(dir / "meta.db"); }

  /// Durable, as an upload is once it is sealed.
  void write_file(const std::string& path, std::string_view bytes) {
    const auto file = files.open(path, io::FileSystem::Mode::create_new);
    ASSERT_TRUE(file.has_value()) << file.error().cause;
    ASSERT_TRUE((*file)->write_at(0, std::as_bytes(std::span(bytes))).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
    ASSERT_TRUE(files.sync_dir("uploads").has_value());
  }

  /// An upload up to its commit point: the bytes are staged, the rows are there, nothing is placed.
  blob::BlobKey commit(const std::string& bytes, std::uint64_t inc) {
    write_file(blob::staged_path(inc), bytes);
    const blob::BlobKey key{oci::digest_of(oci::Algorithm::sha256, bytes), inc};
    meta::UploadRow row;
    row.id = "upload-" + std::to_string(inc);
    row.repo = "team/app";
    row.inc = inc;
    row.offset_bytes = bytes.size();
    row.digest = key.digest;
    row.expires_at = clock.now_ms() + 1'000'000;
    const auto done = meta->write_blocking([&](sql::Connection& db) -> Result<void> {
      BERTH_TRY(const auto kept, meta::commit_blob(db, *oci::RepoName::parse("team/app"),
                                                   {key.digest, bytes.size(), inc}, {clock.now_ms(), {}}));
      return meta::record_upload(db, row, /*placed=*/kept.kept_existing);
    });
    EXPECT_TRUE(done.has_value()) << done.error().cause;
    return key;
  }
  /// As commit(), and in its place.
  blob::BlobKey store(const std::string& bytes, std::uint64_t inc) {
    const blob::BlobKey key = commit(bytes, inc);
    EXPECT_TRUE(blobs->ensure_placed(key).has_value());
    return key;
  }
  /// As a collector leaves it that dies before the unlink.
  void doom(const blob::BlobKey& key) const {
    probe().force("INSERT INTO doomed(inc, digest, due) VALUES(" + std::to_string(key.inc) + ", x'" +
                  to_hex(key.digest.storage()) + "', 0); DELETE FROM blob WHERE inc = " + std::to_string(key.inc));
  }
  std::int64_t state_of(const blob::BlobKey& key) const {
    return probe().number("SELECT state FROM blob WHERE inc = " + std::to_string(key.inc));
  }
  /// Waits for what was queued with write_later().
  void flush() {
    EXPECT_TRUE(meta->write_blocking([](sql::Connection&) -> Result<void> { return {}; }).has_value());
  }
};

}  // namespace berth::lifecycle::test
