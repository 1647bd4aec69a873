#include "meta/usage.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kAddNsLink = R"(
  INSERT INTO ns_blob(ns_id, blob_id, links)
  SELECT ns_id, $2, 1 FROM repo WHERE id = $1 AND deleted_at IS NULL
  ON CONFLICT(ns_id, blob_id) DO UPDATE SET links = ns_blob.links + 1
  RETURNING links)";

constexpr sql::Sql kDropNsLink = R"(
  UPDATE ns_blob
  SET links = links - 1
  WHERE ns_id = (SELECT ns_id FROM repo WHERE id = $1 AND deleted_at IS NULL) AND blob_id = $2
  RETURNING links)";

constexpr sql::Sql kForgetNsLink = R"(
  DELETE FROM ns_blob
  WHERE ns_id = (SELECT ns_id FROM repo WHERE id = $1 AND deleted_at IS NULL) AND blob_id = $2 AND links <= 0)";

constexpr sql::Sql kAddRepoBytes = R"(
  UPDATE repo
  SET used_bytes = used_bytes + $2, n_manifests = n_manifests + $3, n_tags = n_tags + $4
  WHERE id = $1)";

constexpr sql::Sql kAddNsBytes = R"(
  UPDATE ns
  SET used_bytes = used_bytes + $2
  WHERE id = (SELECT ns_id FROM repo WHERE id = $1 AND deleted_at IS NULL))";

constexpr sql::Sql kAddNsLinks = R"(
  INSERT INTO ns_blob(ns_id, blob_id, links)
  SELECT $1, blob_id, 1
  FROM repo_blob
  WHERE repo_id = $2 AND state = 1
  ON CONFLICT(ns_id, blob_id) DO UPDATE SET links = ns_blob.links + 1)";

constexpr sql::Sql kDropNsLinks = R"(
  UPDATE ns_blob
  SET links = links - 1
  WHERE ns_id = $1 AND blob_id IN (SELECT blob_id FROM repo_blob WHERE repo_id = $2 AND state = 1))";

constexpr sql::Sql kForgetNsLinks = R"(
  DELETE FROM ns_blob
  WHERE ns_id = $1 AND links <= 0 AND blob_id IN (SELECT blob_id FROM repo_blob WHERE repo_id = $2 AND state = 1))";

// Of blobs of the repository that the namespace counts that often.
constexpr sql::Sql kBytesAtLinks = R"(
  SELECT coalesce(sum(b.size), 0)
  FROM repo_blob l
  JOIN ns_blob n ON n.ns_id = $1 AND n.blob_id = l.blob_id
  JOIN blob b ON b.id = l.blob_id
  WHERE l.repo_id = $2 AND l.state = 1 AND n.links = $3)";

constexpr sql::Sql kManifestBytes = R"(
  SELECT coalesce(sum(size), 0)
  FROM manifest
  WHERE repo_id = $1 AND state = 1)";

constexpr sql::Sql kAddBytesOfNs = R"(
  UPDATE ns
  SET used_bytes = used_bytes + $2
  WHERE id = $1)";

constexpr sql::Sql kCountedLinks = R"(
  SELECT l.blob_id, b.size
  FROM repo_blob l
  JOIN blob b ON b.id = l.blob_id
  WHERE l.repo_id = $1 AND l.blob_id > $2 AND l.state = 1
  ORDER BY l.blob_id
  LIMIT $3)";

constexpr sql::Sql kOtherHolders = R"(
  SELECT r.id, r.name
  FROM repo_blob l
  JOIN repo r ON r.id = l.repo_id
  WHERE l.blob_id = $1 AND l.repo_id <> $2 AND l.state = 1 AND r.deleted_at IS NULL
  LIMIT $3)";

constexpr sql::Sql kTotals = R"(
  SELECT count(*), coalesce(sum(n_tags), 0), coalesce(sum(n_manifests), 0)
  FROM repo
  WHERE deleted_at IS NULL)";

constexpr sql::Sql kTotalBytes = R"(
  SELECT coalesce(sum(used_bytes), 0)
  FROM ns)";

