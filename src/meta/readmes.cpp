#include "meta/readmes.h"

#include <algorithm>

namespace berth::meta {

namespace {

constexpr sql::Sql kFind = R"(
  SELECT text, version
  FROM readme
  WHERE repo_id = $1)";

constexpr sql::Sql kPut = R"(
  INSERT INTO readme(repo_id, text, version, updated_at, updated_by)
  VALUES($1, $2, $3, $4, $5)
  ON CONFLICT(repo_id) DO UPDATE
    SET text = excluded.text, version = excluded.version, updated_at = excluded.updated_at,
      updated_by = excluded.updated_by)";

constexpr sql::Sql kRemove = R"(
  DELETE FROM readme
  WHERE repo_id = $1)";

}  // namespace

Result<std::optional<Readme>> find_readme(sql::Connection& db, RepoId repo) {
  std::optional<Readme> out;
  BERTH_TRYV(
      db.query(kFind, {repo}, [&](const sql::Row& row) { out = Readme{std::string(row.text(0)), row.int64(1)}; }));
  return out;
}

Result<bool> put_readme(sql::Connection& db, RepoId repo, std::string_view text, const Stamp& stamp) {
  BERTH_TRY(const auto before, find_readme(db, repo));
  const std::int64_t version = before ? std::max(before->version + 1, stamp.at_ms) : stamp.at_ms;
  BERTH_TRYV(db.execute(kPut, {repo, text, version, stamp.at_ms, bind_optional(stamp.principal)}));
  return before.has_value();
}

Result<bool> remove_readme(sql::Connection& db, RepoId repo) {
  BERTH_TRY(const std::int64_t changed, db.execute(kRemove, {repo}));
  return changed > 0;
}

}  // namespace berth::meta
