#include "meta/manifests.h"

#include "crypto/hash.h"
#include "meta/gc_queue.h"
#include "meta/tags.h"
#include "meta/usage.h"

#include <algorithm>

namespace berth::meta {

namespace {

constexpr sql::Sql kHeadByTag = R"(
  SELECT m.id, m.digest, m.media_type, m.size
  FROM repo r
  JOIN tag t ON t.repo_id = r.id AND t.name = $2
  JOIN manifest m ON m.id = t.manifest_id
  WHERE r.name = $1 AND r.deleted_at IS NULL AND m.state = 1)";

constexpr sql::Sql kHeadByDigest = R"(
  SELECT m.id, m.digest, m.media_type, m.size
  FROM repo r
  JOIN manifest m ON m.repo_id = r.id AND m.digest = $2
  WHERE r.name = $1 AND r.deleted_at IS NULL AND m.state = 1)";

// An engine reads every column selected, wanted or not, and a large one is a page after the other: hence the CASE.
constexpr sql::Sql kLoadByTag = R"(
  SELECT m.id, m.digest, m.media_type, m.size, b.sha256, CASE WHEN m.size <= $3 THEN b.bytes END
  FROM repo r
  JOIN tag t ON t.repo_id = r.id AND t.name = $2
  JOIN manifest m ON m.id = t.manifest_id
  JOIN manifest_body b ON b.id = m.body_id
  WHERE r.name = $1 AND r.deleted_at IS NULL AND m.state = 1)";

constexpr sql::Sql kLoadByDigest = R"(
  SELECT m.id, m.digest, m.media_type, m.size, b.sha256, CASE WHEN m.size <= $3 THEN b.bytes END
  FROM repo r
  JOIN manifest m ON m.repo_id = r.id AND m.digest = $2
  JOIN manifest_body b ON b.id = m.body_id
  WHERE r.name = $1 AND r.deleted_at IS NULL AND m.state = 1)";

constexpr sql::Sql kFindAny = R"(
  SELECT id, state, size
  FROM manifest
  WHERE repo_id = $1 AND digest = $2)";

constexpr sql::Sql kFindBody = R"(
  SELECT id, bytes = $2
  FROM manifest_body
  WHERE sha256 = $1)";

constexpr sql::Sql kInsertBody = R"(
  INSERT INTO manifest_body(sha256, enc, bytes)
  VALUES($1, 0, $2)
  RETURNING id)";

constexpr sql::Sql kMendBody = R"(
  UPDATE manifest_body
  SET enc = 0, bytes = $2
  WHERE id = $1)";

constexpr sql::Sql kInsertManifest = R"(
  INSERT INTO manifest(repo_id, digest, body_id, kind, media_type, size, artifact_type, subject, ref_desc, pushed_at, pushed_by)
  VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
  RETURNING id)";

constexpr sql::Sql kRevive = R"(
  UPDATE manifest
  SET state = 1, purge_at = NULL, pushed_at = $2, pushed_by = $3
  WHERE id = $1)";

constexpr sql::Sql kInsertBlobEdge = R"(
  INSERT INTO manifest_blob(manifest_id, blob_id, repo_id)
  VALUES($1, $2, $3)
  ON CONFLICT(manifest_id, blob_id) DO NOTHING)";

constexpr sql::Sql kInsertChildEdge = R"(
  INSERT INTO manifest_child(manifest_id, child, repo_id)
  VALUES($1, $2, $3)
  ON CONFLICT(manifest_id, child) DO NOTHING)";

constexpr sql::Sql kParents = R"(
  SELECT m.digest
  FROM manifest_child e
  JOIN manifest m ON m.id = e.manifest_id
  WHERE e.repo_id = $1 AND e.child = $2 AND m.state = 1
  LIMIT $3)";

constexpr sql::Sql kTrash = R"(
  UPDATE manifest
  SET state = 2, purge_at = $2
  WHERE id = $1)";

// What the deleted manifest may have kept alive: children it lists and manifests that name it as their subject (E4).
constexpr sql::Sql kQueueChildren = R"(
  INSERT INTO gc_queue(kind, repo_id, obj_id, due, why)
  SELECT 3, c.repo_id, m.id, $2, 4
  FROM manifest_child c
  JOIN manifest m ON m.repo_id = c.repo_id AND m.digest = c.child
  WHERE c.manifest_id = $1
  ON CONFLICT(kind, repo_id, obj_id) DO NOTHING)";

