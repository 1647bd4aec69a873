#include "registry/uploads.h"

#include "base/assert.h"
#include "meta/blobs.h"

#include <algorithm>
#include <array>
#include <atomic>

namespace berth::registry {

namespace {

constexpr std::size_t kBufferMin = 64 * 1024;
constexpr std::size_t kBufferMax = 1024 * 1024;
constexpr std::uint64_t kReserveMax = 64 * 1024 * 1024;

/// What one filling of a buffer brought: bytes may have arrived before the error that ended it (U11).
struct Filled {
  std::size_t bytes = 0;
  Result<void> status;
};

/// Reads until `out` is full or the body ends.
io::Task<Filled> fill(io::ByteSource& body, std::span<std::byte> out) {
  Filled filled;
  while (filled.bytes < out.size()) {
    const auto got = co_await body.read(out.subspan(filled.bytes));
    if (!got) filled.status = fail(Error(got.error()));
    if (!got || *got == 0) break;
    filled.bytes += *got;
  }
  co_return filled;
}

}  // namespace

struct Uploads::Session {
  Session(std::string i, oci::RepoName r, std::uint64_t n, std::shared_ptr<blob::Staged> s)
      : id(std::move(i)), repo(std::move(r)), inc(n), staged(std::move(s)) {}

  const std::string id;
  const oci::RepoName repo;
  const std::uint64_t inc;
  std::shared_ptr<blob::Staged> staged;  // shared: an append on the disk pool outlives a lost connection
  blob::UploadHashes hashes;
  std::uint64_t offset_bytes = 0;
  std::int64_t created_at = 0;
  std::atomic<std::int64_t> expires_at{0};  // atomic: housekeeping looks without the lock
  bool closed = false;                      // cancelled, expired, failed or committed
  std::optional<oci::Digest> committed;
  io::AsyncMutex lock;  // one request at a time (U11); guards everything above but id, repo, inc
};

Uploads::Uploads(Deps deps) : deps_(deps) {}
Uploads::~Uploads() = default;

std::size_t Uploads::open_sessions() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

meta::UploadRow Uploads::row_of(const Session& s) const {
  meta::UploadRow row;
  row.id = s.id;
  row.repo = s.repo.str();
  row.inc = s.inc;
  row.offset_bytes = s.offset_bytes;
  if (s.offset_bytes > 0) row.hash256 = s.hashes.sha256.export_state();
  if (s.hashes.sha512) row.hash512 = s.hashes.sha512->export_state();
  row.created_at = s.created_at;
  row.expires_at = s.expires_at;
  return row;
}

Result<Uploads::SessionPtr> Uploads::create(const oci::RepoName& repo, std::optional<oci::Algorithm> hint) {
  BERTH_TRYV(deps_.space.check_upload());
  const std::int64_t now = deps_.clock.now_ms();
  const std::uint64_t inc = deps_.random.u64() >> 1;  // 63 bits: the database keeps signed integers
  auto session = std::make_shared<Session>(deps_.random.hex(16), repo, inc, deps_.blobs.begin(inc));
  session->created_at = now;
  session->expires_at = now + deps_.limits.session_idle_ms;
  if (hint == oci::Algorithm::sha512) session->hashes.sha512.emplace();
  const std::lock_guard lock(mutex_);
  std::size_t& of_repo = per_repo_[repo.str()];
  if (sessions_.size() >= deps_.limits.sessions_max || of_repo >= deps_.limits.sessions_per_repo_max) {
    return fail(Errc::too_many_requests, "too many open uploads; finish or cancel some");
  }
  ++of_repo;
  sessions_.emplace(session->id, session);
  return session;
}

void Uploads::forget(const Session& session) {
  const std::lock_guard lock(mutex_);
  if (sessions_.erase(session.id) == 0) return;
  const auto counter = per_repo_.find(session.repo.str());
  if (counter != per_repo_.end() && --counter->second == 0) per_repo_.erase(counter);
}

Uploads::SessionPtr Uploads::lookup(const UploadKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(key.id);
  return found != sessions_.end() && found->second->repo == key.repo ? found->second : nullptr;
}

io::Task<Result<UploadState>> Uploads::start(oci::RepoName repo, std::optional<oci::Algorithm> hint) {
  BERTH_CO_TRY(const auto session, create(repo, hint));
  // Nobody waits for this row: until bytes are confirmed the session promises nothing across a restart.
  deps_.store.write_later([row = row_of(*session)](sql::Connection& db) { return meta::save_upload(db, row); });
  co_return UploadState{session->id, 0};
}

/// The session in memory; else the one an earlier process left behind; else the tombstone of a finished one.
io::Task<Result<Uploads::Found>> Uploads::find(UploadKey key) {
  if (auto session = lookup(key)) co_return Found{session, {}};
  BERTH_CO_TRY(const auto row, stored(key));
  if (row.state == meta::kUploadCommitted) co_return Found{nullptr, row.digest};
  auto resumed = co_await io::offload(deps_.disk, [this, row] { return resume(row); });
  // While the file was read the session may have ended: whoever ends one changes its row before leaving the map.
  auto now = stored(key);
  if (resumed && (!now || now->state != meta::kUploadOpen)) {
    const auto guard = co_await (*resumed)->lock.lock();
    (*resumed)->closed = true;
    forget(**resumed);
  }
  if (!now) co_return fail(std::move(now).error());
  if (now->state == meta::kUploadCommitted) co_return Found{nullptr, now->digest};
  BERTH_CO_TRY(auto session, std::move(resumed));
  co_return Found{std::move(session), {}};
}

/// The row of a session or tombstone that has not expired. Errors: upload_unknown.
Result<meta::UploadRow> Uploads::stored(const UploadKey& key) {
  BERTH_TRY(auto row, deps_.store.peek([&](sql::Connection& db) { return meta::find_upload(db, key.id); }));
  const bool usable = row && row->repo == key.repo.str() && row->state != meta::kUploadDiscarded &&
                      row->expires_at >= deps_.clock.now_ms();
  if (!usable) return fail(Errc::upload_unknown, "no such upload: it was finished, cancelled, or has expired");
  return *std::move(row);
}

/// Rebuilds a session from its row and its file. The row may lag behind the file: bytes reach the file first, and what
/// is there was written in order, so the hash simply goes on over the rest.
Result<Uploads::SessionPtr> Uploads::resume(const meta::UploadRow& row) {
  BERTH_TRY(auto repo, oci::RepoName::parse(row.repo));
  auto session = std::make_shared<Session>(row.id, std::move(repo), row.inc, deps_.blobs.begin(row.inc));
  session->created_at = row.created_at;
  session->expires_at = row.expires_at;
  std::uint64_t from = 0;
  if (auto saved = crypto::Sha256::import_state(row.hash256)) {
    session->hashes.sha256 = *saved;
    from = row.offset_bytes;
  }
  if (!row.hash512.empty()) {
    session->hashes.sha512 = crypto::Sha512::import_state(row.hash512);
    if (!session->hashes.sha512) return fail(Errc::upload_unknown, "the upload cannot be resumed", "bad sha512 state");
  }
  const auto size = deps_.files.rehash_staged(row.inc, from, session->hashes);
  if (!size && (size.error().code == Errc::file_unknown || size.error().code == Errc::size_invalid)) {
    return fail(Errc::upload_unknown, "the upload cannot be resumed; start it again", size.error().cause);
  }
  BERTH_TRY(session->offset_bytes, size);
  const std::lock_guard lock(mutex_);
  const auto [at, inserted] = sessions_.emplace(session->id, session);
  if (inserted) ++per_repo_[session->repo.str()];
  return at->second;  // another request may have been first
}

io::Task<Result<UploadState>> Uploads::status(UploadKey key) {
  BERTH_CO_TRY(const Found found, co_await find(key));
  if (!found.session) co_return fail(Errc::upload_unknown, "the upload is already finished");
  const auto guard = co_await found.session->lock.lock();
  if (found.session->closed) co_return fail(Errc::upload_unknown, "no such upload");
  co_return UploadState{key.id, found.session->offset_bytes};
}

io::Task<Result<void>> Uploads::cancel(UploadKey key) {
  BERTH_CO_TRY(const Found found, co_await find(key));
  if (!found.session) co_return fail(Errc::upload_unknown, "the upload is already finished");
  const auto guard = co_await found.session->lock.lock();
  if (found.session->closed) co_return fail(Errc::upload_unknown, "no such upload");
  co_return co_await discard(found.session);
}

/// Ends the session and removes its bytes. The lock is held by the caller.
io::Task<Result<void>> Uploads::discard(SessionPtr session) {
  // A commit whose sync failed may count after all once the log is read again: its bytes stay until a start decides.
  if (deps_.store.outcome_unknown()) co_return fail(Errc::unavailable, "the registry's disk failed");
  session->closed = true;
  // The row goes first: nobody resumes what is about to lose its bytes, and a cancelled session stays cancelled after a
  // kill. If it cannot go the bytes go all the same; a session without bytes is refused when it is resumed.
  auto forgotten =
      co_await deps_.store.write([id = session->id](sql::Connection& db) { return meta::forget_upload(db, id); },
                                 {.ack = meta::Ack::process, .space = meta::Space::reclaim});
  forget(*session);
  if (deps_.store.outcome_unknown()) co_return forgotten;
  const auto removed = co_await deps_.blobs.discard(session->inc);
  if (!removed) deps_.log.warn("upload.discard_failed", {f("err", removed.error().cause)});
  co_return forgotten;
}

io::Task<Result<UploadState>> Uploads::append(UploadKey key, Chunk chunk, io::ByteSource& body) {
  BERTH_CO_TRY(const Found found, co_await find(key));
  if (!found.session) co_return fail(Errc::upload_unknown, "the upload is already finished");
  const SessionPtr session = found.session;
  const auto guard = co_await session->lock.lock();
  if (session->closed) co_return fail(Errc::upload_unknown, "no such upload");
  const std::uint64_t before = session->offset_bytes;
  auto received = co_await receive(session, chunk, body);
  if (session->offset_bytes != before) {
    session->expires_at = deps_.clock.now_ms() + deps_.limits.session_idle_ms;
    // Confirmed bytes survive a kill of the process: the row is with the operating system before the 202 leaves.
    auto saved =
        co_await deps_.store.write([row = row_of(*session)](sql::Connection& db) { return meta::save_upload(db, row); },
                                   {.ack = meta::Ack::process});
    if (received && !saved) received = std::move(saved);
  }
  if (!received) co_return fail(std::move(received).error());
  co_return UploadState{session->id, session->offset_bytes};
}

/// U5: the chunk must continue the session exactly. Checked before a byte is read.
io::Task<Result<void>> Uploads::receive(SessionPtr session, Chunk chunk, io::ByteSource& body) {
  std::optional<std::uint64_t> expected = chunk.declared_length;
  if (chunk.kind != Chunk::Kind::rest) {
    const bool continues =
        chunk.kind == Chunk::Kind::ranged && chunk.first == session->offset_bytes && chunk.last >= chunk.first;
    if (!continues) {
      co_return fail(
          Error(Errc::upload_range, "the chunk does not continue the upload").with_number(session->offset_bytes));
    }
    const std::uint64_t length = chunk.last - chunk.first + 1;
    if (expected && *expected != length) {
      co_return fail(Errc::size_invalid, "Content-Range and Content-Length disagree");
    }
    expected = length;
  }
  if (expected.value_or(1) == 0) co_return Result<void>{};
  BERTH_CO_TRYV(deps_.space.check_upload(expected.value_or(0)));
  // No more than a stretch at a time: what a client announces and never sends must not fill the disk (S1).
  const std::uint64_t ahead = std::min<std::uint64_t>(expected.value_or(0), kReserveMax);
  if (ahead > 0) BERTH_CO_TRYV(co_await session->staged->reserve(session->offset_bytes + ahead));
  co_return co_await stream_body(session, expected, body);
}

/// Two buffers: one fills from the socket while the other is hashed and written on the disk pool.
io::Task<Result<void>> Uploads::stream_body(SessionPtr session, std::optional<std::uint64_t> expected,
                                            io::ByteSource& body) {
  std::array<std::vector<std::byte>, 2> buffers;
  std::size_t capacity = std::clamp<std::uint64_t>(expected.value_or(kBufferMin), 1, kBufferMax);
  io::Ticket<void> writing;
  std::uint64_t writing_bytes = 0;
  std::uint64_t received = 0;
  Result<void> result;
  for (std::size_t turn = 0;; turn ^= 1) {
    std::vector<std::byte>& buffer = buffers[turn];
    if (buffer.size() < capacity) buffer.resize(capacity);
    Filled filled = co_await fill(body, buffer);
    std::size_t got = filled.bytes;
    result = std::move(filled.status);
    received += got;
    if (expected && received > *expected) {
      result = fail(Errc::size_invalid, "the body is longer than declared");
      got = 0;
    }
    if (writing.pending()) {
      auto written = co_await writing.get();
      if (!written) {
        result = std::move(written);
        break;
      }
      session->offset_bytes += writing_bytes;
    }
    if (got == 0) break;
    writing_bytes = got;
    writing = session->staged->append(session->offset_bytes, std::span(buffer).first(got), session->hashes);
    if (!result || got < buffer.size()) break;
    capacity = kBufferMax;
  }
  if (writing.pending()) {
    auto written = co_await writing.get();
    if (written) {
      session->offset_bytes += writing_bytes;
    } else {
      result = std::move(written);
    }
  }
  const bool undefined_tail =
      !result && (result.error().code == Errc::no_space || result.error().code == Errc::io_failed);
  if (undefined_tail || (!result && expected.value_or(0) > received)) {
    // Back to the last good byte, and what was reserved beyond it goes back too. Without a defined end it is over.
    const auto cut = co_await session->staged->truncate(session->offset_bytes);
    if (!cut && undefined_tail) (void)co_await discard(session);
  }
  if (result && expected && received < *expected)
    result = fail(Errc::size_invalid, "the body is shorter than declared");
  co_return result;
}

io::Task<Result<oci::Digest>> Uploads::digest_of_session(SessionPtr session, oci::Algorithm algorithm) {
  if (algorithm == oci::Algorithm::sha256) co_return oci::Digest::sha256(session->hashes.sha256.sum());
  if (session->hashes.sha512) co_return oci::Digest::sha512(session->hashes.sha512->sum());
  // Nobody said sha512 while the bytes came in: read them once more (U8).
  BERTH_CO_TRY(const auto sum, co_await session->staged->sha512(session->offset_bytes));
  co_return oci::Digest::sha512(sum);
}

io::Task<Result<void>> Uploads::finish(UploadKey key, oci::Digest digest, Chunk chunk, io::ByteSource& body) {
  BERTH_CO_TRY(const Found found, co_await find(key));
  if (!found.session) {
    if (found.committed == digest) co_return Result<void>{};  // U10
    co_return fail(Errc::upload_unknown, "the upload was finished under another digest");
  }
  const SessionPtr session = found.session;
  const auto guard = co_await session->lock.lock();
  if (session->committed == digest) co_return Result<void>{};  // U10: the first of two got here before
  if (session->closed) co_return fail(Errc::upload_unknown, "no such upload");
  if (session->offset_bytes == 0 && digest.algorithm() == oci::Algorithm::sha512 && !session->hashes.sha512) {
    session->hashes.sha512.emplace();
  }
  BERTH_CO_TRYV(co_await receive(session, chunk, body));
  co_return co_await commit(session, digest);
}

io::Task<Result<void>> Uploads::put_whole(oci::RepoName repo, oci::Digest digest, std::optional<std::uint64_t> length,
                                          io::ByteSource& body) {
  BERTH_CO_TRY(const auto session, create(repo, digest.algorithm()));
  const auto guard = co_await session->lock.lock();
  auto done = co_await receive(session, Chunk{.declared_length = length}, body);
  if (done) done = co_await commit(session, digest);
  // No session was announced, so nobody could resume it.
  if (!done && !session->closed) (void)co_await discard(session);
  co_return done;
}

/// Verifies, makes durable, records, places: the order is the promise (docs/durability.md).
io::Task<Result<void>> Uploads::commit(SessionPtr session, oci::Digest digest) {
  BERTH_CO_TRY(const oci::Digest actual, co_await digest_of_session(session, digest.algorithm()));
  if (actual != digest) {
    (void)co_await discard(session);
    co_return fail(Errc::digest_mismatch, "the content does not match the digest; it hashes to " + actual.str());
  }
  auto sealed = co_await session->staged->seal(session->offset_bytes);
  if (!sealed) {
    // After a failed sync the kernel may have dropped the bytes: nothing of this file can be trusted.
    if (sealed.error().code != Errc::unavailable) (void)co_await discard(session);
    co_return fail(std::move(sealed).error());
  }
  meta::UploadRow row = row_of(*session);
  row.digest = digest;
  row.expires_at = deps_.clock.now_ms() + deps_.limits.tombstone_ms;
  BERTH_CO_TRY(
      const meta::CommittedBlob kept,
      co_await deps_.store.write(
          [row, repo = session->repo, digest, at = stamp()](sql::Connection& db) -> Result<meta::CommittedBlob> {
            BERTH_TRY(auto out, meta::commit_blob(db, repo, {digest, row.offset_bytes, row.inc}, at));
            BERTH_TRYV(meta::commit_upload(db, row, /*placed=*/out.kept_existing));
            return out;
          },
          {.needs_staging_sync = true}));
  session->closed = true;
  session->committed = digest;
  forget(*session);
  // Committed. A failure from here on is housekeeping's: the bytes are readable under their staged name.
  const auto placed = kept.kept_existing ? co_await deps_.blobs.discard(session->inc)
                                         : co_await deps_.blobs.place({digest, session->inc});
  if (!placed) deps_.log.warn("blob.place_failed", {f("digest", digest.str()), f("err", placed.error().cause)});
  co_return Result<void>{};
}

io::Task<Result<bool>> Uploads::mount(oci::RepoName target, std::optional<oci::RepoName> source, oci::Digest digest) {
  BERTH_CO_TRYV(deps_.space.check_metadata());
  co_return co_await deps_.store.write(
      [=, at = stamp()](sql::Connection& db) { return meta::mount_blob(db, target, source, digest, at); });
}

/// E9. Claims the row, unlinks, then forgets it: a file that cannot be unlinked is tried again in the next round.
Result<bool> Uploads::remove_expired(const meta::UploadRow& row) {
  constexpr meta::WriteOptions kOptions{.ack = meta::Ack::process, .space = meta::Space::reclaim};
  if (row.state != meta::kUploadCommitted) {
    const std::int64_t now = deps_.clock.now_ms();
    BERTH_TRY(const bool claimed,
              deps_.store.write_blocking([&](sql::Connection& db) { return meta::discard_expired(db, row.id, now); },
                                         kOptions));
    if (!claimed) return false;
    BERTH_TRYV(deps_.files.remove_staged(row.inc));
  }
  BERTH_TRYV(
      deps_.store.write_blocking([&](sql::Connection& db) { return meta::forget_upload(db, row.id); }, kOptions));
  return true;
}

Result<std::size_t> Uploads::expire(std::size_t limit) {
  if (deps_.store.outcome_unknown()) return 0;
  close_idle_sessions(limit);
  const std::int64_t now = deps_.clock.now_ms();
  BERTH_TRY(const auto rows, deps_.store.peek([&](sql::Connection& db) {
    return meta::list_expired(db, now, static_cast<std::int64_t>(limit));
  }));
  std::size_t gone = 0;
  for (const meta::UploadRow& row : rows) {
    if (is_open(row.id)) continue;  // in use
    BERTH_TRY(const bool removed, remove_expired(row));
    gone += removed ? 1 : 0;
  }
  return gone;
}

/// Sessions nobody works on leave memory when they expire; their rows are then removed like those of an earlier
/// process.
void Uploads::close_idle_sessions(std::size_t limit) {
  const std::int64_t now = deps_.clock.now_ms();
  std::vector<SessionPtr> idle;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, session] : sessions_) {
      if (session->expires_at < now && idle.size() < limit) idle.push_back(session);
    }
  }
  for (const SessionPtr& session : idle) {
    io::AsyncMutex::Guard guard;
    if (!session->lock.try_lock(guard) || session->expires_at >= now) continue;
    session->closed = true;
    forget(*session);
  }
}

bool Uploads::is_open(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return sessions_.contains(id);
}

}  // namespace berth::registry
