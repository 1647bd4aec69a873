#include "io/pause.h"
#include "meta/blobs.h"
#include "registry/upload_session.h"

namespace berth::registry {

namespace {

constexpr std::int64_t kStatusTurnMs = 20;
constexpr std::uint64_t kUnsavedBytesMax = 16 * 1024 * 1024;  // hashed again in some 10 ms after a restart
constexpr std::int64_t kUnsavedMsMax = 60 * 1000;             // by which a session may then expire too early

}  // namespace

Uploads::Uploads(Deps deps) : deps_(deps) {}
Uploads::~Uploads() = default;

std::size_t Uploads::open_sessions() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

meta::UploadRow Uploads::row_of(const Session& s) const {
  meta::UploadRow row = identity_of(s);
  row.offset_bytes = s.offset_bytes;
  if (s.offset_bytes > 0) row.hash256 = s.hashes.sha256.export_state();
  if (s.hashes.sha512) row.hash512 = s.hashes.sha512->export_state();
  row.expires_at = s.expires_at;
  return row;
}

/// Which session it is, and which bytes are its.
meta::UploadRow Uploads::identity_of(const Session& session) const {
  meta::UploadRow row;
  row.id = session.id;
  row.repo = session.repo.str();
  row.subject = session.uploader.name;
  row.inc = session.inc;
  row.created_at = session.created_at;
  return row;
}

Result<Uploads::SessionPtr> Uploads::create(const oci::RepoName& repo, std::optional<oci::Algorithm> hint, Known known,
                                            Uploader uploader) {
  BERTH_TRYV(deps_.space.check_upload());
  BERTH_TRYV(check_storage());
  const std::int64_t now = deps_.clock.now_ms();
  const std::uint64_t inc = deps_.random.u64() >> 1;  // 63 bits: the database keeps signed integers
  auto session =
      std::make_shared<Session>(deps_.random.hex(16), repo, inc, deps_.blobs.begin(inc), known, std::move(uploader));
  session->created_at = now;
  session->expires_at = now + deps_.limits.session_idle_ms;
  if (hint == oci::Algorithm::sha512) session->hashes.sha512.emplace();
  const std::lock_guard lock(mutex_);
  const auto of_repo = per_repo_.find(repo.str());
  if (sessions_.size() >= deps_.limits.sessions_max ||
      (of_repo != per_repo_.end() && of_repo->second >= deps_.limits.sessions_per_repo_max)) {
    return fail(Errc::too_many_requests, "too many open uploads; finish or cancel some");
  }
  const std::size_t subject_max = deps_.limits.sessions_per_subject_max;
  const auto of_subject = per_subject_.find(session->uploader.counts_as);
  if (subject_max != 0 && of_subject != per_subject_.end() && of_subject->second >= subject_max) {
    return fail(Errc::too_many_requests, "you have as many open uploads as limits.subject_uploads allows, " +
                                             std::to_string(subject_max) + "; finish or cancel some");
  }
  return insert(std::move(session));
}

/// The session under its id: this one, or the one that was there before. mutex_ is held.
Uploads::SessionPtr Uploads::insert(SessionPtr session) {
  const auto [at, inserted] = sessions_.emplace(session->id, session);
  if (inserted) {
    ++per_repo_[session->repo.str()];
    if (!session->uploader.counts_as.empty()) ++per_subject_[session->uploader.counts_as];
  }
  return at->second;
}

/// After a failed sync nothing can be committed until a restart: bytes taken now would only pile up.
Result<void> Uploads::check_storage() const {
  if (!deps_.store.outcome_unknown()) return {};
  return fail(Errc::unavailable, "the registry's disk failed: it serves reads only until it is restarted");
}

void Uploads::forget(const Session& session) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session.id);
  if (found == sessions_.end() || found->second.get() != &session) return;  // not another one of the same id
  sessions_.erase(found);
  const auto count_down = [](auto& counters, const std::string& key) {
    const auto counter = counters.find(key);
    if (counter != counters.end() && --counter->second == 0) counters.erase(counter);
  };
  count_down(per_repo_, session.repo.str());
  count_down(per_subject_, session.uploader.counts_as);
}

