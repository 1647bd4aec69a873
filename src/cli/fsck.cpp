// berth fsck: checks a data folder whose server is stopped.

#include "lifecycle/fsck.h"

#include "app/data_dir.h"
#include "base/json_text.h"
#include "cli/commands.h"
#include "cli/exit_code.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>

namespace berth::cli {

namespace {

using lifecycle::Finding;
using lifecycle::FsckProgress;
using lifecycle::FsckReport;
using lifecycle::Remedy;
using lifecycle::Severity;

constexpr std::int64_t kRedrawMs = 100;       // on a terminal
constexpr std::int64_t kPlainLineMs = 5'000;  // else

struct FsckFlags {
  std::string data;
  std::string format = "text";
  bool deep = false;
  bool repair = false;
  bool quiet = false;
};

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

/// Names of files may hold anything; a terminal must not obey them.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

/// One line on standard error that is drawn over and over; a line every few seconds where that is not a terminal.
class ProgressLine {
 public:
  ProgressLine(const Clock& clock, bool quiet)
      : clock_(clock), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) != 0), last_ms_(clock.mono_ms()) {}

  void show(const FsckProgress& progress) {
    if (quiet_) return;
    const std::int64_t now = clock_.mono_ms();
    if (progress.phase != phase_) {
      phase_ = progress.phase;
      began_ms_ = now;
    }
    if (now - last_ms_ < (terminal_ ? kRedrawMs : kPlainLineMs)) return;
    last_ms_ = now;
    const std::string line = text(progress, now);
    if (terminal_) {
      std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
      drawn_ = true;
    } else {
      std::fprintf(stderr, "%s\n", line.c_str());
    }
  }

  /// Before anything else is printed: it may go to the same terminal.
  void clear() {
    if (!drawn_) return;
    std::fputs("\r\x1b[K", stderr);
    drawn_ = false;
  }

 private:
  std::string text(const FsckProgress& p, std::int64_t now) const {
    const auto amount = [&](std::uint64_t n) { return p.in_bytes ? size_text(n) : std::to_string(n); };
    std::string out = "fsck: " + std::string(p.phase);
    if (p.total == 0 && p.done == 0) return out;
    out += "  " + amount(p.done);
    if (p.total != 0) out += " of " + amount(p.total);
    const std::int64_t elapsed = now - began_ms_;
    if (elapsed >= 1000) out += "  " + amount(p.done * 1000 / static_cast<std::uint64_t>(elapsed)) + "/s";
    return out;
  }

  const Clock& clock_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::string phase_;
  std::int64_t began_ms_ = 0;
  std::int64_t last_ms_;
};

std::string remedy_text(const Finding& finding) {
  switch (finding.remedy) {
    case Remedy::unneeded: return finding.action;
    case Remedy::none: return "cannot be repaired" + (finding.action.empty() ? "" : ": " + finding.action);
    case Remedy::possible: return "--repair would " + finding.action;
    case Remedy::done: return "repaired: " + finding.action;
    case Remedy::failed: return "repair failed (" + finding.action + "): " + finding.error;
  }
  return {};
}

std::string_view severity_text(const Finding& finding) {
  return finding.severity == Severity::damage ? "damage" : "note";
}

class Printer {
 public:
  virtual ~Printer() = default;
  virtual void finding(const Finding& finding) = 0;
  virtual void summary(const FsckReport& report, const FsckFlags& flags) = 0;
};

class TextPrinter final : public Printer {
 public:
  void finding(const Finding& finding) override {
    if (finding.kind == lifecycle::FindingKind::blob_bad) ++waiting_;
    const std::string line = std::string(severity_text(finding)) + "  " +
                             std::string(lifecycle::to_string(finding.kind)) + "  " + finding.object + ": " +
                             finding.what + "  [" + remedy_text(finding) + "]";
    std::printf("%s\n", printable(line).c_str());
  }

  void summary(const FsckReport& report, const FsckFlags& flags) override {
    if (report.recovered) print_recovered(*report.recovered);
    std::printf("\n%-14s %12s %10s %10s %10s\n", "", "checked", "damaged", "repaired", "notes");
    for (const auto& phase : report.phases) {
      std::printf("%-14.*s %12" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
                  static_cast<int>(phase.name.size()), phase.name.data(), phase.checked, phase.damaged, phase.repaired,
                  phase.notes);
    }
    std::printf("\n%s\n", closing(report, flags).c_str());
  }

 private:
  static void print_recovered(const lifecycle::RecoveryReport& r) {
    if (r.placed + r.files_removed + r.sessions_restarted == 0) return;
    std::printf(
        "first finished what the last server left: %zu blobs moved to their places, %zu surplus files removed, "
        "%zu uploads started over\n",
        r.placed, r.files_removed, r.sessions_restarted);
  }

  std::string closing(const FsckReport& report, const FsckFlags& flags) const {
    const std::uint64_t damaged = report.damaged();
    std::string read = flags.deep ? "Every blob was read (" + size_text(report.hashed_bytes) + ")."
                                  : "The content of blobs was not read; --deep does that.";
    if (waiting_ != 0) {
      read += "\n" + std::to_string(waiting_) + (waiting_ == 1 ? " blob that was" : " blobs that were") +
              " found damaged before: push again what the notes name.";
    }
    if (damaged == 0) return "No damage found. " + read;
    std::string out = "Found " + std::to_string(damaged) + (damaged == 1 ? " damage" : " damages");
    const std::uint64_t hopeless = damaged - report.repairable;
    const std::uint64_t failed = report.repairable - report.repaired();
    if (flags.repair) {
      out += ", repaired " + std::to_string(report.repaired());
      if (failed != 0) out += ", failed to repair " + std::to_string(failed);
    } else if (report.repairable != 0) {
      out += "; --repair can repair " + std::to_string(report.repairable);
    }
    if (hopeless != 0) out += "; " + std::to_string(hopeless) + " cannot be repaired";
    return out + ". " + read;
  }