constexpr sql::Sql kQueueReferrers = R"(
  INSERT INTO gc_queue(kind, repo_id, obj_id, due, why)
  SELECT 3, repo_id, id, $3, 4
  FROM manifest
  WHERE repo_id = $1 AND subject = $2
  ON CONFLICT(kind, repo_id, obj_id) DO NOTHING)";

struct Existing {
  ManifestId id = 0;
  std::int64_t state = 0;
  std::int64_t size = 0;
};

Result<std::optional<Existing>> find_any(sql::Connection& db, RepoId repo, const oci::Digest& digest) {
  std::optional<Existing> out;
  BERTH_TRYV(db.query(kFindAny, {repo, digest.storage()},
                      [&](const sql::Row& row) { out = Existing{row.int64(0), row.int64(1), row.int64(2)}; }));
  return out;
}

std::optional<ManifestHead> read_head(const sql::Row& row) {
  const auto digest = oci::Digest::from_storage(row.blob(1));
  if (!digest) return std::nullopt;
  return ManifestHead{row.int64(0), *digest, std::string(row.text(2)), static_cast<std::uint64_t>(row.int64(3))};
}

/// What `$2` is in the statements by tag and by digest. A view into the reference.
sql::Bind key_of(const oci::Reference& reference) {
  if (reference.is_digest()) return reference.digest().storage();
  return std::string_view(reference.tag().str());
}

sql::Bind text_or_null(const std::string& text) {
  return text.empty() ? sql::Bind(nullptr) : sql::Bind(std::string_view(text));
}

/// The row of these bytes. One that was damaged since is mended: the bytes at hand have just been hashed.
Result<std::int64_t> ensure_body(sql::Connection& db, std::string_view bytes) {
  const auto sum = crypto::sha256(std::as_bytes(std::span(bytes)));
  const std::span<const std::byte> key(sum);
  const auto content = std::as_bytes(std::span(bytes));
  std::optional<std::int64_t> id;
  bool intact = true;
  BERTH_TRYV(db.query(kFindBody, {key, content}, [&](const sql::Row& row) {
    id = row.int64(0);
    intact = row.int64(1) != 0;
  }));
  if (!id) {
    BERTH_TRYV(db.query(kInsertBody, {key, content}, [&](const sql::Row& row) { id = row.int64(0); }));
  } else if (!intact) {
    BERTH_TRYV(db.execute(kMendBody, {*id, content}));
  }
  return *id;
}

Result<ManifestId> insert_manifest(sql::Connection& db, RepoId repo, std::int64_t body, const NewManifest& m,
                                   const Stamp& stamp) {
  const std::string descriptor =
      m.parsed.subject.empty() ? std::string() : oci::referrer_descriptor(m.parsed, m.digest, m.bytes.size());
  ManifestId id = 0;
  BERTH_TRYV(db.query(
      kInsertManifest,
      {repo, m.digest.storage(), body, static_cast<std::int64_t>(m.parsed.kind), std::string_view(m.parsed.media_type),
       static_cast<std::int64_t>(m.bytes.size()), text_or_null(m.parsed.artifact_type), text_or_null(m.parsed.subject),
       text_or_null(descriptor), stamp.at_ms, bind_optional(stamp.principal)},
      [&](const sql::Row& row) { id = row.int64(0); }));
  return id;
}

}  // namespace

Result<std::optional<ManifestHead>> find_manifest(sql::Connection& db, const oci::RepoName& repo,
                                                  const oci::Reference& reference) {
  std::optional<ManifestHead> out;
  const sql::Sql statement = reference.is_digest() ? kHeadByDigest : kHeadByTag;
  BERTH_TRYV(db.query(statement, {std::string_view(repo.str()), key_of(reference)},
                      [&](const sql::Row& row) { out = read_head(row); }));
  return out;
}

