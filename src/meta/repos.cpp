#include "meta/repos.h"

#include "meta/gc_queue.h"
#include "meta/readmes.h"
#include "meta/usage.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kFindRepo = R"(
  SELECT id
  FROM repo
  WHERE name = $1 AND deleted_at IS NULL)";

constexpr sql::Sql kFindNs = R"(
  SELECT id
  FROM ns
  WHERE name = $1)";

constexpr sql::Sql kInsertNs = R"(
  INSERT INTO ns(name, kind)
  VALUES($1, 0)
  RETURNING id)";

constexpr sql::Sql kInsertRepo = R"(
  INSERT INTO repo(ns_id, name, visibility, created_at)
  SELECT id, $2, visibility, $3
  FROM ns
  WHERE id = $1
  RETURNING id)";

constexpr sql::Sql kListRepos = R"(
  SELECT name
  FROM repo
  WHERE name > $1 AND deleted_at IS NULL
  ORDER BY name
  LIMIT $2)";

constexpr sql::Sql kListReposDown = R"(
  SELECT name
  FROM repo
  WHERE name < $1 AND deleted_at IS NULL
  ORDER BY name DESC
  LIMIT $2)";

Result<std::optional<std::int64_t>> find_id(sql::Connection& db, sql::Sql sql, std::string_view name) {
  std::optional<std::int64_t> id;
  BERTH_TRYV(db.query(sql, {name}, [&](const sql::Row& row) { id = row.int64(0); }));
  return id;
}

Result<std::int64_t> ensure_ns(sql::Connection& db, std::string_view name) {
  BERTH_TRY(const auto found, find_id(db, kFindNs, name));
  if (found) return *found;
  std::int64_t id = 0;
  BERTH_TRYV(db.query(kInsertNs, {name}, [&](const sql::Row& row) { id = row.int64(0); }));
  return id;
}

constexpr sql::Sql kInfo = R"(
  SELECT id, name, visibility, description, n_tags, n_manifests, used_bytes, created_at, version, ns_id
  FROM repo
  WHERE name = $1 AND deleted_at IS NULL)";

constexpr sql::Sql kUpdate = R"(
  UPDATE repo
  SET visibility = $3, description = $4, version = version + 1
  WHERE id = $1 AND version = $2)";

constexpr sql::Sql kRename = R"(
  UPDATE repo
  SET ns_id = $2, name = $3, version = version + 1
  WHERE id = $1)";

constexpr sql::Sql kDelete = R"(
  UPDATE repo
  SET name = $2, deleted_at = $3, version = version + 1
  WHERE id = $1)";

constexpr sql::Sql kLinkBehind = R"(
  SELECT 1
  FROM repo_blob
  WHERE repo_id = $1
  LIMIT 1 OFFSET $2)";

constexpr sql::Sql kNameOf = R"(
  SELECT name
  FROM repo
  WHERE id = $1)";

constexpr sql::Sql kManifestCount = R"(
  SELECT n_manifests
  FROM repo
  WHERE id = $1)";

Result<void> check_free(sql::Connection& db, const oci::RepoName& name) {
  BERTH_TRY(const auto there, find_repo(db, name));
  if (there) return fail(Errc::already_exists, "there is a repository " + name.str() + " already");
  return {};
}

}  // namespace

Result<std::optional<RepoId>> find_repo(sql::Connection& db, const oci::RepoName& name) {
  return find_id(db, kFindRepo, name.str());
}

Result<RepoId> ensure_repo(sql::Connection& db, const oci::RepoName& name, const Stamp& stamp) {
  BERTH_TRY(const auto found, find_repo(db, name));
  if (found) return *found;
  BERTH_TRY(const auto ns_id, ensure_ns(db, name.first_component()));
  RepoId id = 0;
  BERTH_TRYV(db.query(kInsertRepo, {ns_id, std::string_view(name.str()), stamp.at_ms},
                      [&](const sql::Row& row) { id = row.int64(0); }));
  return id;
}

Result<std::optional<RepoInfo>> find_repo_info(sql::Connection& db, const oci::RepoName& name) {
  std::optional<RepoInfo> out;
  BERTH_TRYV(db.query(kInfo, {std::string_view(name.str())}, [&](const sql::Row& row) {
    out = RepoInfo{row.int64(0),
                   std::string(row.text(1)),
                   static_cast<Visibility>(row.int64(2)),
                   std::string(row.text(3)),
                   row.int64(4),
                   row.int64(5),
                   row.int64(6),
                   row.int64(7),
                   row.int64(8),
                   row.int64(9)};
  }));
  return out;
}

Result<void> update_repo(sql::Connection& db, const RepoInfo& info) {
  BERTH_TRY(const std::int64_t changed,
            db.execute(kUpdate, {info.id, info.version, static_cast<std::int64_t>(info.visibility),
                                 std::string_view(info.description)}));
  if (changed == 0) return fail(Errc::precondition_failed, info.name + " was changed meanwhile");
  return {};
}

Result<void> rename_repo(sql::Connection& db, const RepoInfo& repo, const oci::RepoName& to) {
  BERTH_TRYV(check_free(db, to));
  BERTH_TRYV(db.execute(kRename, {repo.id, repo.ns, std::string_view(to.str())}));
  return {};
}

Result<void> transfer_repo(sql::Connection& db, const RepoInfo& repo, NamespaceId ns, const oci::RepoName& to) {
  BERTH_TRYV(check_free(db, to));
  BERTH_TRYV(release_repo(db, repo.ns, repo.id));
  BERTH_TRYV(db.execute(kRename, {repo.id, ns, std::string_view(to.str())}));
  return charge_repo(db, ns, repo.id);
}

Result<void> delete_repo(sql::Connection& db, const RepoInfo& repo, const Stamp& stamp) {
  BERTH_TRYV(release_repo(db, repo.ns, repo.id));
  BERTH_TRYV(remove_readme(db, repo.id));
  const std::string name = repo.name + "#" + std::to_string(repo.id);  // '#' is in no name (G1)
  BERTH_TRYV(db.execute(kDelete, {repo.id, std::string_view(name), stamp.at_ms}));
  return queue_candidate(db, Candidate::repo, repo.id, repo.id, stamp.at_ms + kUndoMs, Cause::repo_deleted);
}

Result<bool> has_more_links_than(sql::Connection& db, RepoId repo, std::int64_t count) {
  bool found = false;
  BERTH_TRYV(db.query(kLinkBehind, {repo, count}, [&](const sql::Row&) { found = true; }));
  return found;
}

Result<std::optional<std::string>> find_repo_name(sql::Connection& db, RepoId id) {
  std::optional<std::string> out;
  BERTH_TRYV(db.query(kNameOf, {id}, [&](const sql::Row& row) { out = row.text(0); }));
  return out;
}

Result<std::vector<std::string>> list_repos(sql::Connection& db, std::string_view last, std::int64_t limit,
                                            Order order) {
  std::vector<std::string> names;
  BERTH_TRYV(db.query(order == Order::up ? kListRepos : kListReposDown, {last, limit},
                      [&](const sql::Row& row) { names.emplace_back(row.text(0)); }));
  return names;
}

Result<std::int64_t> manifest_count(sql::Connection& db, RepoId repo) {
  std::int64_t count = 0;
  BERTH_TRYV(db.query(kManifestCount, {repo}, [&](const sql::Row& row) { count = row.int64(0); }));
  return count;
}

}  // namespace berth::meta
