// The part of meta/fsck.h about what lies between blobs and manifests: links, tags, counters, candidates, uploads.

#include "meta/fsck.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kCheckLinks = R"(
  SELECT l.repo_id, l.blob_id, l.state, r.name, b.state, b.digest,
    EXISTS(SELECT 1 FROM manifest_blob e WHERE e.repo_id = l.repo_id AND e.blob_id = l.blob_id),
    EXISTS(SELECT 1 FROM gc_queue q WHERE q.kind = 1 AND q.repo_id = l.repo_id AND q.obj_id = l.blob_id)
  FROM repo_blob l
  LEFT JOIN repo r ON r.id = l.repo_id
  LEFT JOIN blob b ON b.id = l.blob_id
  WHERE (l.repo_id, l.blob_id) > ($1, $2)
  ORDER BY l.repo_id, l.blob_id
  LIMIT $3)";

constexpr sql::Sql kCheckTags = R"(
  SELECT t.repo_id, t.name, r.name, CASE WHEN m.repo_id = t.repo_id AND m.state = 1 THEN 1 ELSE 0 END,
    m.digest, h.id, h.digest
  FROM tag t
  LEFT JOIN repo r ON r.id = t.repo_id
  LEFT JOIN manifest m ON m.id = t.manifest_id
  LEFT JOIN tag_history h
    ON h.id = (SELECT max(x.id) FROM tag_history x WHERE x.repo_id = t.repo_id AND x.name = t.name)
  WHERE (t.repo_id, t.name) > ($1, $2)
  ORDER BY t.repo_id, t.name
  LIMIT $3)";

constexpr sql::Sql kLostTags = R"(
  SELECT h.id, h.repo_id, r.name, h.name, h.digest, m.id
  FROM tag_history h
  JOIN repo r ON r.id = h.repo_id AND r.deleted_at IS NULL
  LEFT JOIN manifest m ON m.repo_id = h.repo_id AND m.digest = h.digest AND m.state = 1
  WHERE h.id > $1 AND h.digest IS NOT NULL
    AND NOT EXISTS(SELECT 1 FROM tag t WHERE t.repo_id = h.repo_id AND t.name = h.name)
    AND NOT EXISTS(SELECT 1 FROM tag_history x WHERE x.repo_id = h.repo_id AND x.name = h.name AND x.id > h.id)
  ORDER BY h.id
  LIMIT $2)";

constexpr sql::Sql kRepoUsage = R"(
  SELECT r.id, r.name, r.used_bytes, r.n_tags, r.n_manifests,
    (SELECT coalesce(sum(b.size), 0) FROM repo_blob l JOIN blob b ON b.id = l.blob_id
      WHERE l.repo_id = r.id AND l.state = 1)
    + (SELECT coalesce(sum(m.size), 0) FROM manifest m WHERE m.repo_id = r.id AND m.state = 1),
    (SELECT count(*) FROM tag t WHERE t.repo_id = r.id),
    (SELECT count(*) FROM manifest m WHERE m.repo_id = r.id AND m.state = 1)
  FROM repo r
  WHERE r.id > $1
  ORDER BY r.id
  LIMIT $2)";

constexpr sql::Sql kNsUsage = R"(
  SELECT n.id, n.name, n.used_bytes,
    (SELECT coalesce(sum(b.size), 0) FROM ns_blob l JOIN blob b ON b.id = l.blob_id WHERE l.ns_id = n.id)
    + (SELECT coalesce(sum(m.size), 0) FROM repo r JOIN manifest m ON m.repo_id = r.id
        WHERE r.ns_id = n.id AND r.deleted_at IS NULL AND m.state = 1)
  FROM ns n
  WHERE n.id > $1
  ORDER BY n.id
  LIMIT $2)";

constexpr sql::Sql kNsLinks = R"(
  SELECT r.ns_id, count(*), n.links
  FROM repo_blob l
  JOIN repo r ON r.id = l.repo_id AND r.deleted_at IS NULL
  LEFT JOIN ns_blob n ON n.ns_id = r.ns_id AND n.blob_id = l.blob_id
  WHERE l.blob_id = $1 AND l.state = 1
  GROUP BY r.ns_id, n.links)";

