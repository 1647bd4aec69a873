#pragma once
// Manifests and the tags that point at them: the rules of a push in the order of M1, and of reading and deleting.

#include "base/clock.h"
#include "base/log.h"
#include "io/blocking_pool.h"
#include "meta/audit.h"
#include "meta/manifests.h"
#include "meta/read_cache.h"
#include "meta/store.h"
#include "oci/reference.h"
#include "oci/repo_name.h"
#include "registry/limits.h"
#include "registry/space_guard.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace berth::registry {

/// M6: whether the push may go on, given what a tag it would move points at now (nullopt: there is no such tag). Asked
/// for each of its tags. Empty: always.
using Precondition = std::function<bool(const std::optional<oci::Digest>& current)>;

struct PutManifest {
  oci::RepoName repo;
  oci::Reference reference;
  std::optional<oci::Digest> pin;  // `?digest=` beside a tag: verified, and what the tag is pinned to (M5)
  std::string media_type;          // Content-Type as sent, may be empty
  std::string body;
  std::vector<oci::Tag> extra_tags;  // `?tag=`, only beside a digest (M5)
  Precondition precondition = {};
  std::optional<meta::PrincipalId> by = {};  // who pushes; nullopt: an anonymous caller
  bool may_move_tags = true;                 // false: a tag that points elsewhere stays where it is
  /// Who does it and from where: completed and written with the push. nullopt: nothing is on record.
  std::optional<meta::AuditEntry> audit = {};
};

struct StoredManifest {
  oci::Digest digest;
  std::string subject;                // for OCI-Subject, empty if none
  std::vector<std::string> warnings;  // H9
};

/// shared: an answer on its way out keeps the bytes though the cache has forgotten them.
using ManifestPtr = std::shared_ptr<const meta::ManifestBytes>;

/// What a push is, once its bytes are understood and before the database is asked anything.
struct ParsedPush {
  oci::Digest digest;
  oci::Manifest manifest;
};
/// Errors: digest_mismatch, manifest_invalid. Pure.
Result<ParsedPush> parse_push(const PutManifest& cmd, const Limits& limits);

/// The push itself, inside its transaction: for Manifests::put and for tools that push many at once.
/// Errors: as Manifests::put from there on.
Result<StoredManifest> commit_push(sql::Connection& db, const PutManifest& cmd, const ParsedPush& parsed,
                                   const Limits& limits, const meta::Stamp& stamp);

/// What has to be in a repository before the manifest may be pushed (V7–V9, V12), as digest texts: to tell in advance
/// what commit_push() will say.
struct Requirements {
  std::vector<std::string> blobs;
  std::vector<std::string> manifests;
};
Requirements requirements_of(const oci::Manifest& manifest, ReferencePolicy policy);

class Manifests {
 public:
  struct Deps {
    meta::Store& store;
    io::BlockingPool& cpu;
    const SpaceGuard& space;
    const Clock& clock;
    const Log& log;
    const Limits& limits;
  };
  explicit Manifests(Deps deps) : deps_(deps), cache_(deps.store.epochs(), deps.limits.manifest_cache_bytes) {}

  /// All or nothing: manifest, tags, history, referrer entry and edges in one transaction (M1, R5).
  /// Errors: digest_mismatch (M4), manifest_invalid (V1-V10), manifest_blob_unknown with the missing digests (V7, V9),
  /// precondition_failed (M6), denied (S21; a tag that may not be moved, S10), no_space.
  io::Task<Result<StoredManifest>> put(PutManifest cmd);
  /// What is at hand without asking anybody, by texts as they came, valid or not. nullptr says nothing about what is
  /// there.
  ManifestPtr find_cached(std::string_view repo, std::string_view reference) {
    if (reference.find(':') == std::string_view::npos) return cache_.find(repo, reference);
    const auto digest = oci::Digest::parse(reference);
    return digest ? cache_.find(repo, meta::cache_item(*digest)) : nullptr;
  }
  const meta::ReadCache<meta::ManifestBytes>& cache() const { return cache_; }
  /// Errors: manifest_unknown, name_unknown, corrupt.
  io::Task<Result<ManifestPtr>> get(oci::RepoName repo, oci::Reference reference);
  io::Task<Result<meta::ManifestHead>> head(oci::RepoName repo, oci::Reference reference);
  /// A tag goes alone; a digest takes every tag pinned to it along (D1).
  /// Errors: manifest_unknown, name_unknown, referenced (D2).
  io::Task<Result<void>> remove(oci::RepoName repo, oci::Reference reference, std::optional<meta::PrincipalId> by = {},
                                std::optional<meta::AuditEntry> audit = {});

 private:
  Error unknown(const oci::RepoName& repo);
  Result<ManifestPtr> load(const oci::RepoName& repo, const oci::Reference& reference);

  Deps deps_;
  meta::ReadCache<meta::ManifestBytes> cache_;
};

}  // namespace berth::registry
