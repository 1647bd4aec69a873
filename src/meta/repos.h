#pragma once
// Repositories and their namespaces. A repository comes into being when the first blob or manifest is linked into it.

#include "meta/ids.h"
#include "oci/repo_name.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

Result<std::optional<RepoId>> find_repo(sql::Connection& db, const oci::RepoName& name);
/// The repository's row, created with its namespace if it is new.
Result<RepoId> ensure_repo(sql::Connection& db, const oci::RepoName& name, const Stamp& stamp);
/// Live manifests of the repository.
Result<std::int64_t> manifest_count(sql::Connection& db, RepoId repo);
/// Names after `last` (exclusive, need not exist), bytewise ascending, at most `limit` (L3).
Result<std::vector<std::string>> list_repos(sql::Connection& db, std::string_view last, std::int64_t limit);

}  // namespace berth::meta
