#pragma once
// One run of the migration, as its parts see it; see migrate_distribution.h. Only migrate*.cpp include this.

#include "lifecycle/distribution_tree.h"
#include "lifecycle/migrate_distribution.h"
#include "meta/ids.h"
#include "meta/store.h"
#include "oci/repo_name.h"

#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace berth::lifecycle {

class MigrateRun {
 public:
  struct Deps {
    meta::Store* store = nullptr;       // nullptr in a dry run
    sql::Connection* reader = nullptr;  // of a dry run with a data folder
    blob::FsStore* blobs = nullptr;     // nullptr without a data folder
    blob::Adopter* adopter = nullptr;   // nullptr in a dry run
    const MigrateTools& tools;
  };
  /// What is known of a digest that the source has or speaks of.
  enum class Fate : std::uint8_t {
    stored,    // the store has its bytes
    planned,   // its bytes are to be taken
    lost,      // its bytes cannot be had; see why_lost()
    manifest,  // only as a manifest
  };

  MigrateRun(Deps deps, const DistributionTree& tree, const MigrateOptions& options, MigrateReport& report)
      : deps_(deps), tree_(tree), options_(options), report_(report) {}

  const DistributionTree& tree() const { return tree_; }
  const MigrateOptions& options() const { return options_; }
  const MigrateTools& tools() const { return deps_.tools; }
  MigrateReport& report() { return report_; }
  bool dry() const { return options_.dry_run; }
  meta::Store& store() { return *deps_.store; }
  blob::FsStore* blobs() { return deps_.blobs; }
  blob::Adopter& adopter() { return *deps_.adopter; }
  meta::Stamp now() const { return {deps_.tools.clock.now_ms(), std::nullopt}; }

  void skip(SkipKind kind, std::string object, std::string reason);
  void show(const Progress& progress) const {
    if (options_.on_progress) options_.on_progress(progress);
  }

  /// A lookup in the store's database; a default value where there is none yet. `fn(Connection&) -> Result<T>`.
  template <class F>
  std::invoke_result_t<F&, sql::Connection&> ask(F fn) {
    if (deps_.store != nullptr) return deps_.store->peek(std::move(fn));
    if (deps_.reader != nullptr) return fn(*deps_.reader);
    return typename std::invoke_result_t<F&, sql::Connection&>::value_type{};
  }

  std::optional<Fate> fate(const oci::Digest& digest) const;
  void set_fate(const oci::Digest& digest, Fate fate) { fates_.insert_or_assign(digest, fate); }
  void lose(const oci::Digest& digest, std::string why);
  /// A clause, empty if nothing is known against it.
  std::string why_lost(const std::string& digest_text) const;

 private:
  Deps deps_;
  const DistributionTree& tree_;
  const MigrateOptions& options_;
  MigrateReport& report_;
  std::unordered_map<oci::Digest, Fate> fates_;
  std::unordered_map<std::string, std::string> lost_;
};

struct SourceRepo {
  oci::RepoName name;
  std::int64_t first_ms = INT64_MAX;  // the oldest of its links: about when it came into being
};

struct BlobJob {
  oci::Digest digest;
  std::uint64_t size_bytes = 0;
  std::size_t repo = 0;           // index of the first repository that has it
  std::uint64_t damaged_inc = 0;  // the store's own copy, known to be gone or damaged
};

struct MigratePlan {
  std::vector<SourceRepo> repos;
  std::vector<BlobJob> jobs;
  std::uint64_t bytes = 0;  // of the jobs
};

/// Walks the source: its repositories, and which blobs have to be taken.
Result<MigratePlan> plan_migration(MigrateRun& run);
/// Hashes the blobs and takes them into the store, in parallel.
Result<void> take_blobs(MigrateRun& run, const MigratePlan& plan, std::span<const BlobJob> jobs);
/// The repository's layer, new since the plan was made or not; a job if its bytes have to be taken.
Result<std::optional<BlobJob>> plan_blob(MigrateRun& run, const oci::Digest& digest, std::size_t repo,
                                         const oci::RepoName& name);

struct RepoLinks {
  const std::vector<DistributionTree::Link>& revisions;
  const std::vector<DistributionTree::Link>& layers;
};
/// `accepted`: the manifests that the repository has afterwards.
Result<void> take_manifests(MigrateRun& run, const oci::RepoName& repo, const RepoLinks& links,
                            std::unordered_set<oci::Digest>& accepted);
Result<void> take_tags(MigrateRun& run, const oci::RepoName& repo, const std::vector<DistributionTree::Tag>& tags,
                       const std::unordered_set<oci::Digest>& accepted);

}  // namespace berth::lifecycle
