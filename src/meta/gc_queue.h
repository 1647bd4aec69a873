#pragma once
// Garbage bookkeeping: every event that can create garbage puts a candidate here in its own transaction, with the time
// before which it may not be collected. Nothing is counted, so nothing can drift; a collector later reviews candidates
// that are due. Which event queues what is the table E1-E10 of docs/durability.md.

#include "meta/ids.h"

#include <optional>

namespace berth::meta {

enum class Candidate : std::int64_t { link = 1, blob = 2, manifest_orphan = 3, manifest_purge = 4, repo = 6 };
/// Why it was queued, for whoever reads the queue: the E-number of the event.
enum class Cause : std::int64_t {
  linked = 1,
  manifest_deleted = 4,
  blob_deleted = 6,
  link_removed = 8,
  repo_deleted = 10
};

inline constexpr std::int64_t kLinkGraceMs = 24LL * 60 * 60 * 1000;  // G: an unreferenced link lives this long
inline constexpr std::int64_t kLeaseMs = 60LL * 60 * 1000;           // L: a link seen stays usable this long
inline constexpr std::int64_t kUndoMs = 7LL * 24 * 60 * 60 * 1000;   // deletes can be undone this long

/// Queues a candidate; one already queued gets the later due time.
Result<void> queue_candidate(sql::Connection& db, Candidate kind, RepoId repo, std::int64_t object, std::int64_t due_ms,
                             Cause why);
/// Queues a candidate with exactly this due time, earlier or later than before (E6).
Result<void> requeue_candidate(sql::Connection& db, Candidate kind, RepoId repo, std::int64_t object,
                               std::int64_t due_ms, Cause why);
Result<void> drop_candidate(sql::Connection& db, Candidate kind, RepoId repo, std::int64_t object);
/// E3: a link that is about to be answered positively stays for at least L more.
Result<void> extend_lease(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t now_ms);

}  // namespace berth::meta
