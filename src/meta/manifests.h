#pragma once
// Manifests of a repository, their bytes and their edges. Bytes live in the database, one row however many repositories
// and algorithms name them (M4).

#include "meta/ids.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "oci/repo_name.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

struct ManifestHead {
  ManifestId id = 0;
  oci::Digest digest;  // the tag's pin, or the digest asked for
  std::string media_type;
  std::uint64_t size_bytes = 0;
};
struct ManifestBytes {
  ManifestHead head;
  std::string bytes;  // verified against their stored sha256
};

Result<std::optional<ManifestHead>> find_manifest(sql::Connection& db, const oci::RepoName& repo,
                                                  const oci::Reference& reference);
/// Errors: corrupt if the stored bytes do not hash to what they were stored under; manifest_too_large if they are more
/// than `bytes_max` and were therefore not read.
Result<std::optional<ManifestBytes>> load_manifest(sql::Connection& db, const oci::RepoName& repo,
                                                   const oci::Reference& reference,
                                                   std::uint64_t bytes_max = UINT64_MAX);

/// Live manifest of the repository by digest, inside a transaction.
struct ChildTarget {
  ManifestId id = 0;
  std::int64_t size_bytes = 0;
};
Result<std::optional<ChildTarget>> find_child_target(sql::Connection& db, RepoId repo, const oci::Digest& digest);

struct NewManifest {
  oci::Digest digest;
  std::string_view bytes;
  const oci::Manifest& parsed;
  std::vector<BlobId> blobs;          // resolved edges, may repeat
  std::vector<oci::Digest> children;  // edges to manifests
};
/// Inserts or revives. Idempotent for the same digest. Edges, body, usage, candidates (E2).
Result<ManifestId> put_manifest(sql::Connection& db, RepoId repo, const NewManifest& manifest, const Stamp& stamp);

/// Digests of live indexes of the repository that list the manifest (D2), at most `limit`.
Result<std::vector<std::string>> manifest_parents(sql::Connection& db, RepoId repo, const oci::Digest& digest,
                                                  std::int64_t limit);

/// E4: hides the manifest for the undo window, removes every tag pinned to it with a history entry each, queues what
/// may become garbage. False if it is not there.
Result<bool> trash_manifest(sql::Connection& db, RepoId repo, const oci::Digest& digest, const Stamp& stamp);

}  // namespace berth::meta
