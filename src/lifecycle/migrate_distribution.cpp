#include "lifecycle/migrate_distribution.h"

#include "lifecycle/migrate_run.h"
#include "lifecycle/recovery.h"
#include "lifecycle/reserve.h"
#include "meta/blobs.h"
#include "meta/fsck.h"
#include "meta/settings.h"
#include "registry/space_guard.h"
#include "sql/connection.h"

#include <unordered_set>
#include <utility>

namespace berth::lifecycle {

namespace {

constexpr std::size_t kLinkBatch = 512;
constexpr std::size_t kDiskQueueMax = 16;  // nobody waits for a disk here: the calls that block are the ones used

/// Links the repository's blobs that the store has into it.
Result<void> link_layers(MigrateRun& run, const SourceRepo& repo, const std::vector<DistributionTree::Link>& layers) {
  std::vector<meta::NewBlob> missing;
  const auto flush = [&]() -> Result<void> {
    if (missing.empty()) return {};
    const meta::Stamp stamp = run.now();
    BERTH_TRYV(run.store().write_blocking(
        [&](sql::Connection& db) -> Result<void> {
          for (const auto& blob : missing) BERTH_TRYV(meta::commit_blob(db, repo.name, blob, stamp));
          return {};
        },
        {.ack = meta::Ack::process}));
    missing.clear();
    return {};
  };
  for (const auto& layer : layers) {
    const auto fate = run.fate(layer.digest);
    if (fate != MigrateRun::Fate::stored && fate != MigrateRun::Fate::planned) continue;
    BERTH_TRY(const auto link,
              run.ask([&](sql::Connection& db) { return meta::find_link(db, repo.name, layer.digest); }));
    if (link) continue;
    ++run.report().links;
    if (run.dry()) continue;
    BERTH_TRY(const auto stored, run.ask([&](sql::Connection& db) { return meta::find_stored(db, layer.digest); }));
    if (!stored) continue;
    missing.push_back({layer.digest, stored->size_bytes, stored->inc});
    if (missing.size() >= kLinkBatch) BERTH_TRYV(flush());
  }
  return flush();
}

/// In this order of reading: what a tag points at was pushed before the tag, so that a registry in use is seen whole.
Result<void> take(MigrateRun& run, const MigratePlan& plan, std::size_t index) {
  const SourceRepo& repo = plan.repos[index];
  const auto tags = run.tree().tags(repo.name.str());
  const auto revisions = run.tree().revisions(repo.name.str());
  const auto layers = run.tree().layers(repo.name.str());
  std::vector<BlobJob> late;  // pushed while the others were read
  for (const auto& layer : layers) {
    BERTH_TRY(auto job, plan_blob(run, layer.digest, index, repo.name));
    if (job) late.push_back(*std::move(job));
  }
  if (!run.dry()) BERTH_TRYV(take_blobs(run, plan, late));
  BERTH_TRYV(link_layers(run, repo, layers));
  std::unordered_set<oci::Digest> accepted;
  BERTH_TRYV(take_manifests(run, repo.name, {revisions, layers}, accepted));
  return take_tags(run, repo.name, tags, accepted);
}

/// For the record: what no repository has any more, or never had.
void count_unlinked(MigrateRun& run) {
  run.show({.phase = "leftovers"});
  run.tree().walk_blobs([&](const oci::Digest& digest) {
    if (run.fate(digest)) return;
    const auto facts = run.tree().files().facts(DistributionTree::blob_path(digest));
    if (facts)
      run.skip(SkipKind::blob_unlinked, digest.str(), std::to_string(facts->size_bytes) + " bytes in no repository");
  });
}

SkipKind kind_of(DistributionTree::Trouble trouble) {
  switch (trouble) {
    case DistributionTree::Trouble::unknown: return SkipKind::unknown_file;
    case DistributionTree::Trouble::link_damaged: return SkipKind::link_damaged;
    case DistributionTree::Trouble::unreadable: return SkipKind::folder_unreadable;
  }
  return SkipKind::unknown_file;
}

/// Members are destroyed bottom to top: the store's writer closes the database last but one, after every reader.
class Migration {
 public:
  Migration(const MigrateTarget* target, const MigrateTools& tools, const MigrateOptions& options)
      : target_(target), tools_(tools), options_(options) {}

