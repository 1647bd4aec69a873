#pragma once
// What `berth fsck` asks the database: rows side by side with what they must agree with, in pages by key, so that
// memory stays bounded whatever the size of the store. Nothing here judges (lifecycle/fsck.h does) or writes
// (meta/fsck_repair.h does).

#include "meta/ids.h"
#include "oci/digest.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

// --- the database itself ---------------------------------------------------------------------------------------------

/// Number of the last migration applied; 0 if there is none.
Result<std::int64_t> schema_version(sql::Connection& db);
/// The schema this binary reads and writes.
std::int64_t schema_version_known();
/// The engine's own check of its structures. Empty: sound. At most `limit` complaints. Reads the whole file.
Result<std::vector<std::string>> check_integrity(sql::Connection& db, std::size_t limit);
/// Whether every complaint is about an index, which rebuild_indexes() makes anew from its table.
bool is_about_indexes(const std::vector<std::string>& complaints);

struct CheckTotals {
  std::uint64_t blobs = 0;
  std::uint64_t blob_bytes = 0;  // of those present or bad
  std::uint64_t manifests = 0;
  std::uint64_t links = 0;
  std::uint64_t tags = 0;
  std::uint64_t repos = 0;
  std::uint64_t namespaces = 0;
  std::uint64_t candidates = 0;
};
Result<CheckTotals> count_for_check(sql::Connection& db);

// --- blobs -----------------------------------------------------------------------------------------------------------

struct BlobCheck {
  BlobId id = 0;
  std::optional<oci::Digest> digest;  // nullopt: not a digest any more
  std::uint64_t size_bytes = 0;
  std::uint64_t inc = 0;
  std::int64_t state = 0;
  bool linked = false;
  bool queued = false;  // as a candidate
};
Result<std::vector<BlobCheck>> check_blobs(sql::Connection& db, BlobId after, std::int64_t limit);
/// Names of repositories with a link to the blob, deleted ones aside.
Result<std::vector<std::string>> repos_of_blob(sql::Connection& db, BlobId blob, std::int64_t limit);
/// Live manifests that need the blob, as repository@digest.
Result<std::vector<std::string>> manifests_of_blob(sql::Connection& db, BlobId blob, std::int64_t limit);

/// What the database says about a file of the blob store.
enum class FileOwner : std::uint8_t { nobody, present, bad, doomed };
Result<FileOwner> owner_of_file(sql::Connection& db, const oci::Digest& digest, std::uint64_t inc);

// --- manifests -------------------------------------------------------------------------------------------------------

/// What a row repeats of the manifest's bytes.
struct ManifestColumns {
  std::int64_t kind = 0;
  std::string media_type;
  std::uint64_t size_bytes = 0;
  std::string artifact_type;  // empty: NULL
  std::string subject;
  std::string ref_desc;
  friend bool operator==(const ManifestColumns&, const ManifestColumns&) = default;
};
struct ManifestCheck {
  ManifestId id = 0;
  RepoId repo = 0;
  std::string repo_name;  // empty: no such repository
  std::optional<oci::Digest> digest;
  std::int64_t state = 0;
  std::int64_t purge_at = 0;  // 0: none
  bool purge_queued = false;
  ManifestColumns columns;
  std::int64_t body = 0;
  bool has_body = false;
  std::int64_t encoding = 0;
  std::vector<std::byte> body_sha256;
  std::string bytes;
};
Result<std::vector<ManifestId>> list_manifest_ids(sql::Connection& db, ManifestId after, std::int64_t limit);
Result<std::optional<ManifestCheck>> load_manifest_check(sql::Connection& db, ManifestId id);

struct BlobEdge {
  BlobId blob = 0;
  RepoId repo = 0;
  std::optional<oci::Digest> digest;       // nullopt: no such blob row
  std::optional<std::int64_t> link_state;  // nullopt: no link in the manifest's repository
};
struct ChildEdge {
  RepoId repo = 0;
  std::optional<oci::Digest> digest;
};
Result<std::vector<BlobEdge>> list_blob_edges(sql::Connection& db, ManifestId manifest);
Result<std::vector<ChildEdge>> list_child_edges(sql::Connection& db, ManifestId manifest);
/// Manifests that are gone but still have edges.
Result<std::vector<ManifestId>> list_dangling_edges(sql::Connection& db, ManifestId after, std::int64_t limit);

