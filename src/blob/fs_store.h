#pragma once
// Blobs as files of one folder; see blob_paths.h for the layout and docs/durability.md for the order of syncs.

#include "base/clock.h"
#include "base/metrics.h"
#include "blob/blob_store.h"
#include "io/file_system.h"

#include <atomic>
#include <memory>

namespace berth::blob {

class OpenFileCache;

/// How many files the store keeps open without need; beyond, it opens them again when they are wanted.
struct OpenFiles {
  std::size_t read_max = 4096;    // blobs that were read lately
  std::size_t staged_max = 4096;  // uploads nobody is writing to at the moment
};

/// Who wants to know how long syncs take.
struct SyncObserver {
  const Clock* clock = nullptr;
  metrics::Histogram* durations = nullptr;  // null: nobody
};

class FsStore final : public BlobStore, public BlobMaintenance {
 public:
  /// Creates the folders that are missing (an empty data folder becomes a store). `files` and `disk` must outlive it.
  static Result<std::unique_ptr<FsStore>> open_store(io::FileSystem& files, io::BlockingPool& disk,
                                                     OpenFiles open_files = {}, SyncObserver observer = {});
  ~FsStore() override;

  /// A staged file appeared without begin(): its name is to be synced with the others (see adopt.h).
  void note_staged();

  io::Task<Result<std::shared_ptr<io::RandomSource>>> open(BlobKey key, std::uint64_t size_bytes) override;
  std::shared_ptr<io::RandomSource> find_open(const BlobKey& key) override;
  std::shared_ptr<Staged> begin(std::uint64_t inc) override;
  void place(BlobKey key, std::move_only_function<void(const Error&)> on_failure) override;
  io::Task<Result<void>> discard(std::uint64_t inc) override;

  Result<void> sync_staging() override;
  Result<void> settle() override;
  Result<void> ensure_placed(const BlobKey& key) override;
  Result<std::vector<StagedFile>> list_staged() override;
  Result<void> remove_staged(std::uint64_t inc) override;
  Result<void> remove(const BlobKey& key) override;
  Result<void> quarantine(const BlobKey& key) override;
  Result<Content> inspect(const BlobKey& key, const Pace* pace) override;
  Result<std::vector<StoredFile>> list_shard(oci::Algorithm algorithm, unsigned shard) override;
  Result<std::uint64_t> rehash_staged(std::uint64_t inc, std::uint64_t from_bytes, UploadHashes& hashes,
                                      const Pace* pace) override;

 private:
  class Source;
  class StagedUpload;
  struct Dirty;

  FsStore(io::FileSystem& files, io::BlockingPool& disk, OpenFiles open_files, SyncObserver observer);
  Result<void> timed(const std::function<Result<void>()>& sync) const;
  Result<std::unique_ptr<io::File>> open_bytes(const BlobKey& key);

  io::FileSystem& files_;
  io::BlockingPool& disk_;
  SyncObserver observer_;
  std::size_t staged_open_max_;
  // shared: an append on the disk pool may end after the store
  std::shared_ptr<std::atomic<std::size_t>> staged_open_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::unique_ptr<OpenFileCache> open_files_;
  std::unique_ptr<Dirty> dirty_;
};

}  // namespace berth::blob