  Result<MigrateReport> run() {
    BERTH_TRY(const DistributionTree tree,
              DistributionTree::open(options_.path, [this](auto trouble, const std::string& path,
                                                           const std::string& what) { tell(trouble, path, what); }));
    if (target_ != nullptr) BERTH_TRYV(options_.dry_run ? open_to_look() : open_to_write());
    std::optional<blob::Adopter> adopter;
    if (store_) {
      adopter.emplace(target_->files, *blobs_, options_.method.value_or(blob::AdoptMethod::hard_link),
                      options_.method ? blob::Adopter::Fallback::refused : blob::Adopter::Fallback::allowed);
    }
    MigrateRun run({store_.get(), reader_.get(), blobs_.get(), adopter ? &*adopter : nullptr, tools_}, tree, options_,
                   report_);
    run_ = &run;
    BERTH_TRY(const MigratePlan plan, plan_migration(run));
    if (adopter) BERTH_TRYV(choose_method(run, plan, *adopter));
    for (const BlobJob& job : plan.jobs) {
      if (options_.dry_run) report_.blobs_planned.add(job.size_bytes);
    }
    if (!options_.dry_run) BERTH_TRYV(take_blobs(run, plan, plan.jobs));
    for (std::size_t i = 0; i < plan.repos.size(); ++i) {
      BERTH_TRYV(take(run, plan, i));
      run.show({.phase = "repositories", .done = i + 1, .total = plan.repos.size()});
    }
    count_unlinked(run);
    if (store_) BERTH_TRYV(store_->write_blocking([](sql::Connection&) -> Result<void> { return {}; }));  // durable now
    if (adopter) report_.why_not_cheaper = adopter->why_not_first();
    return std::move(report_);
  }

 private:
  /// Once a path: folders are read for the plan and again for the work.
  void tell(DistributionTree::Trouble trouble, const std::string& path, const std::string& what) {
    if (told_.insert(path).second) run_->skip(kind_of(trouble), path, what);
  }

  /// As a start of the server does, so that what an interrupted run or server left is finished first.
  Result<void> open_to_write() {
    BERTH_TRY(blobs_, blob::FsStore::open_store(target_->files, disk_));
    meta::Store::Hooks hooks;
    hooks.sync_staging = [this] { return blobs_->sync_staging(); };
    hooks.release_reserve = [this] { (void)drop_ballast(target_->files); };
    BERTH_TRY(store_, meta::Store::open({.path = target_->database_path}, std::move(hooks), tools_.clock, tools_.log));
    BERTH_TRYV(target_->files.sync_dir("."));
    BERTH_TRYV(claim_store(*store_, target_->store_id, target_->path));
    const RecoveryDeps deps{*store_, *blobs_, tools_.clock, tools_.log};
    BERTH_TRY(auto recovered, recover(deps, target_->boot_id));
    review_strays(deps, recovered.strays, [](std::size_t) { return true; }, recovered);
    return {};
  }

  Result<void> open_to_look() {
    BERTH_TRY(reader_, sql::open_sqlite({.path = target_->database_path}));
    BERTH_TRY(const std::int64_t version, meta::schema_version(*reader_));
    if (version == meta::schema_version_known()) return {};
    return fail(Errc::unavailable,
                "the data folder was written by another version of berth; start the registry once to bring it up to "
                "date, or leave out --dry-run");
  }

  /// With the first blob that is there it is found out what the disk can do, and whether there is room.
  Result<void> choose_method(MigrateRun& run, const MigratePlan& plan, blob::Adopter& adopter) {
    for (const BlobJob& job : plan.jobs) {
      const auto source = run.tree().files().open(DistributionTree::blob_path(job.digest));
      if (!source) continue;
      auto method = adopter.probe(**source, tools_.random.u64() >> 1);
      if (!method && method.error().code == Errc::unsupported) {
        return fail(Errc::unsupported, "the data folder cannot take the blobs by " +
                                           std::string(to_string(*options_.method)) + ": " + method.error().message);
      }
      if (!method && method.error().code == Errc::corrupt) continue;
      BERTH_TRY(report_.method, std::move(method));
      return report_.method == blob::AdoptMethod::copy ? check_room(plan) : Result<void>();
    }
    return {};
  }

