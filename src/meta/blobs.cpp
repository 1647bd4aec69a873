#include "meta/blobs.h"

#include "meta/gc_queue.h"
#include "meta/repos.h"
#include "meta/usage.h"

namespace berth::meta {

namespace {

constexpr std::int64_t kAbsent = 0;
constexpr std::int64_t kPresent = 1;
constexpr std::int64_t kLinkLive = 1;
constexpr std::int64_t kLinkTrash = 2;
constexpr std::int64_t kLinkReserved = 3;

constexpr sql::Sql kFindLink = R"(
  SELECT r.id, b.id, b.size, b.inc, q.due
  FROM repo r
  JOIN blob b ON b.digest = $2
  JOIN repo_blob l ON l.repo_id = r.id AND l.blob_id = b.id
  LEFT JOIN gc_queue q ON q.kind = 1 AND q.repo_id = r.id AND q.obj_id = b.id
  WHERE r.name = $1 AND r.deleted_at IS NULL AND b.state = 1 AND l.state = 1)";

constexpr sql::Sql kFindBlob = R"(
  SELECT id, state, inc, size
  FROM blob
  WHERE digest = $1)";

constexpr sql::Sql kInsertBlob = R"(
  INSERT INTO blob(digest, size, state, inc, created_at)
  VALUES($1, $2, $3, $4, $5)
  RETURNING id)";

constexpr sql::Sql kReviveBlob = R"(
  UPDATE blob
  SET state = 1, size = $2, inc = $3, created_at = $4, checked_at = 0
  WHERE id = $1)";

constexpr sql::Sql kDoom = R"(
  INSERT INTO doomed(inc, digest, due)
  VALUES($1, $2, $3)
  ON CONFLICT(inc) DO NOTHING)";

constexpr sql::Sql kFindLinkState = R"(
  SELECT state
  FROM repo_blob
  WHERE repo_id = $1 AND blob_id = $2)";

constexpr sql::Sql kPutLink = R"(
  INSERT INTO repo_blob(repo_id, blob_id, state, linked_at, linked_by)
  VALUES($1, $2, $3, $4, $5)
  ON CONFLICT(repo_id, blob_id) DO UPDATE SET state = excluded.state, linked_at = excluded.linked_at, linked_by = excluded.linked_by)";

constexpr sql::Sql kAnyLiveLink = R"(
  SELECT 1
  FROM repo_blob l
  JOIN repo r ON r.id = l.repo_id
  WHERE l.blob_id = $1 AND l.state = 1 AND r.deleted_at IS NULL
  LIMIT 1)";

constexpr sql::Sql kHolders = R"(
  SELECT r.name
  FROM blob b
  JOIN repo_blob l ON l.blob_id = b.id AND l.state = 1
  JOIN repo r ON r.id = l.repo_id
  WHERE b.digest = $1 AND b.state = 1 AND r.deleted_at IS NULL
  LIMIT $2)";

constexpr sql::Sql kBlobReferrers = R"(
  SELECT m.digest
  FROM manifest_blob e
  JOIN manifest m ON m.id = e.manifest_id
  WHERE e.repo_id = $1 AND e.blob_id = $2 AND m.state = 1
  LIMIT $3)";

constexpr sql::Sql kTrashLink = R"(
  UPDATE repo_blob
  SET state = 2
  WHERE repo_id = $1 AND blob_id = $2 AND state = 1)";

constexpr sql::Sql kEdgeTarget = R"(
  SELECT b.id, b.size, b.state, l.state
  FROM blob b
  JOIN repo_blob l ON l.blob_id = b.id AND l.repo_id = $1
  WHERE b.digest = $2)";

constexpr sql::Sql kListBlobs = R"(
  SELECT id, digest, size, inc, state
  FROM blob
  WHERE id > $1
  ORDER BY id
  LIMIT $2)";

constexpr sql::Sql kMarkChecked = R"(
  UPDATE blob
  SET checked_at = $3
  WHERE id = $1 AND inc = $2)";

constexpr sql::Sql kMarkBad = R"(
  UPDATE blob
  SET state = 3, checked_at = $3
  WHERE id = $1 AND inc = $2 AND state = 1)";

constexpr sql::Sql kMarkPresent = R"(
  UPDATE blob
  SET state = 1, checked_at = $3
  WHERE id = $1 AND inc = $2 AND state = 3)";

constexpr sql::Sql kListDoomed = R"(
  SELECT inc, digest
  FROM doomed
  ORDER BY inc
  LIMIT $1)";

constexpr sql::Sql kForgetDoomed = R"(
  DELETE FROM doomed
  WHERE inc = $1)";