Uploads::SessionPtr Uploads::lookup(const UploadKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(key.id);
  const bool is_theirs =
      found != sessions_.end() && found->second->repo == key.repo && found->second->uploader.name == key.uploader.name;
  return is_theirs ? found->second : nullptr;
}

io::Task<Result<UploadState>> Uploads::start(oci::RepoName repo, std::optional<oci::Algorithm> hint,
                                             Uploader uploader) {
  BERTH_CO_TRY(const auto session, create(repo, hint, Known::to_a_client, std::move(uploader)));
  // Nobody waits for this row: until bytes are confirmed the session promises nothing across a restart.
  session->saved_at = session->created_at;
  deps_.store.write_later([row = row_of(*session)](sql::Connection& db) { return meta::save_upload(db, row); },
                          [session] { session->has_row = true; });
  co_return UploadState{session->id, 0};
}

/// The session in memory; else the one an earlier process left behind; else the tombstone of a finished one.
io::Task<Result<Uploads::Found>> Uploads::find(UploadKey key) {
  if (auto session = lookup(key)) co_return Found{session, {}};
  BERTH_CO_TRY(const auto row, stored(key));
  if (row.state == meta::kUploadCommitted) co_return Found{nullptr, row.digest};
  const auto resumed = co_await io::offload(deps_.disk, [this, row, key] { return resume(row, key.uploader); });
  co_return join(key, resumed);
}

/// Puts a session that was rebuilt where others find it, unless it has ended while its file was read: whoever ends one
/// changes its row before leaving the map. The lock is held until that is known, so that nobody works on a ghost.
Result<Uploads::Found> Uploads::join(const UploadKey& key, const Result<SessionPtr>& resumed) {
  SessionPtr session;
  io::AsyncMutex::Guard guard;
  if (resumed) {
    (*resumed)->lock.try_lock(guard);  // new, and nobody else's
    const std::lock_guard lock(mutex_);
    session = insert(*resumed);
  }
  auto now = stored(key);
  const bool is_over = !now || now->state != meta::kUploadOpen;
  if (session && session == *resumed && is_over) {
    if (now && now->state == meta::kUploadCommitted)
      session->committed = now->digest;  // U10, for who waits for the lock
    session->closed = true;
    forget(*session);
  }
  if (!now) return fail(std::move(now).error());
  if (is_over) return Found{nullptr, now->digest};
  if (!resumed) return fail(Error(resumed.error()));
  return Found{std::move(session), {}};
}

/// The row of a session or tombstone that has not expired. Errors: upload_unknown.
Result<meta::UploadRow> Uploads::stored(const UploadKey& key) {
  BERTH_TRY(auto row, deps_.store.peek([&](sql::Connection& db) { return meta::find_upload(db, key.id); }));
  const bool usable = row && row->repo == key.repo.str() && row->subject == key.uploader.name &&
                      row->state != meta::kUploadDiscarded && row->expires_at >= deps_.clock.now_ms();
  if (!usable) return fail(Errc::upload_unknown, "no such upload: it was finished, cancelled, or has expired");
  return *std::move(row);
}

/// Rebuilds a session from its row and its file. The row may lag behind the file: bytes reach the file first, and what
/// is there was written in order, so the hash simply goes on over the rest.
Result<Uploads::SessionPtr> Uploads::resume(const meta::UploadRow& row, const Uploader& uploader) {
  BERTH_TRY(auto repo, oci::RepoName::parse(row.repo));
  auto session = std::make_shared<Session>(row.id, std::move(repo), row.inc, deps_.blobs.begin(row.inc),
                                           Known::to_a_client, uploader);
  session->created_at = row.created_at;
  session->expires_at = row.expires_at;
  session->has_row = true;
  std::uint64_t from = 0;
  if (auto saved = crypto::Sha256::import_state(row.hash256)) {
    session->hashes.sha256 = *saved;
    from = row.offset_bytes;
  }
  if (!row.hash512.empty()) {
    session->hashes.sha512 = crypto::Sha512::import_state(row.hash512);
    if (!session->hashes.sha512) return fail(Errc::upload_unknown, "the upload cannot be resumed", "bad sha512 state");
  }
  const auto size = deps_.files.rehash_staged(row.inc, from, session->hashes, nullptr);
  if (!size && (size.error().code == Errc::file_unknown || size.error().code == Errc::size_invalid)) {
    return fail(Errc::upload_unknown, "the upload cannot be resumed; start it again", size.error().cause);
  }
  BERTH_TRY(session->offset_bytes, size);
  return session;
}

