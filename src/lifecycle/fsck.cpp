#include "lifecycle/fsck.h"

#include "blob/fs_store.h"
#include "lifecycle/fsck_run.h"
#include "lifecycle/reserve.h"
#include "meta/fsck_repair.h"
#include "meta/settings.h"

#include <array>

namespace berth::lifecycle {

namespace {

constexpr std::size_t kComplaintsMax = 100;
constexpr const char* kDatabase = "meta.db";
constexpr const char* kDatabaseLog = "meta.db-wal";
constexpr const char* kDatabaseLogIndex = "meta.db-shm";

/// The folder as it is: every change is refused. What only makes sure of a state that should be there is passed over,
/// so that a folder with a hole in it can still be looked at.
class ReadOnlyFiles final : public io::FileSystem {
 public:
  explicit ReadOnlyFiles(io::FileSystem& inner) : inner_(inner) {}
  Result<std::unique_ptr<io::File>> open(const std::string& path, Mode mode) override {
    if (mode != Mode::read) return refuse(path);
    return inner_.open(path, mode);
  }
  Result<void> rename(const std::string& from, const std::string&) override { return refuse(from); }
  Result<void> unlink(const std::string& path) override { return refuse(path); }
  Result<void> make_dir(const std::string&) override { return {}; }
  Result<void> sync_dir(const std::string&) override { return {}; }
  Result<std::vector<io::DirEntry>> list(const std::string& dir) override { return inner_.list(dir); }
  Result<io::Space> space() override { return inner_.space(); }

 private:
  static std::unexpected<Error> refuse(const std::string& path) {
    return fail(Errc::internal, {}, "a check without repair tried to change " + path);
  }
  io::FileSystem& inner_;
};

/// Reading a database in WAL mode makes its two scratch files, an empty log and its index. A run that changes nothing
/// removes them again if they were not there before; after a repair the store has done so itself.
class ScratchFiles {
 public:
  explicit ScratchFiles(io::FileSystem& files) : files_(files), log_was_there_(size_of(kDatabaseLog).has_value()) {}
  ~ScratchFiles() {
    // Never a log with something in it.
    if (log_was_there_ || size_of(kDatabaseLog).value_or(1) != 0) return;
    (void)files_.unlink(kDatabaseLog);
    (void)files_.unlink(kDatabaseLogIndex);
  }
  ScratchFiles(const ScratchFiles&) = delete;
  ScratchFiles& operator=(const ScratchFiles&) = delete;

 private:
  std::optional<std::uint64_t> size_of(const char* path) {
    const auto file = files_.open(path, io::FileSystem::Mode::read);
    if (!file) return std::nullopt;
    const auto size = (*file)->size_bytes();
    return size ? std::optional(*size) : std::nullopt;
  }
  io::FileSystem& files_;
  bool log_was_there_;
};

struct PhaseRow {
  std::string_view name;
  Result<void> (*check)(FsckRun&);
};
constexpr std::array<PhaseRow, 7> kPhases = {{
    {"blobs", check_blobs},
    {"manifests", check_manifests},
    {"links", check_links},
    {"tags", check_tags},
    {"usage", check_usage},
    {"garbage queue", check_candidates},
    {"files", check_files},
}};

std::string join(const std::vector<std::string>& complaints) {
  std::string out;
  for (std::size_t i = 0; i < complaints.size() && i < 3; ++i) out += (i == 0 ? "" : "; ") + complaints[i];
  if (complaints.size() > 3) out += "; and " + std::to_string(complaints.size() - 3) + " more";
  return out;
}

/// No staged file is ever committed here, hence no sync of their names.
Result<std::unique_ptr<meta::Store>> open_store(const FsckFolder& folder) {
  meta::Store::Hooks hooks;
  hooks.release_reserve = [&folder] { (void)drop_ballast(folder.files); };
  return meta::Store::open({.path = folder.database_path}, std::move(hooks), folder.clock, folder.log);
}

/// One run over an open folder. Members are destroyed bottom to top: the store's writer closes the database last but
/// one, after every reader.
class Checker {
 public:
  Checker(const FsckFolder& folder, const FsckOptions& options) : folder_(folder), options_(options) {}

