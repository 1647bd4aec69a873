#pragma once
// Blobs as a repository sees them. Whatever the store holds, a digest exists here only if it is linked (S4).

#include "base/clock.h"
#include "base/log.h"
#include "blob/blob_store.h"
#include "meta/audit.h"
#include "meta/blobs.h"
#include "meta/read_cache.h"
#include "meta/store.h"
#include "oci/repo_name.h"
#include "registry/limits.h"
#include "registry/space_guard.h"

#include <memory>

namespace berth::registry {

struct BlobView {
  std::uint64_t size_bytes = 0;
  std::shared_ptr<io::RandomSource> source;  // shared: keeps serving though the blob is deleted meanwhile
};

class Blobs {
 public:
  struct Deps {
    meta::Store& store;
    blob::BlobStore& blobs;
    blob::BlobMaintenance& files;
    io::BlockingPool& disk;
    const Clock& clock;
    const Log& log;
    const Limits& limits;
  };
  explicit Blobs(Deps deps) : deps_(deps), links_(deps.store.epochs(), deps.limits.link_cache_bytes) {}

  /// Size of a linked blob. Errors: blob_unknown, name_unknown.
  io::Task<Result<std::uint64_t>> head(oci::RepoName repo, oci::Digest digest);
  const meta::ReadCache<meta::Link>& links() const { return links_; }
  /// What open() would give, if nothing has to be waited for; nullopt says nothing about what is there.
  std::optional<BlobView> find_open(const oci::RepoName& repo, const oci::Digest& digest);
  /// Opens a linked blob. Bytes of the wrong length are never served: corrupt, the file goes to quarantine and the next
  /// request finds the blob unknown, until somebody uploads it again.
  io::Task<Result<BlobView>> open(oci::RepoName repo, oci::Digest digest);
  /// Removes the link of this repository; bytes and other repositories are untouched (D3).
  /// Errors: blob_unknown, name_unknown; referenced (D2).
  io::Task<Result<void>> remove(oci::RepoName repo, oci::Digest digest, std::optional<meta::PrincipalId> by = {},
                                std::optional<meta::AuditEntry> audit = {});

 private:
  bool is_safe(const meta::Link& link) const;
  io::Task<Result<meta::Link>> find(oci::RepoName repo, oci::Digest digest);
  io::Task<void> set_aside(meta::Link link, oci::Digest digest);

  Deps deps_;
  meta::ReadCache<meta::Link> links_;
};

}  // namespace berth::registry
