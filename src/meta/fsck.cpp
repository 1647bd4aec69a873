#include "meta/fsck.h"

#include "meta/migrations.h"

#include <algorithm>

namespace berth::meta {

namespace {

constexpr sql::Sql kIntegrity = "PRAGMA integrity_check";

constexpr sql::Sql kSchemaVersion = R"(
  SELECT coalesce(max(v), 0)
  FROM schema_version)";

constexpr sql::Sql kCountBlobs = R"(
  SELECT count(*), coalesce(sum(CASE WHEN state IN (1, 3) THEN size ELSE 0 END), 0)
  FROM blob)";

constexpr sql::Sql kCountRest = R"(
  SELECT (SELECT count(*) FROM manifest), (SELECT count(*) FROM repo_blob), (SELECT count(*) FROM tag),
    (SELECT count(*) FROM repo), (SELECT count(*) FROM ns), (SELECT count(*) FROM gc_queue))";

constexpr sql::Sql kCheckBlobs = R"(
  SELECT b.id, b.digest, b.size, b.inc, b.state,
    EXISTS(SELECT 1 FROM repo_blob l WHERE l.blob_id = b.id),
    EXISTS(SELECT 1 FROM gc_queue q WHERE q.kind = 2 AND q.repo_id = 0 AND q.obj_id = b.id)
  FROM blob b
  WHERE b.id > $1
  ORDER BY b.id
  LIMIT $2)";

constexpr sql::Sql kReposOfBlob = R"(
  SELECT r.name
  FROM repo_blob l
  JOIN repo r ON r.id = l.repo_id AND r.deleted_at IS NULL
  WHERE l.blob_id = $1
  LIMIT $2)";

// By way of the links, as both indexes lead from the blob to its repositories first.
constexpr sql::Sql kManifestsOfBlob = R"(
  SELECT r.name, m.digest
  FROM repo_blob l
  JOIN repo r ON r.id = l.repo_id AND r.deleted_at IS NULL
  JOIN manifest_blob e ON e.repo_id = l.repo_id AND e.blob_id = l.blob_id
  JOIN manifest m ON m.id = e.manifest_id AND m.state = 1
  WHERE l.blob_id = $1
  LIMIT $2)";

constexpr sql::Sql kFileOwner = R"(
  SELECT (SELECT b.state FROM blob b WHERE b.digest = $1 AND b.inc = $2),
    EXISTS(SELECT 1 FROM doomed d WHERE d.inc = $2))";

constexpr sql::Sql kListManifests = R"(
  SELECT id
  FROM manifest
  WHERE id > $1
  ORDER BY id
  LIMIT $2)";

constexpr sql::Sql kLoadManifest = R"(
  SELECT m.repo_id, r.name, m.digest, m.state, m.purge_at, m.kind, m.media_type, m.size, m.artifact_type, m.subject,
    m.ref_desc, m.body_id, b.id, b.enc, b.sha256, b.bytes,
    EXISTS(SELECT 1 FROM gc_queue q WHERE q.kind = 4 AND q.repo_id = m.repo_id AND q.obj_id = m.id)
  FROM manifest m
  LEFT JOIN repo r ON r.id = m.repo_id
  LEFT JOIN manifest_body b ON b.id = m.body_id
  WHERE m.id = $1)";

constexpr sql::Sql kBlobEdges = R"(
  SELECT e.blob_id, e.repo_id, b.digest, l.state
  FROM manifest m
  JOIN manifest_blob e ON e.manifest_id = m.id
  LEFT JOIN blob b ON b.id = e.blob_id
  LEFT JOIN repo_blob l ON l.repo_id = m.repo_id AND l.blob_id = e.blob_id
  WHERE m.id = $1)";

constexpr sql::Sql kChildEdges = R"(
  SELECT repo_id, child
  FROM manifest_child
  WHERE manifest_id = $1)";

