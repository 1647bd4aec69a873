#include "lifecycle/fsck_run.h"

namespace berth::lifecycle {

std::string reason(const Error& error) {
  if (error.cause.empty()) return error.message;
  return error.cause.substr(0, error.cause.find(" in: "));
}

void FsckRun::begin(std::string_view phase, std::uint64_t total, Unit unit) {
  report_.phases.push_back({.name = phase});
  announce(phase, total, unit);
}

void FsckRun::announce(std::string_view work, std::uint64_t total, Unit unit) {
  progress_ = {work, 0, total, unit == Unit::bytes};
  show_progress();
}

void FsckRun::progressed(std::uint64_t things) {
  if (progress_.in_bytes) return;
  progress_.done += things;
  show_progress();
}

void FsckRun::checked(std::uint64_t things) {
  phase().checked += things;
  progressed(things);
}

void FsckRun::hashed(std::uint64_t bytes) {
  report_.hashed_bytes += bytes;
  if (!progress_.in_bytes) return;
  progress_.done += bytes;
  show_progress();
}

void FsckRun::show_progress() {
  if (options_.on_progress) options_.on_progress(progress_);
}

void FsckRun::damage(Finding finding, const Repair& fix) {
  finding.severity = Severity::damage;
  settle(finding, fix);
  ++phase().damaged;
  if (finding.remedy != Remedy::none && finding.remedy != Remedy::blocked) ++report_.repairable;
  if (finding.remedy == Remedy::done) ++phase().repaired;
  emit(finding);
}

void FsckRun::tidy(Finding finding, const Repair& fix) {
  finding.severity = Severity::note;
  settle(finding, fix);
  ++phase().notes;
  emit(finding);
}

void FsckRun::note(Finding finding) {
  finding.severity = Severity::note;
  finding.remedy = Remedy::unneeded;
  ++phase().notes;
  emit(finding);
}

void FsckRun::settle(Finding& finding, const Repair& fix) {
  if (!fix) {
    finding.remedy = Remedy::none;
    return;
  }
  if (!repairing()) {
    finding.remedy = options_.repair ? Remedy::blocked : Remedy::possible;
    return;
  }
  const auto fixed = fix();
  finding.remedy = fixed ? Remedy::done : Remedy::failed;
  if (!fixed) finding.error = reason(fixed.error());
}

void FsckRun::emit(const Finding& finding) {
  if (options_.on_finding) options_.on_finding(finding);
}

}  // namespace berth::lifecycle
