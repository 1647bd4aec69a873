#include "cli/fsck_printer.h"

#include "base/human_text.h"
#include "base/json_text.h"

#include <array>
#include <cstdio>

namespace berth::cli {

namespace {

using lifecycle::Finding;
using lifecycle::FsckReport;
using lifecycle::RecoveryReport;
using lifecycle::Remedy;
using lifecycle::Severity;

std::string remedy_text(const Finding& finding) {
  switch (finding.remedy) {
    case Remedy::unneeded: return finding.action;
    case Remedy::none: return "cannot be repaired" + (finding.action.empty() ? "" : ": " + finding.action);
    case Remedy::possible: return "--repair would " + finding.action;
    case Remedy::done: return "repaired: " + finding.action;
    case Remedy::failed: return "repair failed (" + finding.action + "): " + finding.error;
    case Remedy::blocked: return "not repaired: the database has to be restored first";
  }
  return {};
}

std::string_view severity_text(const Finding& finding) {
  return finding.severity == Severity::damage ? "damage" : "note";
}

std::string count_text(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string recovered_text(const RecoveryReport& r) {
  if (r.placed + r.files_removed + r.sessions_restarted + r.files_stuck == 0) return {};
  std::string out = "first finished what the last server left: " + std::to_string(r.placed) +
                    " blobs moved to their places, " + std::to_string(r.files_removed) + " surplus files removed, " +
                    std::to_string(r.sessions_restarted) + " uploads started over";
  if (r.files_stuck != 0) out += ", " + std::to_string(r.files_stuck) + " files could not be moved or removed";
  return out + "\n";
}

std::string table_row(std::string_view name, const std::array<std::string, 4>& cells) {
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), "%-14.*s %12s %10s %10s %10s\n", static_cast<int>(name.size()), name.data(),
                cells[0].c_str(), cells[1].c_str(), cells[2].c_str(), cells[3].c_str());
  return line.data();
}

std::string what_was_read(const FsckReport& report, FsckMode mode) {
  const std::string amount = " (" + size_text(report.hashed_bytes) + ")";
  if (mode.deep) return "Every blob was read" + amount + ".";
  if (report.hashed_bytes == 0) return "The content of blobs was not read; --deep does that.";
  return "Only blobs known to be bad were read" + amount + "; --deep reads all.";
}

std::string what_became_of_it(const FsckReport& report, FsckMode mode) {
  if (report.blocked) {
    return "; nothing was repaired, since the database itself is damaged: restore it from a backup first";
  }
  std::string out;
  const std::uint64_t hopeless = report.damaged() - report.repairable;
  const std::uint64_t failed = report.repairable - report.repaired();
  if (mode.repair) {
    out += ", repaired " + std::to_string(report.repaired());
    if (failed != 0) out += ", failed to repair " + std::to_string(failed);
  } else if (report.repairable != 0) {
    out += "; --repair can repair " + std::to_string(report.repairable);
  }
  if (hopeless != 0) out += "; " + std::to_string(hopeless) + " cannot be repaired";
  return out;
}

std::string closing(const FsckReport& report, FsckMode mode) {
  const std::uint64_t damaged = report.damaged();
  std::string out = "No damage found";
  if (damaged != 0) out = "Found " + count_text(damaged, "damage", "damages") + what_became_of_it(report, mode);
  out += ". " + what_was_read(report, mode);
  if (report.waiting != 0) {
    out += "\n" + count_text(report.waiting, "blob that an image needs is", "blobs that images need are") +
           " lost: the images named above cannot be pulled until " + (report.waiting == 1 ? "it is" : "they are") +
           " pushed again.";
  }
  return out;
}

}  // namespace

std::string finding_text(const Finding& finding) {
  return printable(std::string(severity_text(finding)) + "  " + std::string(lifecycle::to_string(finding.kind)) + "  " +
                   finding.object + ": " + finding.what + "  [" + remedy_text(finding) + "]");
}

std::string summary_text(const FsckReport& report, FsckMode mode) {
  std::string out;
  if (report.recovered) out += recovered_text(*report.recovered);
  out += "\n" + table_row("", {"checked", "damaged", "repaired", "notes"});
  for (const auto& phase : report.phases) {
    out += table_row(phase.name, {std::to_string(phase.checked), std::to_string(phase.damaged),
                                  std::to_string(phase.repaired), std::to_string(phase.notes)});
  }
  return out + "\n" + closing(report, mode);
}

std::string finding_json(const Finding& finding) {
  std::string out = "{\"type\":\"finding\"";
  append_json_member(out, "severity", severity_text(finding));
  append_json_member(out, "kind", lifecycle::to_string(finding.kind));
  append_json_member(out, "object", finding.object);
  append_json_member(out, "what", finding.what);
  append_json_member(out, "remedy", lifecycle::to_string(finding.remedy));
  append_json_member(out, "action", finding.action);
  if (!finding.error.empty()) append_json_member(out, "error", finding.error);
  return out + "}";
}

std::string summary_json(const FsckReport& report, FsckMode mode) {
  std::string out = "{\"type\":\"summary\"";
  append_json_member(out, "damaged", report.damaged());
  append_json_member(out, "repairable", report.repairable);
  append_json_member(out, "repaired", report.repaired());
  append_json_member(out, "waiting", report.waiting);
  out += std::string(",\"blocked\":") + (report.blocked ? "true" : "false");
  out += std::string(",\"deep\":") + (mode.deep ? "true" : "false");
  append_json_member(out, "hashed_bytes", report.hashed_bytes);
  out += ",\"phases\":[";
  for (const auto& phase : report.phases) {
    out += out.ends_with('[') ? "{" : ",{";
    out += "\"name\":" + json_string(phase.name);
    append_json_member(out, "checked", phase.checked);
    append_json_member(out, "damaged", phase.damaged);
    append_json_member(out, "repaired", phase.repaired);
    append_json_member(out, "notes", phase.notes);
    out += '}';
  }
  return out + "]}";
}

}  // namespace berth::cli
