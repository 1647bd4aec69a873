#include "meta/fsck_repair.h"

#include "meta/blobs.h"
#include "meta/tags.h"
#include "meta/usage.h"

#include <utility>

namespace berth::meta {

namespace {

constexpr std::int64_t kPlaceholder = 0;
constexpr std::int64_t kLinkLive = 1;
constexpr std::int64_t kLinkTrash = 2;
constexpr std::int64_t kLinkReserved = 3;

constexpr sql::Sql kReindex = "REINDEX";

constexpr sql::Sql kRewriteManifest = R"(
  UPDATE manifest
  SET kind = $2, media_type = $3, size = $4, artifact_type = $5, subject = $6, ref_desc = $7
  WHERE id = $1)";

constexpr sql::Sql kRewriteBodyHash = R"(
  UPDATE manifest_body
  SET sha256 = $2
  WHERE id = $1)";

constexpr sql::Sql kDropBlobEdges = R"(
  DELETE FROM manifest_blob
  WHERE manifest_id = $1)";

constexpr sql::Sql kDropChildEdges = R"(
  DELETE FROM manifest_child
  WHERE manifest_id = $1)";

constexpr sql::Sql kPutBlobEdge = R"(
  INSERT INTO manifest_blob(manifest_id, blob_id, repo_id)
  VALUES($1, $2, $3)
  ON CONFLICT(manifest_id, blob_id) DO NOTHING)";

constexpr sql::Sql kPutChildEdge = R"(
  INSERT INTO manifest_child(manifest_id, child, repo_id)
  VALUES($1, $2, $3)
  ON CONFLICT(manifest_id, child) DO NOTHING)";

constexpr sql::Sql kFindBlob = R"(
  SELECT id
  FROM blob
  WHERE digest = $1)";

constexpr sql::Sql kLinkBefore = R"(
  SELECT b.state, b.size, l.state
  FROM blob b
  LEFT JOIN repo_blob l ON l.repo_id = $1 AND l.blob_id = b.id
  WHERE b.id = $2)";

constexpr sql::Sql kPutLink = R"(
  INSERT INTO repo_blob(repo_id, blob_id, state, linked_at, linked_by)
  VALUES($1, $2, $3, $4, $5)
  ON CONFLICT(repo_id, blob_id) DO UPDATE SET state = excluded.state)";

constexpr sql::Sql kDropLink = R"(
  DELETE FROM repo_blob
  WHERE repo_id = $1 AND blob_id = $2)";

constexpr sql::Sql kDemoteLink = R"(
  UPDATE repo_blob
  SET state = 3
  WHERE repo_id = $1 AND blob_id = $2)";

constexpr sql::Sql kDropTag = R"(
  DELETE FROM tag
  WHERE repo_id = $1 AND name = $2)";

// Times strictly increase per tag (see meta/tags.cpp).
constexpr sql::Sql kAppendHistory = R"(
  INSERT INTO tag_history(repo_id, name, at, op, digest, prev_digest, actor)
  SELECT $1, $2, CASE WHEN coalesce(max(at), 0) >= $3 THEN max(at) + 1 ELSE $3 END, $4, $5, $6, $7
  FROM tag_history
  WHERE repo_id = $1 AND name = $2)";

constexpr sql::Sql kSetRepoUsage = R"(
  UPDATE repo
  SET used_bytes = $2, n_tags = $3, n_manifests = $4
  WHERE id = $1)";

constexpr sql::Sql kSetNsUsage = R"(
  UPDATE ns
  SET used_bytes = $2
  WHERE id = $1)";

constexpr sql::Sql kSetNsLinks = R"(
  INSERT INTO ns_blob(ns_id, blob_id, links)
  VALUES($1, $2, $3)
  ON CONFLICT(ns_id, blob_id) DO UPDATE SET links = excluded.links)";

constexpr sql::Sql kDropNsLinks = R"(
  DELETE FROM ns_blob
  WHERE ns_id = $1 AND blob_id = $2)";

sql::Bind text_or_null(const std::string& text) {
  return text.empty() ? sql::Bind(nullptr) : sql::Bind(std::string_view(text));
}

sql::Bind digest_or_null(const std::optional<oci::Digest>& digest) {
  return digest ? sql::Bind(digest->storage()) : sql::Bind(nullptr);
}

Result<BlobId> blob_or_placeholder(sql::Connection& db, RepoId repo, const EdgeRewrite::Blob& blob,
                                   const Stamp& stamp) {
  std::optional<BlobId> known;
  BERTH_TRYV(db.query(kFindBlob, {blob.digest.storage()}, [&](const sql::Row& row) { known = row.int64(0); }));
  if (known) return *known;
  return reserve_link(db, repo, blob.digest, blob.size_bytes, stamp);
}

}  // namespace

Result<void> rebuild_indexes(sql::Connection& db) {
  BERTH_TRYV(db.execute(kReindex));
  return {};
}