  Result<FsckReport> run() {
    BERTH_TRYV(require_database());
    BERTH_TRY(const bool readable, check_database());
    if (!readable) return std::move(report_);
    // Before anything is moved: into a folder that is missing nothing could be.
    FsckRun folders = make_run();
    BERTH_TRYV(check_folders(folders));
    BERTH_TRY(blobs_, blob::FsStore::open_store(files(), disk_));
    if (store_) {
      const RecoveryDeps deps{*store_, *blobs_, folder_.clock, folder_.log};
      BERTH_TRY(report_.recovered, recover(deps, folder_.boot_id));
      review_strays(deps, report_.recovered->strays, [](std::size_t) { return true; }, *report_.recovered);
    }
    FsckRun run = make_run();
    BERTH_TRY(const auto totals, meta::count_for_check(*reader_));
    run.set_totals(totals);
    for (const PhaseRow& phase : kPhases) BERTH_TRYV(run_phase(run, phase));
    return std::move(report_);
  }

 private:
  io::FileSystem& files() { return store_ ? folder_.files : read_only_; }
  FsckRun make_run() {
    return FsckRun({*reader_, store_.get(), files(), blobs_.get(), folder_.clock}, options_, report_);
  }

  /// Opening for repair would quietly make a new one, and every blob would look like nobody's.
  Result<void> require_database() {
    const auto found = folder_.files.open(kDatabase, io::FileSystem::Mode::read);
    if (found) return {};
    if (found.error().code != Errc::file_unknown) return fail(Error(found.error()));
    return fail(Errc::file_unknown,
                "the data folder has no meta.db, without which nothing in it can be read; restore "
                "it from a backup");
  }

  Result<void> check_schema() {
    const auto found = meta::schema_version(*reader_);
    if (!found && found.error().code == Errc::internal) {
      return fail(Errc::unavailable, "meta.db is not the database of a registry", found.error().cause);
    }
    BERTH_TRY(const std::int64_t version, found);
    const std::int64_t known = meta::schema_version_known();
    if (version > known) {
      return fail(Errc::unavailable, "the data folder was written by a newer berth (schema " + std::to_string(version) +
                                         ", this one knows " + std::to_string(known) + "); check with that version");
    }
    if (version < known && !options_.repair) {
      return fail(Errc::unavailable, "the data folder has schema " + std::to_string(version) + ", this berth needs " +
                                         std::to_string(known) +
                                         ": nothing was checked; start the registry once, or use --repair, to bring "
                                         "it up to date");
    }
    return {};
  }

  /// Files of one store with the database of another: each would look like the other's damage.
  Result<void> check_store() {
    BERTH_TRY(const auto known, meta::get_setting(*reader_, "store_id"));
    if (!known || *known == folder_.store_id) return {};
    return fail(Errc::unavailable, "meta.db belongs to another store than the files beside it: nothing was checked");
  }

  /// Even to read the database takes a few blocks for its scratch files: on a full disk those of the reserve.
  Result<std::unique_ptr<sql::Connection>> open_reader() {
    auto opened = sql::open_sqlite({.path = folder_.database_path});
    if (opened || opened.error().code != Errc::no_space) return opened;
    (void)drop_ballast(folder_.files);
    opened = sql::open_sqlite({.path = folder_.database_path});
    if (opened || opened.error().code != Errc::no_space) return opened;
    return fail(Errc::no_space, "the disk is full: free some space on it, then try again", opened.error().cause);
  }