constexpr sql::Sql kCountNsLinks = R"(
  SELECT count(*)
  FROM ns_blob)";

constexpr sql::Sql kSurplusNsLinks = R"(
  SELECT n.ns_id, n.blob_id, n.links
  FROM ns_blob n
  WHERE (n.ns_id, n.blob_id) > ($1, $2)
    AND NOT EXISTS(SELECT 1 FROM repo_blob l JOIN repo r ON r.id = l.repo_id AND r.deleted_at IS NULL
      WHERE l.blob_id = n.blob_id AND l.state = 1 AND r.ns_id = n.ns_id)
  ORDER BY n.ns_id, n.blob_id
  LIMIT $3)";

// A kind this binary does not know is left alone.
constexpr sql::Sql kDanglingCandidates = R"(
  SELECT q.kind, q.repo_id, q.obj_id
  FROM gc_queue q
  WHERE (q.kind, q.repo_id, q.obj_id) > ($1, $2, $3) AND CASE q.kind
    WHEN 1 THEN NOT EXISTS(SELECT 1 FROM repo_blob l WHERE l.repo_id = q.repo_id AND l.blob_id = q.obj_id)
    WHEN 2 THEN NOT EXISTS(SELECT 1 FROM blob b WHERE b.id = q.obj_id)
    WHEN 3 THEN NOT EXISTS(SELECT 1 FROM manifest m WHERE m.id = q.obj_id AND m.repo_id = q.repo_id)
    WHEN 4 THEN NOT EXISTS(SELECT 1 FROM manifest m WHERE m.id = q.obj_id AND m.repo_id = q.repo_id)
    WHEN 6 THEN NOT EXISTS(SELECT 1 FROM repo r WHERE r.id = q.repo_id OR r.id = q.obj_id)
    ELSE FALSE END
  ORDER BY q.kind, q.repo_id, q.obj_id
  LIMIT $4)";

constexpr sql::Sql kForgottenRepos = R"(
  SELECT r.id, r.name
  FROM repo r
  WHERE r.id > $1 AND r.deleted_at IS NOT NULL
    AND NOT EXISTS(SELECT 1 FROM gc_queue q WHERE q.kind = 6 AND q.repo_id = r.id)
  ORDER BY r.id
  LIMIT $2)";

constexpr sql::Sql kOpenUploads = R"(
  SELECT id, repo, inc, offset_
  FROM upload
  WHERE id > $1 AND state = 1
  ORDER BY id
  LIMIT $2)";

constexpr sql::Sql kCountUnplaced = R"(
  SELECT count(*)
  FROM upload
  WHERE state = 2 AND placed = 0)";

constexpr sql::Sql kCountDoomed = R"(
  SELECT count(*)
  FROM doomed)";

std::uint64_t as_u64(std::int64_t v) { return static_cast<std::uint64_t>(v); }

std::optional<std::int64_t> optional_int(const sql::Row& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.int64(column));
}

Result<std::uint64_t> count(sql::Connection& db, sql::Sql sql) {
  std::uint64_t out = 0;
  BERTH_TRYV(db.query(sql, {}, [&](const sql::Row& row) { out = as_u64(row.int64(0)); }));
  return out;
}

}  // namespace

Result<std::vector<LinkCheck>> check_links(sql::Connection& db, LinkKey after, std::int64_t limit) {
  std::vector<LinkCheck> out;
  BERTH_TRYV(db.query(kCheckLinks, {after.repo, after.blob, limit}, [&](const sql::Row& row) {
    out.push_back({row.int64(0), row.int64(1), row.int64(2), std::string(row.text(3)), optional_int(row, 4),
                   oci::Digest::from_storage(row.blob(5)), row.int64(6) != 0, row.int64(7) != 0});
  }));
  return out;
}