std::int64_t as_i64(std::uint64_t v) { return static_cast<std::int64_t>(v); }
std::uint64_t as_u64(std::int64_t v) { return static_cast<std::uint64_t>(v); }

struct Known {
  BlobId id = 0;
  std::int64_t state = kAbsent;
  std::uint64_t inc = 0;
  std::int64_t size = 0;
};

Result<std::optional<Known>> find_blob(sql::Connection& db, const oci::Digest& digest) {
  std::optional<Known> found;
  BERTH_TRYV(db.query(kFindBlob, {digest.storage()}, [&](const sql::Row& row) {
    found = Known{row.int64(0), row.int64(1), as_u64(row.int64(2)), row.int64(3)};
  }));
  return found;
}

/// Makes the link live, whatever it was, and queues it as a candidate unless it was live before.
Result<void> make_link(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t size, const Stamp& stamp) {
  std::int64_t before = 0;
  BERTH_TRYV(db.query(kFindLinkState, {repo, blob}, [&](const sql::Row& row) { before = row.int64(0); }));
  if (before == kLinkLive) return extend_lease(db, repo, blob, stamp.at_ms);
  BERTH_TRYV(db.execute(kPutLink, {repo, blob, kLinkLive, stamp.at_ms, bind_optional(stamp.principal)}));
  BERTH_TRYV(charge_link(db, repo, blob, size));
  return requeue_candidate(db, Candidate::link, repo, blob, stamp.at_ms + kLinkGraceMs, Cause::linked);
}

}  // namespace

Result<std::optional<Link>> find_link(sql::Connection& db, const oci::RepoName& repo, const oci::Digest& digest) {
  std::optional<Link> link;
  BERTH_TRYV(db.query(kFindLink, {std::string_view(repo.str()), digest.storage()}, [&](const sql::Row& row) {
    link = Link{row.int64(0), row.int64(1), as_u64(row.int64(2)), as_u64(row.int64(3)), std::nullopt};
    if (!row.is_null(4)) link->candidate_due = row.int64(4);
  }));
  return link;
}

Result<CommittedBlob> commit_blob(sql::Connection& db, const oci::RepoName& repo, const NewBlob& blob,
                                  const Stamp& stamp) {
  BERTH_TRY(const RepoId repo_id, ensure_repo(db, repo, stamp));
  BERTH_TRY(const auto known, find_blob(db, blob.digest));
  const std::int64_t size = as_i64(blob.size_bytes);
  CommittedBlob out{blob.inc, false};
  BlobId id = 0;
  if (!known) {
    BERTH_TRYV(db.query(kInsertBlob, {blob.digest.storage(), size, kPresent, as_i64(blob.inc), stamp.at_ms},
                        [&](const sql::Row& row) { id = row.int64(0); }));
  } else if (known->state == kPresent && known->inc != blob.damaged_inc) {
    id = known->id;
    out = {known->inc, true};
  } else {
    id = known->id;
    if (known->state != kAbsent)
      BERTH_TRYV(db.execute(kDoom, {as_i64(known->inc), blob.digest.storage(), stamp.at_ms}));
    BERTH_TRYV(db.execute(kReviveBlob, {id, size, as_i64(blob.inc), stamp.at_ms}));
  }
  BERTH_TRYV(make_link(db, repo_id, id, size, stamp));
  return out;
}

Result<std::optional<StoredBlob>> find_stored(sql::Connection& db, const oci::Digest& digest) {
  BERTH_TRY(const auto known, find_blob(db, digest));
  if (!known || known->state != kPresent) return std::nullopt;
  return StoredBlob{known->inc, as_u64(known->size)};
}

Result<bool> mount_blob(sql::Connection& db, const oci::RepoName& target, const std::optional<oci::RepoName>& source,
                        const oci::Digest& digest, const Stamp& stamp) {
  BERTH_TRY(const auto known, find_blob(db, digest));
  if (!known || known->state != kPresent) return false;
  bool found = false;
  if (source) {
    BERTH_TRY(const auto link, find_link(db, *source, digest));
    found = link.has_value();
  }
  if (!found) {
    BERTH_TRY(const auto link, find_link(db, target, digest));
    found = link.has_value();
  }
  if (!found && !source) {
    BERTH_TRYV(db.query(kAnyLiveLink, {known->id}, [&](const sql::Row&) { found = true; }));
  }
  if (!found) return false;
  BERTH_TRY(const RepoId target_id, ensure_repo(db, target, stamp));
  BERTH_TRYV(make_link(db, target_id, known->id, known->size, stamp));
  return true;
}

