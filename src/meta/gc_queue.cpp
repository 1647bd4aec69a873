#include "meta/gc_queue.h"

#include <utility>

namespace berth::meta {

namespace {

constexpr sql::Sql kQueue = R"(
  INSERT INTO gc_queue(kind, repo_id, obj_id, due, why)
  VALUES($1, $2, $3, $4, $5)
  ON CONFLICT(kind, repo_id, obj_id) DO UPDATE SET due = excluded.due, why = excluded.why
  WHERE excluded.due > gc_queue.due)";

constexpr sql::Sql kRequeue = R"(
  INSERT INTO gc_queue(kind, repo_id, obj_id, due, why)
  VALUES($1, $2, $3, $4, $5)
  ON CONFLICT(kind, repo_id, obj_id) DO UPDATE SET due = excluded.due, why = excluded.why)";

constexpr sql::Sql kDrop = R"(
  DELETE FROM gc_queue
  WHERE kind = $1 AND repo_id = $2 AND obj_id = $3)";

constexpr sql::Sql kExtend = R"(
  UPDATE gc_queue
  SET due = $4
  WHERE kind = $1 AND repo_id = $2 AND obj_id = $3 AND due < $4)";

}  // namespace

Result<void> queue_candidate(sql::Connection& db, Candidate kind, RepoId repo, std::int64_t object, std::int64_t due_ms,
                             Cause why) {
  BERTH_TRYV(db.execute(kQueue, {std::to_underlying(kind), repo, object, due_ms, std::to_underlying(why)}));
  return {};
}

Result<void> requeue_candidate(sql::Connection& db, Candidate kind, RepoId repo, std::int64_t object,
                               std::int64_t due_ms, Cause why) {
  BERTH_TRYV(db.execute(kRequeue, {std::to_underlying(kind), repo, object, due_ms, std::to_underlying(why)}));
  return {};
}

Result<void> drop_candidate(sql::Connection& db, Candidate kind, RepoId repo, std::int64_t object) {
  BERTH_TRYV(db.execute(kDrop, {std::to_underlying(kind), repo, object}));
  return {};
}

Result<void> extend_lease(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t now_ms) {
  BERTH_TRYV(db.execute(kExtend, {std::to_underlying(Candidate::link), repo, blob, now_ms + 2 * kLeaseMs}));
  return {};
}

}  // namespace berth::meta
