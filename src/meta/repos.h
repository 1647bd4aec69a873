#pragma once
// Repositories and their namespaces. A repository comes into being when the first blob or manifest is linked into it.

#include "meta/namespaces.h"
#include "oci/repo_name.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

Result<std::optional<RepoId>> find_repo(sql::Connection& db, const oci::RepoName& name);
/// The repository's row, created with its namespace if it is new.
Result<RepoId> ensure_repo(sql::Connection& db, const oci::RepoName& name, const Stamp& stamp);
struct RepoInfo {
  RepoId id = 0;
  std::string name;
  Visibility visibility = Visibility::closed;
  std::string description;
  std::int64_t tags = 0;
  std::int64_t manifests = 0;
  std::int64_t used_bytes = 0;
  std::int64_t created_at_ms = 0;
  std::int64_t version = 1;
};
Result<std::optional<RepoInfo>> find_repo_info(sql::Connection& db, const oci::RepoName& name);
/// Writes visibility and description. Errors: precondition_failed if the row is not at `version` any more.
Result<void> update_repo(sql::Connection& db, const RepoInfo& info);
/// Live manifests of the repository.
Result<std::int64_t> manifest_count(sql::Connection& db, RepoId repo);
/// The name of a row; nullopt if there is none.
Result<std::optional<std::string>> find_repo_name(sql::Connection& db, RepoId id);
/// Names after `last` (exclusive, need not exist), bytewise ascending, at most `limit` (L3).
Result<std::vector<std::string>> list_repos(sql::Connection& db, std::string_view last, std::int64_t limit,
                                            Order order = Order::up);

}  // namespace berth::meta
