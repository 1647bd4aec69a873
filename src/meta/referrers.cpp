#include "meta/referrers.h"

#include <algorithm>

namespace berth::meta {

namespace {

constexpr sql::Sql kList = R"(
  SELECT id, artifact_type, ref_desc
  FROM manifest
  WHERE repo_id = $1 AND subject = $2 AND id > $3 AND state = 1
  ORDER BY id)";

}  // namespace

Result<std::vector<Referrer>> list_referrers(sql::Connection& db, RepoId repo, std::string_view subject,
                                             const std::vector<std::string>& artifact_types, std::int64_t cursor,
                                             std::size_t bytes_max) {
  std::vector<Referrer> out;
  std::size_t bytes = 0;
  BERTH_TRYV(db.query(kList, {repo, subject, cursor}, [&](const sql::Row& row) {
    const std::string_view type = row.text(1);
    if (!artifact_types.empty() && std::ranges::find(artifact_types, type) == artifact_types.end()) return true;
    const std::string_view descriptor = row.text(2);
    bytes += descriptor.size() + 1;
    // One row past the budget tells the caller that there is more.
    out.push_back({row.int64(0), std::string(type), std::string(descriptor)});
    return bytes <= bytes_max;
  }));
  return out;
}

}  // namespace berth::meta
