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
  NamespaceId ns = 0;
};
Result<std::optional<RepoInfo>> find_repo_info(sql::Connection& db, const oci::RepoName& name);
/// Writes visibility and description. Errors: precondition_failed if the row is not at `version` any more.
Result<void> update_repo(sql::Connection& db, const RepoInfo& info);
/// Calls it something else within its namespace; what is in it stays. Errors: already_exists.
Result<void> rename_repo(sql::Connection& db, const RepoInfo& repo, const oci::RepoName& to);
/// Moves it, and what it is counted for, into that namespace, the one that the name begins with. Errors:
/// already_exists.
Result<void> transfer_repo(sql::Connection& db, const RepoInfo& repo, NamespaceId ns, const oci::RepoName& to);
/// E10: from now on it is nobody's, under a name that none can be called; what is in it is hidden with it and goes
/// after the undo window. Its namespace pays for it no more. Who pushes to its name makes another one.
Result<void> delete_repo(sql::Connection& db, const RepoInfo& repo, const Stamp& stamp);
/// Whether it has more links than that, hidden ones with them.
Result<bool> has_more_links_than(sql::Connection& db, RepoId repo, std::int64_t count);
/// Live manifests of the repository.
Result<std::int64_t> manifest_count(sql::Connection& db, RepoId repo);
/// The name of a row; nullopt if there is none. That of a deleted one is none that a repository can have.
Result<std::optional<std::string>> find_repo_name(sql::Connection& db, RepoId id);
/// Names after `last` (exclusive, need not exist), bytewise ascending, at most `limit` (L3).
Result<std::vector<std::string>> list_repos(sql::Connection& db, std::string_view last, std::int64_t limit,
                                            Order order = Order::up);

}  // namespace berth::meta
