#pragma once
// Exact usage counters, changed only in the transaction that adds or removes the link or the manifest. A namespace pays
// for a blob once, however many of its repositories link it; a manifest counts once per repository. What a deleted
// repository still holds is counted for itself alone, and for no namespace.

#include "meta/ids.h"

#include <string>
#include <vector>

namespace berth::meta {

Result<void> charge_link(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t size_bytes);
Result<void> release_link(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t size_bytes);
/// size_bytes and count may be negative: a manifest went away.
Result<void> charge_manifests(sql::Connection& db, RepoId repo, std::int64_t size_bytes, std::int64_t count);
Result<void> count_tags(sql::Connection& db, RepoId repo, std::int64_t count);

/// All at once what a namespace pays for a repository of its own: when it comes from another one, and when it goes.
Result<void> charge_repo(sql::Connection& db, NamespaceId ns, RepoId repo);
Result<void> release_repo(sql::Connection& db, NamespaceId ns, RepoId repo);

/// A live link, as it is counted.
struct CountedLink {
  BlobId blob = 0;
  std::int64_t size_bytes = 0;
};
/// Of the repository, by blob, after that one.
Result<std::vector<CountedLink>> list_counted_links(sql::Connection& db, RepoId repo, BlobId after, std::int64_t limit);
/// Other repositories with the blob live, at most `limit`, in no particular order.
struct Holder {
  RepoId repo = 0;
  std::string name;
};
Result<std::vector<Holder>> other_holders(sql::Connection& db, BlobId blob, RepoId than, std::int64_t limit);

/// Of the whole store. Looks at every repository and namespace: for background work.
struct Totals {
  std::int64_t repositories = 0;
  std::int64_t tags = 0;
  std::int64_t manifests = 0;
  std::int64_t used_bytes = 0;  // each blob once per namespace
};
Result<Totals> store_totals(sql::Connection& db);

}  // namespace berth::meta
