// The migration's first look: which repositories there are, and which blobs have to be read for them.

#include "lifecycle/migrate_run.h"
#include "meta/blobs.h"

namespace berth::lifecycle {

namespace {

constexpr std::uint64_t kShowEvery = 64;

/// Whether the store's own copy of the blob is where and as long as it should be.
Result<bool> is_intact(MigrateRun& run, const oci::Digest& digest, const meta::StoredBlob& stored) {
  if (run.blobs() == nullptr) return true;
  BERTH_TRY(const auto content, run.blobs()->inspect({digest, stored.inc}, nullptr));
  return content.present && content.size_bytes == stored.size_bytes;
}

Result<void> plan_repository(MigrateRun& run, MigratePlan& plan, const DistributionTree::Repository& found) {
  if (found.uploads != 0) {
    run.skip(SkipKind::upload_unfinished, found.path, std::to_string(found.uploads) + " uploads were never finished");
  }
  const auto layers = run.tree().layers(found.path);
  const auto revisions = run.tree().revisions(found.path);
  if (layers.empty() && revisions.empty()) return {};  // nothing but unfinished uploads, or all of it was deleted
  const auto name = oci::RepoName::parse(found.path);
  if (!name) {
    run.skip(SkipKind::repository_name, found.path,
             "not a repository name: " + name.error().message + "; nothing of it was taken");
    return {};
  }
  const std::size_t index = plan.repos.size();
  SourceRepo repo{*name};
  for (const auto& layer : layers) {
    repo.first_ms = std::min(repo.first_ms, layer.modified_ms);
    BERTH_TRY(auto job, plan_blob(run, layer.digest, index, *name));
    if (!job) continue;
    plan.bytes += job->size_bytes;
    plan.jobs.push_back(*std::move(job));
  }
  for (const auto& revision : revisions) {
    repo.first_ms = std::min(repo.first_ms, revision.modified_ms);
    if (!run.fate(revision.digest)) run.set_fate(revision.digest, MigrateRun::Fate::manifest);
  }
  plan.repos.push_back(std::move(repo));
  if (plan.repos.size() % kShowEvery == 0) run.show({.phase = "looking", .done = plan.repos.size()});
  return {};
}

}  // namespace

Result<std::optional<BlobJob>> plan_blob(MigrateRun& run, const oci::Digest& digest, std::size_t repo,
                                         const oci::RepoName& name) {
  const auto known = run.fate(digest);
  if (known && *known != MigrateRun::Fate::manifest) return std::nullopt;
  BERTH_TRY(const auto stored, run.ask([&](sql::Connection& db) { return meta::find_stored(db, digest); }));
  BlobJob job{.digest = digest, .repo = repo};
  if (stored) {
    BERTH_TRY(const bool intact, is_intact(run, digest, *stored));
    if (intact) {
      run.set_fate(digest, MigrateRun::Fate::stored);
      run.report().blobs_there.add(stored->size_bytes);
      return std::nullopt;
    }
    job.damaged_inc = stored->inc;
  }
  const auto facts = run.tree().files().facts(DistributionTree::blob_path(digest));
  if (!facts && facts.error().code == Errc::file_unknown) {
    run.lose(digest, "its bytes are not in the old registry");
    run.skip(SkipKind::layer_dangling, name.str() + "@" + digest.str(), "the old registry has no such blob any more");
    return std::nullopt;
  }
  if (!facts) {
    run.lose(digest, "its file cannot be read");
    run.skip(SkipKind::blob_unreadable, digest.str(), facts.error().cause);
    return std::nullopt;
  }
  run.set_fate(digest, MigrateRun::Fate::planned);
  job.size_bytes = facts->size_bytes;
  return job;
}

Result<MigratePlan> plan_migration(MigrateRun& run) {
  MigratePlan plan;
  run.show({.phase = "looking"});
  BERTH_TRYV(run.tree().walk_repositories(
      [&](const DistributionTree::Repository& found) { return plan_repository(run, plan, found); }));
  run.report().repositories = plan.repos.size();
  return plan;
}

}  // namespace berth::lifecycle