Result<std::optional<ManifestBytes>> load_manifest(sql::Connection& db, const oci::RepoName& repo,
                                                   const oci::Reference& reference, std::uint64_t bytes_max) {
  std::optional<ManifestBytes> out;
  bool damaged = false;
  bool too_large = false;
  const sql::Sql statement = reference.is_digest() ? kLoadByDigest : kLoadByTag;
  const auto most = static_cast<std::int64_t>(std::min<std::uint64_t>(bytes_max, INT64_MAX));
  BERTH_TRYV(db.query(statement, {std::string_view(repo.str()), key_of(reference), most}, [&](const sql::Row& row) {
    auto head = read_head(row);
    too_large = head && head->size_bytes > bytes_max;
    if (too_large) return;
    const auto bytes = row.blob(5);
    const auto stored = row.blob(4);
    const auto sum = crypto::sha256(bytes);
    damaged = !head || !std::ranges::equal(stored, sum) || bytes.size() != head->size_bytes;
    if (!damaged)
      out = ManifestBytes{*std::move(head), std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
  }));
  if (too_large) return fail(Errc::manifest_too_large);
  if (damaged) return fail(Errc::corrupt, "stored manifest is damaged", repo.str() + " " + reference.str());
  return out;
}

Result<std::optional<ChildTarget>> find_child_target(sql::Connection& db, RepoId repo, const oci::Digest& digest) {
  BERTH_TRY(const auto found, find_any(db, repo, digest));
  if (!found || found->state != 1) return std::nullopt;
  return ChildTarget{found->id, found->size};
}

Result<ManifestId> put_manifest(sql::Connection& db, RepoId repo, const NewManifest& m, const Stamp& stamp) {
  BERTH_TRY(const auto existing, find_any(db, repo, m.digest));
  BERTH_TRY(const auto body, ensure_body(db, m.bytes));
  const bool live = existing && existing->state == 1;
  ManifestId id = 0;
  if (existing) {
    id = existing->id;
    if (!live) BERTH_TRYV(db.execute(kRevive, {id, stamp.at_ms, bind_optional(stamp.principal)}));
  } else {
    BERTH_TRY(id, insert_manifest(db, repo, body, m, stamp));
  }
  // Edges are written even if the row was there: a sparse push may have completed since.
  for (const BlobId blob : m.blobs) {
    BERTH_TRYV(db.execute(kInsertBlobEdge, {id, blob, repo}));
    BERTH_TRYV(drop_candidate(db, Candidate::link, repo, blob));
  }
  for (const oci::Digest& child : m.children) BERTH_TRYV(db.execute(kInsertChildEdge, {id, child.storage(), repo}));
  if (!live) {
    BERTH_TRYV(drop_candidate(db, Candidate::manifest_purge, repo, id));
    BERTH_TRYV(drop_candidate(db, Candidate::manifest_orphan, repo, id));
    BERTH_TRYV(charge_manifests(db, repo, static_cast<std::int64_t>(m.bytes.size()), 1));
  }
  return id;
}

Result<std::vector<std::string>> manifest_parents(sql::Connection& db, RepoId repo, const oci::Digest& digest,
                                                  std::int64_t limit) {
  std::vector<std::string> out;
  BERTH_TRYV(db.query(kParents, {repo, digest.storage(), limit}, [&](const sql::Row& row) {
    if (const auto parent = oci::Digest::from_storage(row.blob(0))) out.push_back(parent->str());
  }));
  return out;
}

Result<bool> trash_manifest(sql::Connection& db, RepoId repo, const oci::Digest& digest, const Stamp& stamp) {
  BERTH_TRY(const auto existing, find_any(db, repo, digest));
  if (!existing || existing->state != 1) return false;
  BERTH_TRY(auto parents, manifest_parents(db, repo, digest, 10));
  if (!parents.empty()) {
    return fail(Error(Errc::referenced, "the manifest is listed by an index of this repository; delete the index first")
                    .with_items(std::move(parents)));
  }
  BERTH_TRYV(delete_tags_of(db, repo, existing->id, digest, stamp));
  const std::int64_t due = stamp.at_ms + kUndoMs;
  BERTH_TRYV(db.execute(kTrash, {existing->id, due}));
  BERTH_TRYV(queue_candidate(db, Candidate::manifest_purge, repo, existing->id, due, Cause::manifest_deleted));
  BERTH_TRYV(db.execute(kQueueChildren, {existing->id, due}));
  BERTH_TRYV(db.execute(kQueueReferrers, {repo, std::string_view(digest.str()), due}));
  BERTH_TRYV(charge_manifests(db, repo, -existing->size, -1));
  return true;
}

}  // namespace berth::meta