constexpr sql::Sql kDanglingEdges = R"(
  SELECT e.manifest_id
  FROM manifest_blob e
  WHERE e.manifest_id > $1 AND NOT EXISTS(SELECT 1 FROM manifest m WHERE m.id = e.manifest_id)
  UNION
  SELECT c.manifest_id
  FROM manifest_child c
  WHERE c.manifest_id > $1 AND NOT EXISTS(SELECT 1 FROM manifest m WHERE m.id = c.manifest_id)
  ORDER BY 1
  LIMIT $2)";

constexpr sql::Sql kUnusedBodies = R"(
  SELECT b.id, hex(b.sha256)
  FROM manifest_body b
  WHERE b.id > $1 AND NOT EXISTS(SELECT 1 FROM manifest m WHERE m.body_id = b.id)
  ORDER BY b.id
  LIMIT $2)";

std::uint64_t as_u64(std::int64_t v) { return static_cast<std::uint64_t>(v); }

ManifestCheck read_manifest(ManifestId id, const sql::Row& row) {
  ManifestCheck out;
  out.id = id;
  out.repo = row.int64(0);
  out.repo_name = row.text(1);
  out.digest = oci::Digest::from_storage(row.blob(2));
  out.state = row.int64(3);
  out.purge_at = row.int64(4);
  out.columns = {row.int64(5),
                 std::string(row.text(6)),
                 as_u64(row.int64(7)),
                 std::string(row.text(8)),
                 std::string(row.text(9)),
                 std::string(row.text(10))};
  out.body = row.int64(11);
  out.has_body = !row.is_null(12);
  out.encoding = row.int64(13);
  const auto sha256 = row.blob(14);
  out.body_sha256.assign(sha256.begin(), sha256.end());
  const auto bytes = row.blob(15);
  out.bytes.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  out.purge_queued = row.int64(16) != 0;
  return out;
}

}  // namespace

Result<std::int64_t> schema_version(sql::Connection& db) {
  std::int64_t version = 0;
  BERTH_TRYV(db.query(kSchemaVersion, {}, [&](const sql::Row& row) { version = row.int64(0); }));
  return version;
}

std::int64_t schema_version_known() { return static_cast<std::int64_t>(embedded_migrations().size()); }

Result<std::vector<std::string>> check_integrity(sql::Connection& db, std::size_t limit) {
  std::vector<std::string> complaints;
  BERTH_TRYV(db.query(kIntegrity, {}, [&](const sql::Row& row) {
    if (row.text(0) != "ok") complaints.emplace_back(row.text(0));
    return complaints.size() < limit;
  }));
  return complaints;
}

bool is_about_indexes(const std::vector<std::string>& complaints) {
  return std::ranges::all_of(complaints, [](const std::string& text) {
    return text.starts_with("wrong # of entries in index ") || text.contains(" missing from index ") ||
           text.contains(" values differ from index ");
  });
}

Result<CheckTotals> count_for_check(sql::Connection& db) {
  CheckTotals out;
  BERTH_TRYV(db.query(kCountBlobs, {}, [&](const sql::Row& row) {
    out.blobs = as_u64(row.int64(0));
    out.blob_bytes = as_u64(row.int64(1));
  }));
  BERTH_TRYV(db.query(kCountRest, {}, [&](const sql::Row& row) {
    out.manifests = as_u64(row.int64(0));
    out.links = as_u64(row.int64(1));
    out.tags = as_u64(row.int64(2));
    out.repos = as_u64(row.int64(3));
    out.namespaces = as_u64(row.int64(4));
    out.candidates = as_u64(row.int64(5));
  }));
  return out;
}

Result<std::vector<BlobCheck>> check_blobs(sql::Connection& db, BlobId after, std::int64_t limit) {
  std::vector<BlobCheck> out;
  BERTH_TRYV(db.query(kCheckBlobs, {after, limit}, [&](const sql::Row& row) {
    out.push_back({row.int64(0), oci::Digest::from_storage(row.blob(1)), as_u64(row.int64(2)), as_u64(row.int64(3)),
                   row.int64(4), row.int64(5) != 0, row.int64(6) != 0});
  }));
  return out;
}

