// berth migrate distribution: takes over the folder of a registry:2 or registry:3.

#include "app/config.h"
#include "app/data_dir.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/migrate_printer.h"
#include "cli/progress_line.h"
#include "cli/serve_flags.h"
#include "lifecycle/migrate_distribution.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <thread>

namespace berth::cli {

namespace {

using lifecycle::Progress;
using lifecycle::Skip;

constexpr std::uint64_t kSkipsShown = 100;  // the report has all

struct MigrateFlags {
  std::string source;
  std::string data;
  std::string report;
  std::string policy = "strict";
  unsigned threads = 0;
  bool hardlink = false;
  bool copy = false;
  bool overwrite_tags = false;
  bool dry_run = false;
  bool quiet = false;
};

/// The file of --report: an object a line, as things happen.
class ReportFile {
 public:
  static Result<ReportFile> open(const std::string& path) {
    ReportFile out;
    if (path.empty()) return out;
    out.file_.reset(std::fopen(path.c_str(), "we"));
    if (!out.file_) return fail(Errc::io_failed, "cannot write the report " + path, std::strerror(errno));
    return out;
  }
  void add(const std::string& line) {
    if (file_) std::fprintf(file_.get(), "%s\n", line.c_str());
  }
  Result<void> close() {
    if (!file_) return {};
    const bool failed = std::ferror(file_.get()) != 0;
    if (std::fclose(file_.release()) != 0 || failed)
      return fail(Errc::io_failed, "the report could not be written to its end", std::strerror(errno));
    return {};
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

int fail_to_migrate(const Error& error, const std::string& data) {
  if (error.code != Errc::busy) return report(error);
  return report(Error(Errc::busy, "the registry of " + data + " is running (pid " + std::to_string(error.number) +
                                      "); stop it first: what is taken over is written into its data folder"));
}

/// Nothing is there yet that a dry run could look at.
bool is_absent_or_empty(const std::string& path) {
  std::error_code error;
  return !std::filesystem::exists(path, error) || std::filesystem::is_empty(path, error);
}

/// What is printed of the skipped: not the notes, and not thousands.
class SkipPrinter {
 public:
  void print(const Skip& skip) {
    if (is_note(skip.kind)) return;
    if (++seen_ <= kSkipsShown) std::puts(skip_text(skip).c_str());
  }
  void finish(bool has_report) const {
    if (seen_ <= kSkipsShown) return;
    std::printf("and %llu more%s\n", static_cast<unsigned long long>(seen_ - kSkipsShown),
                has_report ? ", see the report" : "; --report FILE keeps them all");
  }

 private:
  std::uint64_t seen_ = 0;
};

Result<lifecycle::MigrateOptions> options_of(const MigrateFlags& flags) {
  lifecycle::MigrateOptions options{.path = flags.source};
  if (flags.hardlink) options.method = blob::AdoptMethod::hard_link;
  if (flags.copy) options.method = blob::AdoptMethod::copy;
  options.overwrite_tags = flags.overwrite_tags;
  options.dry_run = flags.dry_run;
  options.threads = flags.threads != 0 ? flags.threads : std::max(1U, std::thread::hardware_concurrency());
  BERTH_TRY(options.limits.reference_policy, app::parse_reference_policy(flags.policy));
  return options;
}

int migrate(const MigrateFlags& flags) {
  auto options = options_of(flags);
  if (!options) return report(options.error());
  // Before a data folder is made: a slip in the path must leave nothing behind.
  if (const auto tree = lifecycle::check_distribution_folder(flags.source); !tree) return report(tree.error());
  auto file = ReportFile::open(flags.report);
  if (!file) return report(file.error());
  const Result<std::string> folder = flags.data.empty() ? configured_data_dir() : flags.data;
  if (!folder) return report(folder.error());
  const std::string& data_path = *folder;
  const SystemClock clock;
  const Log log(LogLevel::off);
  SystemRandom random;
  std::unique_ptr<app::DataDir> data;
  std::optional<lifecycle::MigrateTarget> target;
  if (!flags.dry_run || !is_absent_or_empty(data_path)) {
    const auto create = flags.dry_run ? app::DataDir::Create::never : app::DataDir::Create::if_missing;
    auto opened = app::DataDir::open(data_path, create, random);
    if (!opened) return fail_to_migrate(opened.error(), data_path);
    data = *std::move(opened);
    target.emplace(lifecycle::MigrateTarget{data->files(), data->path(), data->database_path(), data->store_id(),
                                            app::read_boot_id()});
  }
  ProgressLine progress(clock, flags.quiet);
  SkipPrinter printer;
  options->on_progress = [&](const Progress& p) {
    progress.show(p.phase, [&](std::int64_t elapsed_ms) { return migrate_progress_text(p, elapsed_ms); });
  };
  options->on_skip = [&](const Skip& skip) {
    progress.clear();
    printer.print(skip);
    file->add(skip_json(skip));
  };
  const auto done = lifecycle::migrate_distribution(target ? &*target : nullptr, {clock, log, random}, *options);
  progress.clear();
  printer.finish(!flags.report.empty());
  std::fflush(stdout);
  if (!done) return report(done.error());
  const MigrateMode mode{.dry_run = flags.dry_run};
  file->add(migrate_summary_json(*done, mode));
  if (const auto closed = file->close(); !closed) return report(closed.error());
  std::puts(migrate_summary_text(*done, mode).c_str());
  return done->skips() == 0 ? kOk : kFound;
}

constexpr const char* kAbout = "Take over the folder of a registry:2 or registry:3";

constexpr const char* kFooter =
    "PATH is the 'rootdirectory' of the old registry (mounted at /var/lib/registry in the image registry:2), or\n"
    "docker/registry/v2 below it. It is only read. Every blob is hashed while it is read; manifests go through the\n"
    "rules of a push; tags, untagged manifests and referrers come along, and the times of tags as far as the files\n"
    "tell. Blobs are hard linked if both folders are on one file system, else reflinked, else copied.\n\n"
    "Berth itself has to be stopped, the old registry need not: let a first run do the long work while it serves, "
    "stop\n"
    "it, run the same command again for what is new, and start Berth. A run may be killed at any moment; the next one\n"
    "goes on without reading again what was taken. Tags that were there and point elsewhere stay as they are, unless\n"
    "they point at what the old registry's tag pointed at before.\n\n"
    "Examples:\n"
    "  berth migrate distribution /var/lib/registry --dry-run\n"
    "  berth migrate distribution /var/lib/registry --data /var/lib/berth --report skipped.jsonl\n"
    "  berth migrate distribution /mnt/old/docker/registry/v2 --copy --data /srv/berth\n\n"
    "Exit status: 0 all was taken (or was there), 2 something was skipped and named with its reason, 1 could not\n"
    "  migrate, 75 Berth is running on the data folder";

}  // namespace

void add_migrate(CLI::App& parent, int& exit_code) {
  CLI::App* group = parent.add_subcommand("migrate", "Take over what another registry holds");
  group->require_subcommand(1);
  auto flags = std::make_shared<MigrateFlags>();  // shared with the callback, which outlives this function
  CLI::App* command = group->add_subcommand("distribution", kAbout);
  command->add_option("PATH", flags->source, "The folder of the old registry")->required();
  command->add_option("--data", flags->data, "The data folder of Berth (default: the one of serve, as configured)");
  CLI::Option* hardlink = command->add_flag("--hardlink", flags->hardlink, "Hard link blobs, or refuse to begin");
  command->add_flag("--copy", flags->copy, "Copy blobs even where they could be linked")->excludes(hardlink);
  command->add_flag("--overwrite-tags", flags->overwrite_tags, "Move tags that exist and point elsewhere");
  command
      ->add_option("--reference-policy", flags->policy,
                   "Which manifests to take whose parts are not all there: strict (none), sparse-index, sparse, as in "
                   "berth serve")
      ->capture_default_str();
  command->add_flag("--dry-run", flags->dry_run, "Say what would be taken, and write nothing");
  command->add_option("--report", flags->report, "Write every skip and note to this file, a JSON object a line");
  command->add_option("--threads", flags->threads, "Threads that hash; 0 is one per core")->capture_default_str();
  command->add_flag("-q,--quiet", flags->quiet, "No progress on standard error");
  command->footer(kFooter);
  command->callback([flags, &exit_code] { exit_code = migrate(*flags); });
}

}  // namespace berth::cli
