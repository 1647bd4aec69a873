#pragma once
// Bytes by digest. Nothing here knows repositories, and nothing above knows paths: what leaves this room is a
// RandomSource, which may offer a descriptor for sendfile.
//
// A blob's bytes live under (digest, incarnation). The incarnation is a random number drawn per upload and never
// reused, so that a late delete can never hit newer bytes. The life of an upload: begin → append… → seal (content is
// durable) → the metadata commit → place (final name) — or discard. Between the commit and place the bytes are already
// readable.

#include "blob/upload_hashes.h"
#include "io/streams.h"
#include "io/ticket.h"
#include "oci/digest.h"

#include <memory>
#include <vector>

namespace berth::blob {

struct BlobKey {
  oci::Digest digest;
  std::uint64_t inc = 0;
};

/// The bytes of one upload in progress. One writer at a time (U11); the caller keeps the order.
class Staged {
 public:
  virtual ~Staged() = default;
  /// Starts hashing and writing `bytes` at `offset` on the disk pool. `bytes` must live until the ticket is awaited. It
  /// brings the hashes of all up to the end of `bytes`. Appends of at least kPipelineBytes may be under way together,
  /// in order and without a gap; a shorter one only alone. Errors: no_space, io_failed, unavailable; the bytes from
  /// `offset` on and `running` are then undefined.
  virtual io::Ticket<UploadHashes> append(std::uint64_t offset, std::span<const std::byte> bytes,
                                          RunningHashes running) = 0;
  /// Announces that the upload will reach `total_bytes`: an early no_space, fewer extents.
  virtual io::Task<Result<void>> reserve(std::uint64_t total_bytes) = 0;
  /// Cuts everything from `size_bytes` on, after a failed append.
  virtual io::Task<Result<void>> truncate(std::uint64_t size_bytes) = 0;
  /// Makes exactly `size_bytes` of content durable. Blocks: on the disk pool. After io_failed the upload must be
  /// discarded: what the disk holds is unknown, and syncing again would lie.
  virtual Result<void> seal(std::uint64_t size_bytes) = 0;
  /// No request works on it for now: what it holds of what is scarce (descriptors) it may give back. Cheap.
  virtual void rest() = 0;
  /// Reads the first `size_bytes` again, for a digest of an algorithm that was not computed on the way (U8).
  virtual io::Task<Result<crypto::Sha512Sum>> sha512(std::uint64_t size_bytes) = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  /// Errors: file_unknown, corrupt (the stored size is not `size_bytes`; never served), io_failed.
  virtual io::Task<Result<std::shared_ptr<io::RandomSource>>> open(BlobKey key, std::uint64_t size_bytes) = 0;
  /// What can be read at once, without waiting for anything; nullptr says nothing about what is there.
  virtual std::shared_ptr<io::RandomSource> find_open(const BlobKey& key) = 0;
  /// Costs nothing until the first append.
  virtual std::shared_ptr<Staged> begin(std::uint64_t inc) = 0;
  /// Gives staged bytes their final name, in the background: they are readable without it, and housekeeping does what
  /// failed or found no room in the pool's queue. Call after the metadata commit.
  virtual void place(BlobKey key, std::move_only_function<void(const Error&)> on_failure) = 0;
  virtual io::Task<Result<void>> discard(std::uint64_t inc) = 0;
};

/// What housekeeping, recovery and the checker need. Every call blocks: background threads and start-up only.
class BlobMaintenance {
 public:
  struct StagedFile {
    std::uint64_t inc = 0;
    std::uint64_t size_bytes = 0;
  };
  struct StoredFile {
    BlobKey key;
    std::int64_t modified_ms = 0;
    std::uint64_t size_bytes = 0;
  };
  struct Content {
    bool present = false;
    std::uint64_t size_bytes = 0;
    bool digest_matches = false;  // only meaningful when hashed
  };
  /// Called between reads with the bytes just read; false stops the check (Errc::unavailable).
  using Pace = std::function<bool(std::size_t bytes)>;

  virtual ~BlobMaintenance() = default;
  /// Makes the names of staged files durable, if any appeared since the last call.
  virtual Result<void> sync_staging() = 0;
  /// Makes every placement so far durable.
  virtual Result<void> settle() = 0;
  /// Gives staged bytes their final name; repeating it is harmless. file_unknown: the bytes are nowhere.
  virtual Result<void> ensure_placed(const BlobKey& key) = 0;
  virtual Result<std::vector<StagedFile>> list_staged() = 0;
  virtual Result<void> remove_staged(std::uint64_t inc) = 0;
  /// Removes the bytes of this incarnation, staged name first (that order beats a placement under way).
  virtual Result<void> remove(const BlobKey& key) = 0;
  /// Moves bytes that failed a check aside; they are never served again, never deleted silently.
  virtual Result<void> quarantine(const BlobKey& key) = 0;
  /// Size, and with `pace` also the hash, of what is stored.
  virtual Result<Content> inspect(const BlobKey& key, const Pace* pace) = 0;
  /// Every file of one of the 512 shards (256 per algorithm).
  virtual Result<std::vector<StoredFile>> list_shard(oci::Algorithm algorithm, unsigned shard) = 0;
  /// Brings `hashes`, saved when the staged file had `from_bytes`, up to the end of the file as it is, and returns its
  /// size: for a session resumed after a restart. size_invalid if the file is shorter than that.
  /// `pace`: as above, nullptr to read at once.
  virtual Result<std::uint64_t> rehash_staged(std::uint64_t inc, std::uint64_t from_bytes, UploadHashes& hashes,
                                              const Pace* pace) = 0;
};

}  // namespace berth::blob
