#include "cli/migrate_printer.h"

#include "base/human_text.h"
#include "base/json_text.h"
#include "cli/progress_line.h"

#include <array>
#include <cstdio>

namespace berth::cli {

namespace {

using lifecycle::MigrateReport;
using lifecycle::Skip;
using lifecycle::SkipKind;

std::string row(const char* what, const std::string& taken, const std::string& there, const std::string& remark) {
  std::array<char, 200> line{};
  std::snprintf(line.data(), line.size(), "%-14s %12s %14s   %s", what, taken.c_str(), there.c_str(), remark.c_str());
  std::string out(line.data());
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

std::string how(const MigrateReport& report, MigrateMode mode) {
  if (mode.dry_run) return size_text(report.blobs_planned.bytes) + " to read";
  constexpr std::array<const char*, 3> kWays = {"linked", "reflinked", "copied"};
  std::string out;
  for (std::size_t i = 0; i < kWays.size(); ++i) {
    if (report.blobs[i].count == 0) continue;
    out += (out.empty() ? "" : ", ") + size_text(report.blobs[i].bytes) + " " + kWays[i];
  }
  return out;
}

/// The kinds that occurred, notes or not.
std::string list_kinds(const MigrateReport& report, bool notes) {
  std::string out;
  for (std::size_t i = 0; i < lifecycle::kSkipKinds; ++i) {
    const auto kind = static_cast<SkipKind>(i);
    if (report.skipped[i] == 0 || is_note(kind) != notes) continue;
    std::array<char, 100> line{};
    std::snprintf(line.data(), line.size(), "  %10llu  %s\n", static_cast<unsigned long long>(report.skipped[i]),
                  std::string(to_string(kind)).c_str());
    out += line.data();
  }
  return out;
}

std::string closing(const MigrateReport& report, MigrateMode mode) {
  if (mode.dry_run)
    return "Nothing was written. The content of blobs was not read: damaged ones are found only by the real run.";
  if (!report.changed() && report.skips() == 0) return "Nothing to do: all of it was there already.";
  std::string out = report.changed() ? "Done." : "Nothing new was taken.";
  if (report.skips() != 0) out += " Skipped " + std::to_string(report.skips()) + ", see above for the reasons.";
  return out;
}

}  // namespace

std::string skip_text(const Skip& skip) {
  return printable(std::string(is_note(skip.kind) ? "note" : "skipped") + "  " + std::string(to_string(skip.kind)) +
                   "  " + skip.object + ": " + skip.reason);
}

std::string skip_json(const Skip& skip) {
  std::string out = R"({"type":")" + std::string(is_note(skip.kind) ? "note" : "skipped") + "\"";
  append_json_member(out, "kind", to_string(skip.kind));
  append_json_member(out, "object", skip.object);
  append_json_member(out, "reason", skip.reason);
  return out + "}";
}

std::string migrate_summary_text(const MigrateReport& report, MigrateMode mode) {
  const auto text = [](std::uint64_t n) { return std::to_string(n); };
  const auto taken = mode.dry_run ? report.blobs_planned : report.taken();
  std::string out = "\n" + row("", mode.dry_run ? "would take" : "taken", "already there", "");
  out += row("repositories", text(report.repositories), "", "");
  out += row("blobs", text(taken.count), text(report.blobs_there.count), how(report, mode));
  out += row("manifests", text(report.manifests), text(report.manifests_there),
             report.referrers == 0 ? "" : text(report.referrers) + " of them referrers");
  out += row("tags", text(report.tags + report.tags_moved), text(report.tags_there),
             report.tags_moved == 0 ? "" : text(report.tags_moved) + " of them moved");
  if (report.skips() != 0) out += "\nskipped:\n" + list_kinds(report, false);
  if (report.notes() != 0) out += "\nleft behind, since nobody could pull it:\n" + list_kinds(report, true);
  if (!report.why_not_cheaper.empty()) out += "\nBlobs were not hard linked: " + report.why_not_cheaper + ".\n";
  return out + "\n" + closing(report, mode);
}

std::string migrate_summary_json(const MigrateReport& report, MigrateMode mode) {
  std::string out = R"({"type":"summary","dry_run":)" + std::string(mode.dry_run ? "true" : "false");
  append_json_member(out, "repositories", report.repositories);
  if (mode.dry_run) {
    append_json_member(out, "blobs_to_take", report.blobs_planned.count);
    append_json_member(out, "bytes_to_take", report.blobs_planned.bytes);
  }
  constexpr std::array<const char*, 3> kWays = {"linked", "reflinked", "copied"};
  for (std::size_t i = 0; i < kWays.size(); ++i) {
    append_json_member(out, "blobs_" + std::string(kWays[i]), report.blobs[i].count);
    append_json_member(out, "bytes_" + std::string(kWays[i]), report.blobs[i].bytes);
  }
  append_json_member(out, "blobs_already_there", report.blobs_there.count);
  append_json_member(out, "bytes_already_there", report.blobs_there.bytes);
  append_json_member(out, "memberships", report.links);
  append_json_member(out, "manifests", report.manifests);
  append_json_member(out, "manifests_already_there", report.manifests_there);
  append_json_member(out, "referrers", report.referrers);
  append_json_member(out, "tags_set", report.tags);
  append_json_member(out, "tags_moved", report.tags_moved);
  append_json_member(out, "tags_already_there", report.tags_there);
  append_json_member(out, "skipped", report.skips());
  append_json_member(out, "notes", report.notes());
  return out + "}";
}

std::string migrate_progress_text(const lifecycle::Progress& p, std::int64_t elapsed_ms) {
  std::string out = progress_text("migrate", p, elapsed_ms);
  if (elapsed_ms < 1000) return out;
  const std::uint64_t rate = p.done * 1000 / static_cast<std::uint64_t>(elapsed_ms);
  if (rate == 0 || p.total <= p.done) return out;
  const std::uint64_t left = (p.total - p.done) / rate;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "  %llu:%02llu:%02llu left", static_cast<unsigned long long>(left / 3600),
                static_cast<unsigned long long>(left / 60 % 60), static_cast<unsigned long long>(left % 60));
  return out + text.data();
}

}  // namespace berth::cli