  /// False: it cannot even be read. Opens the store for repairs if that is wanted and safe: writing into a database
  /// whose structure is broken makes it worse.
  Result<bool> check_database() {
    auto opened = open_reader();
    if (!opened) return give_up(std::move(opened).error());
    reader_ = *std::move(opened);
    if (auto schema = check_schema(); !schema) return give_up(std::move(schema).error());
    if (auto same = check_store(); !same) return give_up(std::move(same).error());
    begin_database();
    BERTH_TRY(const auto complaints, integrity());
    const bool curable = meta::is_about_indexes(complaints);
    if (options_.repair && curable) {
      if (!options_.force) BERTH_TRYV(check_mounted());
      BERTH_TRY(store_, open_store(folder_));
    }
    report_.blocked = options_.repair && !curable;
    if (!complaints.empty()) report_complaints(complaints, curable);
    return true;
  }

  Result<void> check_mounted() {
    FsckRun run = make_run();
    BERTH_TRY(const auto totals, meta::count_for_check(*reader_));
    run.set_totals(totals);
    return lifecycle::check_mounted(run);
  }

  /// A check that trips over the damage itself has found it.
  Result<std::vector<std::string>> integrity() {
    auto complaints = meta::check_integrity(*reader_, kComplaintsMax);
    if (complaints || complaints.error().code != Errc::corrupt) return complaints;
    return std::vector{reason(complaints.error())};
  }

  void begin_database() {
    report_.phases.push_back({.name = "database", .checked = 1});
    if (options_.on_progress) options_.on_progress({.phase = "database"});
  }

  void report_complaints(const std::vector<std::string>& complaints, bool curable) {
    FsckRun run = make_run();
    Finding finding{.kind = FindingKind::database, .object = kDatabase, .what = join(complaints)};
    if (!curable) {
      finding.action = "restore it from a backup; nothing else is repaired while it is like this";
      return run.damage(std::move(finding), {});
    }
    finding.action = "make its indexes anew";
    run.damage(std::move(finding), [&]() -> Result<void> {
      BERTH_TRYV(store_->write_blocking([](sql::Connection& db) { return meta::rebuild_indexes(db); }));
      BERTH_TRY(const auto left, integrity());
      if (left.empty()) return {};
      store_.reset();
      return fail(Errc::corrupt, {}, join(left));
    });
  }

  /// Damage that leaves nothing to go on with is a finding; any other failure is the caller's.
  Result<bool> give_up(Error error) {
    if (error.code != Errc::corrupt) return fail(std::move(error));
    if (report_.phases.empty()) begin_database();
    report_.blocked = options_.repair;
    report_unreadable(reason(error));
    return false;
  }

  void report_unreadable(const std::string& what) {
    Finding finding{
        .kind = FindingKind::database, .object = kDatabase, .what = what, .action = "restore it from a backup"};
    ++report_.phases.back().damaged;
    if (options_.on_finding) options_.on_finding(finding);
  }

  Result<void> run_phase(FsckRun& run, const PhaseRow& phase) {
    auto done = phase.check(run);
    if (done || done.error().code != Errc::corrupt) return done;
    report_unreadable("the check of " + std::string(phase.name) + " stopped early: " + reason(done.error()));
    return {};
  }

  const FsckFolder& folder_;
  const FsckOptions& options_;
  FsckReport report_;
  ReadOnlyFiles read_only_{folder_.files};
  ScratchFiles scratch_{folder_.files};
  io::BlockingPool disk_{"disk", 1, 1};  // nobody waits for a disk here: the calls that block are the ones used
  std::unique_ptr<blob::FsStore> blobs_;
  std::unique_ptr<meta::Store> store_;
  std::unique_ptr<sql::Connection> reader_;
};

}  // namespace

std::uint64_t FsckReport::damaged() const {
  std::uint64_t sum = 0;
  for (const Phase& phase : phases) sum += phase.damaged;
  return sum;
}

std::uint64_t FsckReport::repaired() const {
  std::uint64_t sum = 0;
  for (const Phase& phase : phases) sum += phase.repaired;
  return sum;
}

Result<FsckReport> run_fsck(const FsckFolder& folder, const FsckOptions& options) {
  return Checker(folder, options).run();
}

}  // namespace berth::lifecycle