Result<std::vector<TagCheck>> check_tags(sql::Connection& db, const TagKey& after, std::int64_t limit) {
  std::vector<TagCheck> out;
  BERTH_TRYV(db.query(kCheckTags, {after.repo, std::string_view(after.name), limit}, [&](const sql::Row& row) {
    out.push_back({row.int64(0), std::string(row.text(1)), std::string(row.text(2)), row.int64(3) != 0,
                   oci::Digest::from_storage(row.blob(4)), !row.is_null(5), oci::Digest::from_storage(row.blob(6))});
  }));
  return out;
}

Result<std::vector<LostTag>> list_lost_tags(sql::Connection& db, std::int64_t after, std::int64_t limit) {
  std::vector<LostTag> out;
  BERTH_TRYV(db.query(kLostTags, {after, limit}, [&](const sql::Row& row) {
    out.push_back({row.int64(0), row.int64(1), std::string(row.text(2)), std::string(row.text(3)),
                   oci::Digest::from_storage(row.blob(4)), optional_int(row, 5)});
  }));
  return out;
}

Result<std::vector<RepoUsage>> check_repo_usage(sql::Connection& db, RepoId after, std::int64_t limit) {
  std::vector<RepoUsage> out;
  BERTH_TRYV(db.query(kRepoUsage, {after, limit}, [&](const sql::Row& row) {
    out.push_back({row.int64(0),
                   std::string(row.text(1)),
                   {row.int64(2), row.int64(3), row.int64(4)},
                   {row.int64(5), row.int64(6), row.int64(7)}});
  }));
  return out;
}

Result<std::vector<NsUsage>> check_ns_usage(sql::Connection& db, std::int64_t after, std::int64_t limit) {
  std::vector<NsUsage> out;
  BERTH_TRYV(db.query(kNsUsage, {after, limit}, [&](const sql::Row& row) {
    out.push_back({row.int64(0), std::string(row.text(1)), row.int64(2), row.int64(3)});
  }));
  return out;
}

Result<std::vector<NsLinks>> check_ns_links(sql::Connection& db, BlobId blob) {
  std::vector<NsLinks> out;
  BERTH_TRYV(db.query(kNsLinks, {blob}, [&](const sql::Row& row) {
    out.push_back({row.int64(0), blob, row.int64(1), optional_int(row, 2)});
  }));
  return out;
}

Result<std::uint64_t> count_ns_links(sql::Connection& db) { return count(db, kCountNsLinks); }

Result<std::vector<NsLinks>> list_surplus_ns_links(sql::Connection& db, const NsLinks& after, std::int64_t limit) {
  std::vector<NsLinks> out;
  BERTH_TRYV(db.query(kSurplusNsLinks, {after.ns, after.blob, limit},
                      [&](const sql::Row& row) { out.push_back({row.int64(0), row.int64(1), 0, row.int64(2)}); }));
  return out;
}

Result<std::vector<CandidateKey>> list_dangling_candidates(sql::Connection& db, const CandidateKey& after,
                                                           std::int64_t limit) {
  std::vector<CandidateKey> out;
  BERTH_TRYV(db.query(kDanglingCandidates, {after.kind, after.repo, after.object, limit},
                      [&](const sql::Row& row) { out.push_back({row.int64(0), row.int64(1), row.int64(2)}); }));
  return out;
}

Result<std::vector<ForgottenRepo>> list_forgotten_repos(sql::Connection& db, RepoId after, std::int64_t limit) {
  std::vector<ForgottenRepo> out;
  BERTH_TRYV(db.query(kForgottenRepos, {after, limit},
                      [&](const sql::Row& row) { out.push_back({row.int64(0), std::string(row.text(1))}); }));
  return out;
}

Result<std::vector<OpenUpload>> list_open_uploads(sql::Connection& db, std::string_view after, std::int64_t limit) {
  std::vector<OpenUpload> out;
  BERTH_TRYV(db.query(kOpenUploads, {after, limit}, [&](const sql::Row& row) {
    out.push_back({std::string(row.text(0)), std::string(row.text(1)), as_u64(row.int64(2)), as_u64(row.int64(3))});
  }));
  return out;
}

Result<std::uint64_t> count_unplaced(sql::Connection& db) { return count(db, kCountUnplaced); }
Result<std::uint64_t> count_doomed(sql::Connection& db) { return count(db, kCountDoomed); }

}  // namespace berth::meta