io::Task<Result<UploadState>> Uploads::status(UploadKey key) {
  BERTH_CO_TRY(const Found found, co_await find(key));
  if (!found.session) co_return fail(Errc::upload_unknown, "the upload is already finished");
  const SessionPtr session = found.session;
  io::AsyncMutex::Guard guard;
  for (std::int64_t ms = 0; ms < deps_.limits.status_wait_ms; ms += kStatusTurnMs) {
    if (session->lock.try_lock(guard)) break;
    co_await io::pause(kStatusTurnMs);
  }
  if (session->closed) co_return fail(Errc::upload_unknown, "no such upload");
  co_return UploadState{key.id, session->offset_bytes};
}

io::Task<Result<void>> Uploads::cancel(UploadKey key) {
  BERTH_CO_TRY(const Found found, co_await find(key));
  if (!found.session) co_return fail(Errc::upload_unknown, "the upload is already finished");
  const SessionPtr session = found.session;
  io::AsyncMutex::Guard guard;
  if (!session->lock.try_lock(guard)) co_return co_await abandon(session);
  if (session->closed) co_return fail(Errc::upload_unknown, "no such upload");
  co_return co_await discard(session);
}

/// Ends a session that a request is still writing to, perhaps one whose client is gone without a word. The row decides
/// against a commit under way; the writer stops at its next buffer, and housekeeping removes the bytes.
io::Task<Result<void>> Uploads::abandon(SessionPtr session) {
  BERTH_CO_TRY(const bool ended,
               co_await deps_.store.write(
                   [row = identity_of(*session)](sql::Connection& db) { return meta::discard_upload(db, row); },
                   {.ack = meta::Ack::process, .space = meta::Space::reclaim, .touches = meta::Touches::nothing()}));
  if (!ended) co_return fail(Errc::upload_unknown, "the upload is already finished");
  session->closed = true;
  forget(*session);
  co_return Result<void>{};
}

/// Ends the session and removes its bytes. The lock is held by the caller.
io::Task<Result<void>> Uploads::discard(SessionPtr session) {
  // A commit whose sync failed may count after all once the log is read again: its bytes stay until a start decides.
  if (deps_.store.outcome_unknown()) co_return fail(Errc::unavailable, "the registry's disk failed");
  session->closed = true;
  // The row first: nobody commits what is about to lose its bytes, and a cancelled session stays cancelled after a
  // kill. If that fails the bytes go all the same; a session without bytes is refused when it is resumed. It leaves the
  // map last, so that until then everybody finds it closed. What cannot be removed is housekeeping's, by the row.
  const meta::WriteOptions options{
      .ack = meta::Ack::process, .space = meta::Space::reclaim, .touches = meta::Touches::nothing()};
  const auto ended = co_await deps_.store.write(
      [row = identity_of(*session)](sql::Connection& db) { return meta::discard_upload(db, row); }, options);
  if (!deps_.store.outcome_unknown()) {
    const auto removed = co_await deps_.blobs.discard(session->inc);
    if (!removed) deps_.log.warn("upload.discard_failed", {f("err", removed.error().cause)});
    if (removed && ended) {
      deps_.store.write_later([id = session->id](sql::Connection& db) { return meta::forget_upload(db, id); });
    }
  }
  forget(*session);
  if (!ended) co_return fail(Error(ended.error()));
  co_return Result<void>{};
}