Result<std::vector<std::string>> repos_of_blob(sql::Connection& db, BlobId blob, std::int64_t limit) {
  std::vector<std::string> out;
  BERTH_TRYV(db.query(kReposOfBlob, {blob, limit}, [&](const sql::Row& row) { out.emplace_back(row.text(0)); }));
  return out;
}

Result<std::vector<std::string>> manifests_of_blob(sql::Connection& db, BlobId blob, std::int64_t limit) {
  std::vector<std::string> out;
  BERTH_TRYV(db.query(kManifestsOfBlob, {blob, limit}, [&](const sql::Row& row) {
    const auto digest = oci::Digest::from_storage(row.blob(1));
    out.push_back(std::string(row.text(0)) + "@" + (digest ? digest->str() : "a manifest without a digest"));
  }));
  return out;
}

Result<FileOwner> owner_of_file(sql::Connection& db, const oci::Digest& digest, std::uint64_t inc) {
  FileOwner owner = FileOwner::nobody;
  BERTH_TRYV(db.query(kFileOwner, {digest.storage(), static_cast<std::int64_t>(inc)}, [&](const sql::Row& row) {
    if (row.int64(1) != 0) owner = FileOwner::doomed;
    if (row.int64(0) == 1) owner = FileOwner::present;
    if (row.int64(0) == 3) owner = FileOwner::bad;
  }));
  return owner;
}

Result<std::vector<ManifestId>> list_manifest_ids(sql::Connection& db, ManifestId after, std::int64_t limit) {
  std::vector<ManifestId> out;
  BERTH_TRYV(db.query(kListManifests, {after, limit}, [&](const sql::Row& row) { out.push_back(row.int64(0)); }));
  return out;
}

Result<std::optional<ManifestCheck>> load_manifest_check(sql::Connection& db, ManifestId id) {
  std::optional<ManifestCheck> out;
  BERTH_TRYV(db.query(kLoadManifest, {id}, [&](const sql::Row& row) { out = read_manifest(id, row); }));
  return out;
}

Result<std::vector<BlobEdge>> list_blob_edges(sql::Connection& db, ManifestId manifest) {
  std::vector<BlobEdge> out;
  BERTH_TRYV(db.query(kBlobEdges, {manifest}, [&](const sql::Row& row) {
    BlobEdge edge{row.int64(0), row.int64(1), oci::Digest::from_storage(row.blob(2)), std::nullopt};
    if (!row.is_null(3)) edge.link_state = row.int64(3);
    out.push_back(edge);
  }));
  return out;
}

Result<std::vector<ChildEdge>> list_child_edges(sql::Connection& db, ManifestId manifest) {
  std::vector<ChildEdge> out;
  BERTH_TRYV(db.query(kChildEdges, {manifest}, [&](const sql::Row& row) {
    out.push_back({row.int64(0), oci::Digest::from_storage(row.blob(1))});
  }));
  return out;
}

Result<std::vector<ManifestId>> list_dangling_edges(sql::Connection& db, ManifestId after, std::int64_t limit) {
  std::vector<ManifestId> out;
  BERTH_TRYV(db.query(kDanglingEdges, {after, limit}, [&](const sql::Row& row) { out.push_back(row.int64(0)); }));
  return out;
}

Result<std::vector<UnusedBody>> list_unused_bodies(sql::Connection& db, std::int64_t after, std::int64_t limit) {
  std::vector<UnusedBody> out;
  BERTH_TRYV(db.query(kUnusedBodies, {after, limit},
                      [&](const sql::Row& row) { out.push_back({row.int64(0), std::string(row.text(1))}); }));
  return out;
}

}  // namespace berth::meta
