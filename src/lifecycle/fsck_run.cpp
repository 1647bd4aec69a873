#include "lifecycle/fsck_run.h"

namespace berth::lifecycle {

void FsckRun::begin(std::string_view phase, std::uint64_t total, Unit unit) {
  report_.phases.push_back({.name = phase});
  progress_ = {phase, 0, total, unit == Unit::bytes};
  show_progress();
}

void FsckRun::checked(std::uint64_t things) {
  phase().checked += things;
  if (progress_.in_bytes) return;
  progress_.done += things;
  show_progress();
}

void FsckRun::hashed(std::uint64_t bytes) {
  report_.hashed_bytes += bytes;
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
  if (finding.remedy != Remedy::none) ++report_.repairable;
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
  finding.remedy = Remedy::possible;
  if (!repairing()) return;
  const auto fixed = fix();
  finding.remedy = fixed ? Remedy::done : Remedy::failed;
  if (!fixed) finding.error = fixed.error().cause.empty() ? fixed.error().message : fixed.error().cause;
}

void FsckRun::emit(const Finding& finding) {
  if (options_.on_finding) options_.on_finding(finding);
}

}  // namespace berth::lifecycle
