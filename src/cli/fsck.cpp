// berth fsck: checks a data folder whose server is stopped.

#include "lifecycle/fsck.h"

#include "app/data_dir.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/fsck_printer.h"
#include "cli/progress_line.h"
#include "cli/serve_flags.h"

#include <cstdio>

namespace berth::cli {

namespace {

using lifecycle::Finding;
using lifecycle::Progress;

struct FsckFlags {
  std::string data;
  std::string format = "text";
  bool deep = false;
  bool repair = false;
  bool force = false;
  bool quiet = false;
};

int fail_to_check(const Error& error) {
  if (error.code == Errc::busy) {
    return report(Error(Errc::busy, "the registry is running (pid " + std::to_string(error.number) +
                                        "); stop it first, then check again"));
  }
  return report(error);
}

int fsck(const FsckFlags& flags) {
  const Result<std::string> folder = flags.data.empty() ? configured_data_dir() : flags.data;
  if (!folder) return report(folder.error());
  const std::string& path = *folder;
  const SystemClock clock;
  const Log log(LogLevel::off);  // what there is to say is said as findings
  SystemRandom random;
  auto data = app::DataDir::open(path, app::DataDir::Create::never, random);
  if (!data) return fail_to_check(data.error());
  ProgressLine progress(clock, flags.quiet);
  const bool json = flags.format == "json";
  lifecycle::FsckOptions options{.deep = flags.deep, .repair = flags.repair, .force = flags.force};
  options.on_progress = [&](const Progress& p) {
    progress.show(p.phase, [&](std::int64_t elapsed_ms) { return progress_text("fsck", p, elapsed_ms); });
  };
  options.on_finding = [&](const Finding& finding) {
    progress.clear();
    std::puts((json ? finding_json(finding) : finding_text(finding)).c_str());
  };
  const auto done = lifecycle::run_fsck(
      {(*data)->files(), (*data)->database_path(), (*data)->store_id(), app::read_boot_id(), clock, log}, options);
  progress.clear();
  std::fflush(stdout);
  if (!done) return report(done.error());
  const FsckMode mode{.deep = flags.deep, .repair = flags.repair};
  std::puts((json ? summary_json(*done, mode) : summary_text(*done, mode)).c_str());
  return done->damaged() == 0 ? kOk : kFound;
}

constexpr const char* kAbout = "Check a data folder whose registry is stopped";

constexpr const char* kFooter =
    "Compares everything the registry remembers with everything it keeps: that each blob has its file, that each\n"
    "manifest's bytes are what they were, that links, tags, counters and the garbage queue agree with them. With\n"
    "--deep every blob is read and hashed as well, which takes as long as reading the disk; without it only those\n"
    "known to be bad are, in case they are not.\n\n"
    "Without --repair nothing in the folder is changed; only on a full disk the reserve (ballast) is given up, since\n"
    "even reading takes a few blocks. With it, whatever can be derived is derived anew, and damaged\n"
    "files are moved to quarantine/: such a blob answers 404 until somebody pushes it again, and the exit status "
    "stays\n"
    "2 while an image needs it. One whose bytes turn out to be right is served again. No blob or manifest is deleted.\n"
    "If more than 10 files and more than a tenth of all are missing, nothing is repaired, since their volume is\n"
    "probably not mounted; --force repairs all the same.\n\n"
    "Examples:\n"
    "  berth fsck --data /var/lib/berth                   about two minutes a million images\n"
    "  berth fsck --data /var/lib/berth --deep            also reads every blob\n"
    "  berth fsck --data /var/lib/berth --deep --repair   and repairs what it finds; run it again to be sure\n"
    "  berth fsck --data /var/lib/berth --format json     an object a line, for scripts\n\n"
    "Exit status: 0 no damage, 1 could not check or repair, 2 damage found (also if it was repaired),\n"
    "  75 the registry is running: stop it first (a running one checks itself, see serve --scrub-rate)";

}  // namespace

void add_fsck(CLI::App& parent, int& exit_code) {
  auto flags = std::make_shared<FsckFlags>();  // shared with the callback, which outlives this function
  CLI::App* command = parent.add_subcommand("fsck", kAbout);
  command->add_option("--data", flags->data, "The data folder (default: the one of serve, as configured)");
  command->add_flag("--deep", flags->deep, "Read and hash every blob");
  command->add_flag("--repair", flags->repair, "Repair what can be repaired");
  command->add_flag("--force", flags->force, "Repair even if many files are missing")->needs("--repair");
  command->add_option("--format", flags->format, "How to print findings: text or json (an object a line)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_flag("-q,--quiet", flags->quiet, "No progress on standard error");
  command->footer(kFooter);
  command->callback([flags, &exit_code] { exit_code = fsck(*flags); });
}

}  // namespace berth::cli