struct UnusedBody {
  std::int64_t id = 0;
  std::string sha256_hex;
};
Result<std::vector<UnusedBody>> list_unused_bodies(sql::Connection& db, std::int64_t after, std::int64_t limit);

// --- links and tags --------------------------------------------------------------------------------------------------

struct LinkCheck {
  RepoId repo = 0;
  BlobId blob = 0;
  std::int64_t state = 0;
  std::string repo_name;                   // empty: no such repository
  std::optional<std::int64_t> blob_state;  // nullopt: no such blob row
  std::optional<oci::Digest> digest;
  bool needed = false;  // by an edge of a manifest, live or in the trash
  bool queued = false;
};
/// Position in a walk over rows whose key is (repo, blob).
struct LinkKey {
  RepoId repo = 0;
  BlobId blob = 0;
};
Result<std::vector<LinkCheck>> check_links(sql::Connection& db, LinkKey after, std::int64_t limit);

struct TagCheck {
  RepoId repo = 0;
  std::string name;
  std::string repo_name;
  bool resolves = false;              // to a live manifest of the same repository
  std::optional<oci::Digest> digest;  // of the manifest, whatever its state; nullopt: no such row
  bool has_history = false;
  std::optional<oci::Digest> last_digest;  // of the last entry; nullopt also for a delete
};
struct TagKey {
  RepoId repo = 0;
  std::string name;
};
Result<std::vector<TagCheck>> check_tags(sql::Connection& db, const TagKey& after, std::int64_t limit);

/// A tag whose history ends with a move, but which is not there.
struct LostTag {
  std::int64_t entry = 0;
  RepoId repo = 0;
  std::string repo_name;
  std::string name;
  std::optional<oci::Digest> digest;
  std::optional<ManifestId> manifest;  // live, if it is still there
};
Result<std::vector<LostTag>> list_lost_tags(sql::Connection& db, std::int64_t after, std::int64_t limit);

// --- usage -----------------------------------------------------------------------------------------------------------

struct RepoCounters {
  std::int64_t used_bytes = 0;
  std::int64_t tags = 0;
  std::int64_t manifests = 0;
  friend bool operator==(const RepoCounters&, const RepoCounters&) = default;
};
struct RepoUsage {
  RepoId id = 0;
  std::string name;
  RepoCounters stored;
  RepoCounters counted;
};
Result<std::vector<RepoUsage>> check_repo_usage(sql::Connection& db, RepoId after, std::int64_t limit);

struct NsUsage {
  std::int64_t id = 0;
  std::string name;
  std::int64_t stored_bytes = 0;
  std::int64_t counted_bytes = 0;  // trusts ns_blob: repair that first
};
Result<std::vector<NsUsage>> check_ns_usage(sql::Connection& db, std::int64_t after, std::int64_t limit);

/// How often a blob is linked within a namespace.
struct NsLinks {
  std::int64_t ns = 0;
  BlobId blob = 0;
  std::int64_t counted = 0;
  std::optional<std::int64_t> stored;
};
Result<std::vector<NsLinks>> check_ns_links(sql::Connection& db, BlobId blob);
Result<std::uint64_t> count_ns_links(sql::Connection& db);
/// Rows of blobs that no repository of the namespace links.
Result<std::vector<NsLinks>> list_surplus_ns_links(sql::Connection& db, const NsLinks& after, std::int64_t limit);

// --- garbage bookkeeping, uploads ------------------------------------------------------------------------------------

struct CandidateKey {
  std::int64_t kind = 0;
  RepoId repo = 0;
  std::int64_t object = 0;
};
/// Candidates that name nothing.
Result<std::vector<CandidateKey>> list_dangling_candidates(sql::Connection& db, const CandidateKey& after,
                                                           std::int64_t limit);

/// Deleted repositories that are no candidates.
struct ForgottenRepo {
  RepoId id = 0;
  std::string name;
};
Result<std::vector<ForgottenRepo>> list_forgotten_repos(sql::Connection& db, RepoId after, std::int64_t limit);

struct OpenUpload {
  std::string id;
  std::string repo;
  std::uint64_t inc = 0;
  std::uint64_t offset_bytes = 0;
};
Result<std::vector<OpenUpload>> list_open_uploads(sql::Connection& db, std::string_view after, std::int64_t limit);
Result<std::uint64_t> count_unplaced(sql::Connection& db);
Result<std::uint64_t> count_doomed(sql::Connection& db);

}  // namespace berth::meta