/// What the namespace pays for this repository alone: its manifests, and of its blobs those counted that often.
Result<std::int64_t> own_bytes(sql::Connection& db, NamespaceId ns, RepoId repo, std::int64_t links) {
  std::int64_t bytes = 0;
  BERTH_TRYV(db.query(kBytesAtLinks, {ns, repo, links}, [&](const sql::Row& row) { bytes = row.int64(0); }));
  BERTH_TRYV(db.query(kManifestBytes, {repo}, [&](const sql::Row& row) { bytes += row.int64(0); }));
  return bytes;
}

}  // namespace

Result<void> charge_link(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t size_bytes) {
  std::int64_t links = 0;
  BERTH_TRYV(db.query(kAddNsLink, {repo, blob}, [&](const sql::Row& row) { links = row.int64(0); }));
  BERTH_TRYV(db.execute(kAddRepoBytes, {repo, size_bytes, 0, 0}));
  if (links == 1) BERTH_TRYV(db.execute(kAddNsBytes, {repo, size_bytes}));
  return {};
}

Result<void> release_link(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t size_bytes) {
  std::int64_t links = 0;
  BERTH_TRYV(db.query(kDropNsLink, {repo, blob}, [&](const sql::Row& row) { links = row.int64(0); }));
  BERTH_TRYV(db.execute(kAddRepoBytes, {repo, -size_bytes, 0, 0}));
  if (links > 0) return {};
  BERTH_TRYV(db.execute(kForgetNsLink, {repo, blob}));
  BERTH_TRYV(db.execute(kAddNsBytes, {repo, -size_bytes}));
  return {};
}

Result<void> charge_manifests(sql::Connection& db, RepoId repo, std::int64_t size_bytes, std::int64_t count) {
  BERTH_TRYV(db.execute(kAddRepoBytes, {repo, size_bytes, count, 0}));
  BERTH_TRYV(db.execute(kAddNsBytes, {repo, size_bytes}));
  return {};
}

Result<void> charge_repo(sql::Connection& db, NamespaceId ns, RepoId repo) {
  BERTH_TRYV(db.execute(kAddNsLinks, {ns, repo}));
  BERTH_TRY(const std::int64_t bytes, own_bytes(db, ns, repo, 1));
  BERTH_TRYV(db.execute(kAddBytesOfNs, {ns, bytes}));
  return {};
}

Result<void> release_repo(sql::Connection& db, NamespaceId ns, RepoId repo) {
  BERTH_TRYV(db.execute(kDropNsLinks, {ns, repo}));
  BERTH_TRY(const std::int64_t bytes, own_bytes(db, ns, repo, 0));
  BERTH_TRYV(db.execute(kForgetNsLinks, {ns, repo}));
  BERTH_TRYV(db.execute(kAddBytesOfNs, {ns, -bytes}));
  return {};
}

Result<std::vector<CountedLink>> list_counted_links(sql::Connection& db, RepoId repo, BlobId after,
                                                    std::int64_t limit) {
  std::vector<CountedLink> out;
  BERTH_TRYV(db.query(kCountedLinks, {repo, after, limit},
                      [&](const sql::Row& row) { out.push_back({row.int64(0), row.int64(1)}); }));
  return out;
}

Result<std::vector<Holder>> other_holders(sql::Connection& db, BlobId blob, RepoId than, std::int64_t limit) {
  std::vector<Holder> out;
  BERTH_TRYV(db.query(kOtherHolders, {blob, than, limit},
                      [&](const sql::Row& row) { out.push_back({row.int64(0), std::string(row.text(1))}); }));
  return out;
}

Result<Totals> store_totals(sql::Connection& db) {
  Totals totals;
  BERTH_TRYV(db.query(kTotals, {}, [&](const sql::Row& row) {
    totals.repositories = row.int64(0);
    totals.tags = row.int64(1);
    totals.manifests = row.int64(2);
  }));
  BERTH_TRYV(db.query(kTotalBytes, {}, [&](const sql::Row& row) { totals.used_bytes = row.int64(0); }));
  return totals;
}

Result<void> count_tags(sql::Connection& db, RepoId repo, std::int64_t count) {
  BERTH_TRYV(db.execute(kAddRepoBytes, {repo, 0, 0, count}));
  return {};
}

}  // namespace berth::meta
