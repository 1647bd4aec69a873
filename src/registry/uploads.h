#pragma once
// Blob uploads: sessions (U1-U14), whole uploads in one request, and mounts (X1-X4). Bytes are hashed and written as
// they arrive and are not read again. The answer to finish() is a promise: see docs/durability.md.

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "blob/blob_store.h"
#include "io/async_mutex.h"
#include "meta/store.h"
#include "meta/uploads.h"
#include "oci/repo_name.h"
#include "registry/limits.h"
#include "registry/space_guard.h"
#include "registry/upload_buffers.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace berth::registry {

/// Whose an upload is.
struct Uploader {
  std::string name;  // of nobody else, ever; empty: an anonymous caller
  std::optional<meta::PrincipalId> principal;
  std::string counts_as = {};  // whose open uploads a new one adds to; empty: nobody's
};

struct UploadKey {
  oci::RepoName repo;  // a session is bound to its repository: under another it does not exist (U1)
  std::string id;
  Uploader uploader = {};  // and to whoever began it (S13)
};

struct UploadState {
  std::string id;
  std::uint64_t offset_bytes = 0;  // bytes stored so far
};

/// What a request says about the piece of the blob in its body.
struct Chunk {
  enum class Kind : std::uint8_t { rest, ranged, malformed };  // malformed: a Content-Range nobody can read (U5)
  Kind kind = Kind::rest;
  std::uint64_t first = 0;  // ranged: inclusive bounds
  std::uint64_t last = 0;
  std::optional<std::uint64_t> declared_length;  // Content-Length, if sent
};

class Uploads {
 public:
  struct Deps {
    meta::Store& store;
    blob::BlobStore& blobs;
    blob::BlobMaintenance& files;
    io::BlockingPool& disk;
    SpaceGuard& space;
    const Clock& clock;
    Random& random;
    const Log& log;
    const Limits& limits;
  };
  explicit Uploads(Deps deps);
  ~Uploads();

  /// Opens a session. `hint`: an algorithm the client announced (U13). Errors: too_many_requests, no_space.
  io::Task<Result<UploadState>> start(oci::RepoName repo, std::optional<oci::Algorithm> hint, Uploader uploader = {});

  /// Appends the body. What arrived before a failure stays and is resumable (U11).
  /// Errors: upload_unknown; upload_range with `number` = the session's offset, nothing written (U5); size_invalid;
  /// no_space; io_failed; the body's own.
  io::Task<Result<UploadState>> append(UploadKey key, Chunk chunk, io::ByteSource& body);

  /// Appends the body, verifies the whole and commits it. Repeating a finished one with the same digest succeeds (U10).
  /// Errors: those of append; digest_mismatch (the session is gone, U8).
  io::Task<Result<void>> finish(UploadKey key, oci::Digest digest, Chunk chunk, io::ByteSource& body);

  /// Upload in one request. Reads and verifies the whole body, whatever is stored already (U14).
  io::Task<Result<void>> put_whole(oci::RepoName repo, oci::Digest digest, std::optional<std::uint64_t> length,
                                   io::ByteSource& body, Uploader uploader = {});

  /// What is stored so far. Waits a moment for a request that is writing, whose client may just have gone, and no
  /// longer: it may have gone without a word (U7, U11).
  io::Task<Result<UploadState>> status(UploadKey key);
  /// Ends the session, also under a request that is writing to it, which then fails (U12).
  io::Task<Result<void>> cancel(UploadKey key);

  /// Links a blob of `source` (or of any repository) into `target`. False: nothing to mount, which looks the same
  /// whether it is missing or not allowed (X2).
  io::Task<Result<bool>> mount(oci::RepoName target, std::optional<oci::RepoName> source, oci::Digest digest,
                               Uploader uploader = {});
  /// Some repositories that have the blob, at most `limit`: where a mount could come from (X3).
  Result<std::vector<oci::RepoName>> holders(const oci::Digest& digest, std::int64_t limit);

  /// Housekeeping (blocks): forgets sessions idle too long with their bytes, and old tombstones. Returns how many.
  Result<std::size_t> expire(std::size_t limit);
  std::size_t open_sessions() const;

 private:
  struct Session;
  using SessionPtr = std::shared_ptr<Session>;  // shared: the map and whoever works on it
  struct Found {
    SessionPtr session;                    // an open one
    std::optional<oci::Digest> committed;  // or a tombstone
  };

  /// Whether a client was given the session's id: then the database has its row.
  enum class Known : std::uint8_t { to_us_alone, to_a_client };
  Result<SessionPtr> create(const oci::RepoName& repo, std::optional<oci::Algorithm> hint, Known known,
                            Uploader uploader);
  io::Task<Result<Found>> find(UploadKey key);
  Result<SessionPtr> resume(const meta::UploadRow& row, const Uploader& uploader);
  SessionPtr lookup(const UploadKey& key) const;
  SessionPtr insert(SessionPtr session);
  Result<Found> join(const UploadKey& key, const Result<SessionPtr>& resumed);
  Result<void> check_storage() const;
  void forget(const Session& session);
  bool is_open(const std::string& id) const;
  Result<bool> remove_expired(const meta::UploadRow& row);
  std::int64_t idle_horizon_ms() const;
  void close_idle_sessions(std::size_t limit);
  Result<meta::UploadRow> stored(const UploadKey& key);
  io::Task<Result<void>> receive(SessionPtr session, Chunk chunk, io::ByteSource& body);
  Result<void> accept(const Session& session, std::optional<std::uint64_t> expected, std::uint64_t received,
                      std::size_t got);
  class Pipeline;
  io::Task<Result<void>> stream_body(SessionPtr session, std::optional<std::uint64_t> expected, io::ByteSource& body);
  io::Task<Result<void>> commit(SessionPtr session, oci::Digest digest);
  io::Task<Result<oci::Digest>> digest_of_session(SessionPtr session, oci::Algorithm algorithm);
  io::Task<Result<void>> discard(SessionPtr session);
  io::Task<Result<void>> abandon(SessionPtr session);
  Result<std::uint64_t> find_damaged(const oci::Digest& digest);
  struct Sealing;
  Result<meta::WriteOptions> seal(const Session& session, const oci::Digest& digest, Sealing& out);
  io::Task<Result<void>> save_progress(SessionPtr session);
  io::Task<void> rest(SessionPtr session);
  meta::UploadRow row_of(const Session& session) const;
  meta::UploadRow identity_of(const Session& session) const;
  meta::Stamp stamp(const Uploader& uploader) const { return {deps_.clock.now_ms(), uploader.principal}; }

  Deps deps_;
  UploadBuffers buffers_;
  mutable std::mutex mutex_;  // guards: sessions_, per_repo_, per_subject_
  std::unordered_map<std::string, SessionPtr> sessions_;
  std::unordered_map<std::string, std::size_t> per_repo_;
  std::unordered_map<std::string, std::size_t> per_subject_;  // of those that count as somebody's
};

}  // namespace berth::registry