  std::uint64_t waiting_ = 0;  // blobs known to be bad
};

/// One object a line: findings, then the summary.
class JsonPrinter final : public Printer {
 public:
  void finding(const Finding& finding) override {
    std::string out = "{\"type\":\"finding\"";
    add(out, "severity", severity_text(finding));
    add(out, "kind", lifecycle::to_string(finding.kind));
    add(out, "object", finding.object);
    add(out, "what", finding.what);
    add(out, "remedy", lifecycle::to_string(finding.remedy));
    add(out, "action", finding.action);
    if (!finding.error.empty()) add(out, "error", finding.error);
    std::printf("%s}\n", out.c_str());
  }

  void summary(const FsckReport& report, const FsckFlags& flags) override {
    std::string out = "{\"type\":\"summary\"";
    add(out, "damaged", report.damaged());
    add(out, "repairable", report.repairable);
    add(out, "repaired", report.repaired());
    out += std::string(",\"deep\":") + (flags.deep ? "true" : "false");
    add(out, "hashed_bytes", report.hashed_bytes);
    out += ",\"phases\":[";
    for (const auto& phase : report.phases) {
      out += out.ends_with('[') ? "{" : ",{";
      out += "\"name\":" + json_string(phase.name);
      add(out, "checked", phase.checked);
      add(out, "damaged", phase.damaged);
      add(out, "repaired", phase.repaired);
      add(out, "notes", phase.notes);
      out += '}';
    }
    std::printf("%s]}\n", out.c_str());
  }

 private:
  static void add(std::string& out, std::string_view key, std::string_view value) {
    out += "," + json_string(key) + ":";
    append_json_string(out, value);
  }
  static void add(std::string& out, std::string_view key, std::uint64_t value) {
    out += "," + json_string(key) + ":" + std::to_string(value);
  }
};

int fail_to_check(const Error& error) {
  if (error.code == Errc::busy) {
    return report(Error(Errc::busy, "the registry is running (pid " + std::to_string(error.number) +
                                        "); stop it first, then check again"));
  }
  return report(error);
}

int fsck(const FsckFlags& flags) {
  const std::string path = flags.data.empty() ? app::default_data_dir() : flags.data;
  const SystemClock clock;
  const Log log(LogLevel::off);  // what there is to say is said as findings
  SystemRandom random;
  auto data = app::DataDir::open(path, app::DataDir::Create::never, random);
  if (!data) return fail_to_check(data.error());
  ProgressLine progress(clock, flags.quiet);
  std::unique_ptr<Printer> printer;
  if (flags.format == "json") {
    printer = std::make_unique<JsonPrinter>();
  } else {
    printer = std::make_unique<TextPrinter>();
  }
  lifecycle::FsckOptions options{.deep = flags.deep, .repair = flags.repair};
  options.on_progress = [&](const FsckProgress& p) { progress.show(p); };
  options.on_finding = [&](const Finding& finding) {
    progress.clear();
    printer->finding(finding);
  };
  const auto done = lifecycle::run_fsck(
      {(*data)->files(), (*data)->database_path(), (*data)->store_id(), app::read_boot_id(), clock, log}, options);
  progress.clear();
  std::fflush(stdout);
  if (!done) return report(done.error());
  printer->summary(*done, flags);
  return done->damaged() == 0 ? kOk : kFound;
}

constexpr const char* kAbout = "Check a data folder whose registry is stopped";

constexpr const char* kFooter =
    "Compares everything the registry remembers with everything it keeps: that each blob has its file, that each\n"
    "manifest's bytes are what they were, that links, tags, counters and the garbage queue agree with them. With\n"
    "--deep every blob is read and hashed as well, which takes as long as reading the disk.\n\n"
    "Without --repair nothing in the folder is changed; only on a full disk the reserve (ballast) is given up, since "
    "even\n"
    "reading takes a few blocks. With it, whatever can be derived is derived anew, and damaged files are moved to\n"
    "quarantine/: such a blob answers 404 until somebody pushes it again. No blob or manifest is deleted.\n\n"
    "Examples:\n"
    "  berth fsck --data /var/lib/berth                   about two minutes a million images\n"
    "  berth fsck --data /var/lib/berth --deep            also reads every blob\n"
    "  berth fsck --data /var/lib/berth --deep --repair   and repairs what it finds; run it again to be sure\n"
    "  berth fsck --data /var/lib/berth --format json     an object a line, for scripts\n\n"
    "Exit status: 0 no damage, 1 could not check, 2 damage found (also if it was repaired),\n"
    "  75 the registry is running: stop it first (a running one checks itself, see serve --scrub-rate)";

}  // namespace

void add_fsck(CLI::App& parent, int& exit_code) {
  auto flags = std::make_shared<FsckFlags>();  // shared with the callback, which outlives this function
  CLI::App* command = parent.add_subcommand("fsck", kAbout);
  command->add_option("--data", flags->data, "The data folder (default: " + app::default_data_dir() + ")");
  command->add_flag("--deep", flags->deep, "Read and hash every blob");
  command->add_flag("--repair", flags->repair, "Repair what can be repaired");
  command->add_option("--format", flags->format, "How to print findings: text or json (an object a line)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_flag("-q,--quiet", flags->quiet, "No progress on standard error");
  command->footer(kFooter);
  command->callback([flags, &exit_code] { exit_code = fsck(*flags); });
}

}  // namespace berth::cli