/// Confirmed bytes survive a kill of the process. They are with the operating system already, and so is the row that
/// leads to them, unless the session is very young: only then the 202 waits for it. How far the row has got only saves
/// work: whoever resumes the session hashes the file from there on.
io::Task<Result<void>> Uploads::save_progress(SessionPtr session) {
  const std::int64_t now = deps_.clock.now_ms();
  const bool is_fresh =
      session->offset_bytes - session->saved_bytes < kUnsavedBytesMax && now - session->saved_at < kUnsavedMsMax;
  if (session->has_row && is_fresh) co_return Result<void>{};
  session->saved_bytes = session->offset_bytes;
  session->saved_at = now;
  auto save = [session, row = row_of(*session)](sql::Connection& db) {
    return session->closed ? Result<void>() : meta::save_upload(db, row);  // its row may be gone already
  };
  if (session->has_row) {
    deps_.store.write_later(std::move(save));
    co_return Result<void>{};
  }
  auto saved =
      co_await deps_.store.write(std::move(save), {.ack = meta::Ack::process, .touches = meta::Touches::nothing()});
  if (saved) session->has_row = true;
  co_return saved;
}

io::Task<Result<UploadState>> Uploads::append(UploadKey key, Chunk chunk, io::ByteSource& body) {
  BERTH_CO_TRY(const Found found, co_await find(key));
  if (!found.session) co_return fail(Errc::upload_unknown, "the upload is already finished");
  const SessionPtr session = found.session;
  const auto guard = co_await session->lock.lock();
  if (session->closed) co_return fail(Errc::upload_unknown, "no such upload");
  BERTH_CO_TRYV(check_storage());
  const std::uint64_t before = session->offset_bytes;
  auto received = co_await receive(session, chunk, body);
  if (session->offset_bytes != before && !session->closed) {
    session->expires_at = deps_.clock.now_ms() + deps_.limits.session_idle_ms;
    auto saved = co_await save_progress(session);
    if (received && !saved) received = std::move(saved);
  }
  co_await rest(session);
  if (received && session->closed) co_return fail(Errc::upload_unknown, "the upload was cancelled");
  if (!received) co_return fail(std::move(received).error());
  co_return UploadState{session->id, session->offset_bytes};
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
  BERTH_CO_TRYV(check_storage());
  auto done = co_await receive(session, chunk, body);
  if (done) done = co_await commit(session, digest);
  co_await rest(session);
  co_return done;
}

/// At the end of a request, still under the lock. One that was cancelled meanwhile may have made its file again after
/// housekeeping removed it.
io::Task<void> Uploads::rest(SessionPtr session) {
  session->staged->rest();
  if (!session->closed || session->committed || deps_.store.outcome_unknown()) co_return;
  const auto removed = co_await deps_.blobs.discard(session->inc);
  if (!removed) deps_.log.warn("upload.discard_failed", {f("err", removed.error().cause)});
}

io::Task<Result<void>> Uploads::put_whole(oci::RepoName repo, oci::Digest digest, std::optional<std::uint64_t> length,
                                          io::ByteSource& body, Uploader uploader) {
  BERTH_CO_TRY(const auto session, create(repo, digest.algorithm(), Known::to_us_alone, std::move(uploader)));
  const auto guard = co_await session->lock.lock();
  auto done = co_await receive(session, Chunk{.declared_length = length}, body);
  if (done) done = co_await commit(session, digest);
  // No session was announced, so nobody could resume it.
  if (!done && !session->closed) (void)co_await discard(session);
  co_return done;
}

io::Task<Result<bool>> Uploads::mount(oci::RepoName target, std::optional<oci::RepoName> source, oci::Digest digest,
                                      Uploader uploader) {
  BERTH_CO_TRYV(deps_.space.check_metadata());
  co_return co_await deps_.store.write(
      [=, at = stamp(uploader)](sql::Connection& db) { return meta::mount_blob(db, target, source, digest, at); },
      {.touches = meta::Touches::repo(target)});
}

Result<std::vector<oci::RepoName>> Uploads::holders(const oci::Digest& digest, std::int64_t limit) {
  return deps_.store.peek([&](sql::Connection& db) { return meta::blob_holders(db, digest, limit); });
}

bool Uploads::is_open(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return sessions_.contains(id);
}

}  // namespace berth::registry
