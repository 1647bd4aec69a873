#pragma once
// What `berth fsck --repair` writes. Each function is one repair, repeatable without harm, run in a transaction of its
// own. Nowhere else are counters set absolutely or links made without a push.

#include "meta/fsck.h"

#include <span>

namespace berth::meta {

/// Makes every index anew from its table.
Result<void> rebuild_indexes(sql::Connection& db);

/// Rewrites what the row repeats of the manifest's bytes.
Result<void> rewrite_manifest(sql::Connection& db, ManifestId manifest, const ManifestColumns& columns);
/// The hash under which the bytes are looked up and verified.
Result<void> rewrite_body_hash(sql::Connection& db, std::int64_t body, std::span<const std::byte> sha256);

struct EdgeRewrite {
  struct Blob {
    oci::Digest digest;
    std::int64_t size_bytes = 0;
  };
  ManifestId manifest = 0;
  RepoId repo = 0;
  std::vector<Blob> needed;  // a digest nobody knows any more becomes a placeholder, filled by the next push of it
  std::vector<BlobId> kept;  // edges that are right although the body does not require them
  std::vector<oci::Digest> children;
};
/// Replaces all edges of the manifest. Links are left to restore_link().
Result<void> rewrite_edges(sql::Connection& db, const EdgeRewrite& edges, const Stamp& stamp);
Result<void> drop_edges(sql::Connection& db, ManifestId manifest);

/// Makes the link an edge needs: live, or reserved if the blob is a placeholder. One that comes back from the trash is
/// charged again; one that was lost still is.
Result<void> restore_link(sql::Connection& db, RepoId repo, BlobId blob, const Stamp& stamp);
Result<void> drop_link(sql::Connection& db, RepoId repo, BlobId blob);
/// The link claims bytes that are not here: it only reserves their place.
Result<void> demote_link(sql::Connection& db, RepoId repo, BlobId blob);

/// Removes a tag that points nowhere, with an entry in its history.
Result<void> remove_tag(sql::Connection& db, RepoId repo, std::string_view name,
                        const std::optional<oci::Digest>& previous, const Stamp& stamp);
/// Appends the entry that makes the history end where the tag is: at `digest`, or deleted.
Result<void> append_history(sql::Connection& db, RepoId repo, std::string_view name,
                            const std::optional<oci::Digest>& digest, const std::optional<oci::Digest>& previous,
                            const Stamp& stamp);

Result<void> set_repo_usage(sql::Connection& db, RepoId repo, const RepoCounters& counters);
Result<void> set_ns_usage(sql::Connection& db, std::int64_t ns, std::int64_t used_bytes);
/// links.counted; 0 removes the row.
Result<void> set_ns_links(sql::Connection& db, const NsLinks& links);

}  // namespace berth::meta
