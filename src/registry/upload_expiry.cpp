// Sessions that nobody goes on with, and tombstones that have done their time (U10, U12, E9).

#include "registry/upload_session.h"

#include <algorithm>

namespace berth::registry {

/// Sessions whose time ends before this are over. On a nearly full disk an upload that came to a stop there must not
/// keep everybody else out for a day.
std::int64_t Uploads::idle_horizon_ms() const {
  const std::int64_t now = deps_.clock.now_ms();
  if (deps_.space.level() == SpaceLevel::fine) return now;
  return now + std::max<std::int64_t>(0, deps_.limits.session_idle_ms - deps_.limits.session_idle_pressed_ms);
}

/// E9. Claims the row, unlinks, then forgets it: a file that cannot be unlinked is tried again in the next round.
Result<bool> Uploads::remove_expired(const meta::UploadRow& row) {
  const meta::WriteOptions options{
      .ack = meta::Ack::process, .space = meta::Space::reclaim, .touches = meta::Touches::nothing()};
  if (row.state == meta::kUploadCommitted) {
    BERTH_TRYV(
        deps_.store.write_blocking([&](sql::Connection& db) { return meta::forget_tombstone(db, row.id); }, options));
    return true;
  }
  const std::int64_t horizon = idle_horizon_ms();
  BERTH_TRY(const bool claimed,
            deps_.store.write_blocking([&](sql::Connection& db) { return meta::discard_expired(db, row.id, horizon); },
                                       options));
  if (!claimed) return false;
  BERTH_TRYV(deps_.files.remove_staged(row.inc));
  BERTH_TRYV(deps_.store.write_blocking([&](sql::Connection& db) { return meta::forget_upload(db, row.id); }, options));
  return true;
}

Result<std::size_t> Uploads::expire(std::size_t limit) {
  if (deps_.store.outcome_unknown()) return 0;
  close_idle_sessions(limit);
  const std::int64_t now = deps_.clock.now_ms();
  BERTH_TRY(const auto rows, deps_.store.peek([&](sql::Connection& db) {
    return meta::list_expired(db, idle_horizon_ms(), now, static_cast<std::int64_t>(limit));
  }));
  std::size_t gone = 0;
  for (const meta::UploadRow& row : rows) {
    if (is_open(row.id)) continue;  // in use
    const auto removed = remove_expired(row);
    // One that cannot be removed must not keep the others.
    if (!removed) deps_.log.warn("upload.expire_failed", {f("id", row.id), f("err", removed.error().cause)});
    gone += removed && *removed ? 1 : 0;
  }
  return gone;
}

/// Sessions nobody works on leave memory when they expire; their rows are then removed like those of an earlier
/// process.
void Uploads::close_idle_sessions(std::size_t limit) {
  const std::int64_t horizon = idle_horizon_ms();
  std::vector<SessionPtr> idle;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, session] : sessions_) {
      if (session->expires_at < horizon && idle.size() < limit) idle.push_back(session);
    }
  }
  for (const SessionPtr& session : idle) {
    io::AsyncMutex::Guard guard;
    if (!session->lock.try_lock(guard) || session->expires_at >= horizon) continue;
    session->closed = true;
    forget(*session);
  }
}

}  // namespace berth::registry