Result<std::vector<oci::RepoName>> blob_holders(sql::Connection& db, const oci::Digest& digest, std::int64_t limit) {
  std::vector<oci::RepoName> out;
  BERTH_TRYV(db.query(kHolders, {digest.storage(), limit}, [&](const sql::Row& row) {
    if (auto name = oci::RepoName::parse(row.text(0))) out.push_back(*std::move(name));
  }));
  return out;
}

Result<std::vector<std::string>> blob_referrers(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t limit) {
  std::vector<std::string> out;
  BERTH_TRYV(db.query(kBlobReferrers, {repo, blob, limit}, [&](const sql::Row& row) {
    if (const auto digest = oci::Digest::from_storage(row.blob(0))) out.push_back(digest->str());
  }));
  return out;
}

Result<bool> trash_link(sql::Connection& db, const oci::RepoName& repo, const oci::Digest& digest, const Stamp& stamp) {
  BERTH_TRY(const auto link, find_link(db, repo, digest));
  if (!link) return false;
  BERTH_TRY(auto users, blob_referrers(db, link->repo, link->blob, 10));
  if (!users.empty()) {
    return fail(Error(Errc::referenced, "the blob is used by a manifest of this repository; delete the manifest first")
                    .with_items(std::move(users)));
  }
  BERTH_TRYV(db.execute(kTrashLink, {link->repo, link->blob}));
  BERTH_TRYV(release_link(db, link->repo, link->blob, as_i64(link->size_bytes)));
  BERTH_TRYV(
      requeue_candidate(db, Candidate::link, link->repo, link->blob, stamp.at_ms + kUndoMs, Cause::blob_deleted));
  return true;
}

Result<std::optional<EdgeTarget>> find_edge_target(sql::Connection& db, RepoId repo, const oci::Digest& digest) {
  std::optional<EdgeTarget> out;
  BERTH_TRYV(db.query(kEdgeTarget, {repo, digest.storage()}, [&](const sql::Row& row) {
    if (row.int64(3) == kLinkTrash) return;
    out = EdgeTarget{row.int64(0), row.int64(1), row.int64(2) == kPresent && row.int64(3) == kLinkLive};
  }));
  return out;
}

Result<BlobId> reserve_link(sql::Connection& db, RepoId repo, const oci::Digest& digest, std::int64_t size_bytes,
                            const Stamp& stamp) {
  BERTH_TRY(const auto known, find_blob(db, digest));
  BlobId id = known ? known->id : 0;
  if (!known) {
    BERTH_TRYV(db.query(kInsertBlob, {digest.storage(), size_bytes, kAbsent, 0, stamp.at_ms},
                        [&](const sql::Row& row) { id = row.int64(0); }));
  }
  BERTH_TRYV(db.execute(kPutLink, {repo, id, kLinkReserved, stamp.at_ms, bind_optional(stamp.principal)}));
  return id;
}

Result<std::vector<BlobRow>> list_blobs(sql::Connection& db, BlobId after, std::int64_t limit) {
  std::vector<BlobRow> rows;
  BERTH_TRYV(db.query(kListBlobs, {after, limit}, [&](const sql::Row& row) {
    const auto digest = oci::Digest::from_storage(row.blob(1));
    if (digest) rows.push_back({row.int64(0), *digest, as_u64(row.int64(2)), as_u64(row.int64(3)), row.int64(4)});
  }));
  return rows;
}

Result<void> mark_blob_checked(sql::Connection& db, BlobId blob, std::uint64_t inc, std::int64_t at_ms) {
  BERTH_TRYV(db.execute(kMarkChecked, {blob, as_i64(inc), at_ms}));
  return {};
}

Result<void> mark_blob_bad(sql::Connection& db, BlobId blob, std::uint64_t inc, std::int64_t at_ms) {
  BERTH_TRYV(db.execute(kMarkBad, {blob, as_i64(inc), at_ms}));
  return {};
}

Result<void> mark_blob_present(sql::Connection& db, BlobId blob, std::uint64_t inc, std::int64_t at_ms) {
  BERTH_TRYV(db.execute(kMarkPresent, {blob, as_i64(inc), at_ms}));
  return {};
}

Result<std::vector<Doomed>> list_doomed(sql::Connection& db, std::int64_t limit) {
  std::vector<Doomed> out;
  BERTH_TRYV(db.query(kListDoomed, {limit}, [&](const sql::Row& row) {
    const auto digest = oci::Digest::from_storage(row.blob(1));
    if (digest) out.push_back({as_u64(row.int64(0)), *digest});
  }));
  return out;
}

Result<void> forget_doomed(sql::Connection& db, std::uint64_t inc) {
  BERTH_TRYV(db.execute(kForgetDoomed, {as_i64(inc)}));
  return {};
}

}  // namespace berth::meta
