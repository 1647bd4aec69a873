#pragma once
// Blobs (bytes known to the store) and links (membership of a digest in a repository). Visibility is the link, never
// the blob: every lookup for a caller goes through a repository (S4).

#include "meta/ids.h"
#include "oci/digest.h"
#include "oci/repo_name.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

struct Link {
  RepoId repo = 0;
  BlobId blob = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t inc = 0;                      // incarnation: which file holds the bytes
  std::optional<std::int64_t> candidate_due;  // set while the link is a garbage candidate
};

/// The live link of a digest in a repository whose bytes are present and not known to be bad.
Result<std::optional<Link>> find_link(sql::Connection& db, const oci::RepoName& repo, const oci::Digest& digest);

struct CommittedBlob {
  std::uint64_t inc = 0;       // the incarnation that is kept
  bool kept_existing = false;  // the store had these bytes already: the caller's copy is surplus
};

/// The commit point of an upload: records the bytes (or finds them known), links them into the repository (made if
/// new), queues the link as a candidate (E1).
struct NewBlob {
  oci::Digest digest;
  std::uint64_t size_bytes = 0;
  std::uint64_t inc = 0;
  std::uint64_t damaged_inc = 0;  // bytes known to be gone or damaged: if the store still believes in them, they go
};
Result<CommittedBlob> commit_blob(sql::Connection& db, const oci::RepoName& repo, const NewBlob& blob,
                                  const Stamp& stamp);

/// Where the store believes the bytes of a digest to be; nullopt if it has none or knows them to be bad. For no
/// caller's eyes: it says nothing about repositories.
struct StoredBlob {
  std::uint64_t inc = 0;
  std::uint64_t size_bytes = 0;
};
Result<std::optional<StoredBlob>> find_stored(sql::Connection& db, const oci::Digest& digest);

/// X1, X3: links the digest into `target` if it is linked in `source` (or, without source, in any repository). False if
/// there is nothing to mount.
Result<bool> mount_blob(sql::Connection& db, const oci::RepoName& target, const std::optional<oci::RepoName>& source,
                        const oci::Digest& digest, const Stamp& stamp);
/// Some repositories that have the blob live, at most `limit`, in no particular order.
Result<std::vector<oci::RepoName>> blob_holders(sql::Connection& db, const oci::Digest& digest, std::int64_t limit);

/// Digests of live manifests of the repository that need the blob, at most `limit` (D2).
Result<std::vector<std::string>> blob_referrers(sql::Connection& db, RepoId repo, BlobId blob, std::int64_t limit);

/// Hides the link for the undo window (E6). False if there was no live link.
Result<bool> trash_link(sql::Connection& db, const oci::RepoName& repo, const oci::Digest& digest, const Stamp& stamp);

/// The link a manifest edge needs, inside its transaction (V7). state: 1 live, 3 reserved (sparse).
struct EdgeTarget {
  BlobId blob = 0;
  std::int64_t size_bytes = 0;
  bool present = false;
};
Result<std::optional<EdgeTarget>> find_edge_target(sql::Connection& db, RepoId repo, const oci::Digest& digest);
/// V12: a placeholder for bytes that were never pushed, so that every edge has a link.
Result<BlobId> reserve_link(sql::Connection& db, RepoId repo, const oci::Digest& digest, std::int64_t size_bytes,
                            const Stamp& stamp);

// --- for scrub, fsck and recovery ------------------------------------------------------------------------------------

struct BlobRow {
  BlobId id = 0;
  oci::Digest digest;
  std::uint64_t size_bytes = 0;
  std::uint64_t inc = 0;
  std::int64_t state = 0;
};
/// Rows with id > after, ascending, at most `limit`.
Result<std::vector<BlobRow>> list_blobs(sql::Connection& db, BlobId after, std::int64_t limit);
Result<void> mark_blob_checked(sql::Connection& db, BlobId blob, std::uint64_t inc, std::int64_t at_ms);
/// The bytes failed a check: reads answer 404 until the digest is uploaded again.
Result<void> mark_blob_bad(sql::Connection& db, BlobId blob, std::uint64_t inc, std::int64_t at_ms);
/// Takes that back: the bytes are here after all, and they are right. Only if nobody pushed them meanwhile.
Result<void> mark_blob_present(sql::Connection& db, BlobId blob, std::uint64_t inc, std::int64_t at_ms);

struct Doomed {
  std::uint64_t inc = 0;
  oci::Digest digest;
};
Result<std::vector<Doomed>> list_doomed(sql::Connection& db, std::int64_t limit);
Result<void> forget_doomed(sql::Connection& db, std::uint64_t inc);

}  // namespace berth::meta