  Result<void> check_room(const MigratePlan& plan) {
    BERTH_TRY(const io::Space space, target_->files.space());
    const std::uint64_t room = registry::upload_room_bytes(space, {});
    if (plan.bytes <= room) return {};
    return fail(Errc::no_space,
                "copying takes " + std::to_string(plan.bytes) +
                    " bytes, and the disk of the data folder has room for " + std::to_string(room) +
                    "; put the data folder on the file system of the old registry, where blobs are linked");
  }

  const MigrateTarget* target_;
  const MigrateTools& tools_;
  const MigrateOptions& options_;
  MigrateReport report_;
  MigrateRun* run_ = nullptr;
  std::unordered_set<std::string> told_;
  io::BlockingPool disk_{"disk", 1, kDiskQueueMax};
  std::unique_ptr<blob::FsStore> blobs_;
  std::unique_ptr<meta::Store> store_;
  std::unique_ptr<sql::Connection> reader_;
};

struct KindRow {
  std::string_view name;
  bool note;
};
constexpr std::array<KindRow, kSkipKinds> kKinds = {{
    {"repository name", false},
    {"damaged blob", false},
    {"unreadable blob", false},
    {"lost manifest", false},
    {"damaged manifest", false},
    {"schema 1 manifest", false},
    {"invalid manifest", false},
    {"incomplete manifest", false},
    {"refused manifest", false},
    {"tag name", false},
    {"dangling tag", false},
    {"tag in use", false},
    {"damaged link", false},
    {"unreadable folder", false},
    {"link to a blob that is gone", true},
    {"blob of no repository", true},
    {"unfinished upload", true},
    {"unknown file", true},
}};

std::uint64_t count(const MigrateReport& report, bool notes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kSkipKinds; ++i) {
    if (kKinds[i].note == notes) sum += report.skipped[i];
  }
  return sum;
}

}  // namespace

std::string_view to_string(SkipKind kind) { return kKinds[std::to_underlying(kind)].name; }
bool is_note(SkipKind kind) { return kKinds[std::to_underlying(kind)].note; }

MigrateReport::Amount MigrateReport::taken() const {
  Amount sum;
  for (const Amount& amount : blobs) {
    sum.count += amount.count;
    sum.bytes += amount.bytes;
  }
  return sum;
}
std::uint64_t MigrateReport::skips() const { return count(*this, false); }
std::uint64_t MigrateReport::notes() const { return count(*this, true); }

void MigrateRun::skip(SkipKind kind, std::string object, std::string reason) {
  ++report_.skipped[std::to_underlying(kind)];
  if (options_.on_skip) options_.on_skip({kind, std::move(object), std::move(reason)});
}

std::optional<MigrateRun::Fate> MigrateRun::fate(const oci::Digest& digest) const {
  const auto known = fates_.find(digest);
  return known == fates_.end() ? std::nullopt : std::optional(known->second);
}

void MigrateRun::lose(const oci::Digest& digest, std::string why) {
  set_fate(digest, Fate::lost);
  lost_.insert_or_assign(digest.str(), std::move(why));
}

std::string MigrateRun::why_lost(const std::string& digest_text) const {
  const auto known = lost_.find(digest_text);
  return known == lost_.end() ? std::string() : known->second;
}

Result<void> check_distribution_folder(const std::string& path) {
  BERTH_TRYV(DistributionTree::open(path, {}));
  return {};
}

Result<MigrateReport> migrate_distribution(const MigrateTarget* target, const MigrateTools& tools,
                                           const MigrateOptions& options) {
  return Migration(target, tools, options).run();
}

}  // namespace berth::lifecycle