Result<void> rewrite_manifest(sql::Connection& db, ManifestId manifest, const ManifestColumns& columns) {
  BERTH_TRYV(db.execute(
      kRewriteManifest,
      {manifest, columns.kind, std::string_view(columns.media_type), static_cast<std::int64_t>(columns.size_bytes),
       text_or_null(columns.artifact_type), text_or_null(columns.subject), text_or_null(columns.ref_desc)}));
  return {};
}

Result<void> rewrite_body_hash(sql::Connection& db, std::int64_t body, std::span<const std::byte> sha256) {
  BERTH_TRYV(db.execute(kRewriteBodyHash, {body, sha256}));
  return {};
}

Result<void> rewrite_edges(sql::Connection& db, const EdgeRewrite& edges, const Stamp& stamp) {
  BERTH_TRYV(drop_edges(db, edges.manifest));
  for (const BlobId blob : edges.kept) BERTH_TRYV(db.execute(kPutBlobEdge, {edges.manifest, blob, edges.repo}));
  for (const EdgeRewrite::Blob& needed : edges.needed) {
    BERTH_TRY(const BlobId blob, blob_or_placeholder(db, edges.repo, needed, stamp));
    BERTH_TRYV(db.execute(kPutBlobEdge, {edges.manifest, blob, edges.repo}));
  }
  for (const oci::Digest& child : edges.children)
    BERTH_TRYV(db.execute(kPutChildEdge, {edges.manifest, child.storage(), edges.repo}));
  return {};
}

Result<void> drop_edges(sql::Connection& db, ManifestId manifest) {
  BERTH_TRYV(db.execute(kDropBlobEdges, {manifest}));
  BERTH_TRYV(db.execute(kDropChildEdges, {manifest}));
  return {};
}

Result<void> restore_link(sql::Connection& db, RepoId repo, BlobId blob, const Stamp& stamp) {
  std::optional<std::int64_t> blob_state;
  std::int64_t size = 0;
  std::int64_t before = 0;
  BERTH_TRYV(db.query(kLinkBefore, {repo, blob}, [&](const sql::Row& row) {
    blob_state = row.int64(0);
    size = row.int64(1);
    before = row.int64(2);
  }));
  if (!blob_state) return fail(Errc::blob_unknown, "the blob's row is gone");
  const std::int64_t state = *blob_state == kPlaceholder ? kLinkReserved : kLinkLive;
  BERTH_TRYV(db.execute(kPutLink, {repo, blob, state, stamp.at_ms, bind_optional(stamp.principal)}));
  if (before == kLinkTrash && state == kLinkLive) return charge_link(db, repo, blob, size);
  return {};
}

Result<void> drop_link(sql::Connection& db, RepoId repo, BlobId blob) {
  BERTH_TRYV(db.execute(kDropLink, {repo, blob}));
  return {};
}

Result<void> demote_link(sql::Connection& db, RepoId repo, BlobId blob) {
  BERTH_TRYV(db.execute(kDemoteLink, {repo, blob}));
  return {};
}

Result<void> remove_tag(sql::Connection& db, RepoId repo, std::string_view name,
                        const std::optional<oci::Digest>& previous, const Stamp& stamp) {
  BERTH_TRYV(db.execute(kDropTag, {repo, name}));
  BERTH_TRYV(count_tags(db, repo, -1));
  return append_history(db, repo, name, std::nullopt, previous, stamp);
}

Result<void> append_history(sql::Connection& db, RepoId repo, std::string_view name,
                            const std::optional<oci::Digest>& digest, const std::optional<oci::Digest>& previous,
                            const Stamp& stamp) {
  const TagOp op = digest ? TagOp::set : TagOp::deleted;
  BERTH_TRYV(db.execute(kAppendHistory, {repo, name, stamp.at_ms, std::to_underlying(op), digest_or_null(digest),
                                         digest_or_null(previous), bind_optional(stamp.principal)}));
  return {};
}

Result<void> set_repo_usage(sql::Connection& db, RepoId repo, const RepoCounters& counters) {
  BERTH_TRYV(db.execute(kSetRepoUsage, {repo, counters.used_bytes, counters.tags, counters.manifests}));
  return {};
}

Result<void> set_ns_usage(sql::Connection& db, std::int64_t ns, std::int64_t used_bytes) {
  BERTH_TRYV(db.execute(kSetNsUsage, {ns, used_bytes}));
  return {};
}

Result<void> set_ns_links(sql::Connection& db, const NsLinks& links) {
  if (links.counted == 0) {
    BERTH_TRYV(db.execute(kDropNsLinks, {links.ns, links.blob}));
  } else {
    BERTH_TRYV(db.execute(kSetNsLinks, {links.ns, links.blob, links.counted}));
  }
  return {};
}

}  // namespace berth::meta
