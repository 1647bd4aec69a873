#include "meta/referrers.h"

#include <algorithm>

namespace berth::meta {

namespace {

constexpr sql::Sql kList = R"(
  SELECT id, artifact_type, ref_desc
  FROM manifest
  WHERE repo_id = $1 AND subject = $2 AND id > $3 AND state = 1
  ORDER BY id)";

constexpr sql::Sql kCount = R"(
  SELECT count(*)
  FROM (
    SELECT 1
    FROM manifest
    WHERE repo_id = $1 AND subject = $2
    LIMIT $3) AS counted)";

}  // namespace

Result<ReferrerPage> list_referrers(sql::Connection& db, RepoId repo, std::string_view subject,
                                    const std::vector<std::string>& artifact_types, std::int64_t cursor,
                                    ReferrerLimits limits) {
  ReferrerPage page;
  std::size_t bytes = 0;
  std::size_t seen = 0;
  std::int64_t last = cursor;  // the row looked at before this one
  BERTH_TRYV(db.query(kList, {repo, subject, cursor}, [&](const sql::Row& row) {
    const bool is_listed =
        artifact_types.empty() || std::ranges::find(artifact_types, row.text(1)) != artifact_types.end();
    const std::size_t size = is_listed ? row.text(2).size() + 1 : 0;
    const bool is_full = seen == limits.rows_max || page.rows.size() == limits.listed_max ||
                         (!page.rows.empty() && bytes + size > limits.bytes_max);
    if (is_full) {
      page.next = last;
      return false;
    }
    ++seen;
    bytes += size;
    last = row.int64(0);
    if (is_listed) page.rows.push_back({last, std::string(row.text(1)), std::string(row.text(2))});
    return true;
  }));
  return page;
}

Result<std::int64_t> count_referrers(sql::Connection& db, RepoId repo, std::string_view subject, std::int64_t limit) {
  std::int64_t count = 0;
  BERTH_TRYV(db.query(kCount, {repo, subject, limit}, [&](const sql::Row& row) { count = row.int64(0); }));
  return count;
}

}  // namespace berth::meta
