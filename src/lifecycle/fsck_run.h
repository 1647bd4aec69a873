#pragma once
// One run of fsck, as its phases see it; see fsck.h. Only fsck*.cpp include this.

#include "blob/blob_store.h"
#include "lifecycle/fsck.h"
#include "meta/fsck.h"
#include "meta/ids.h"
#include "meta/store.h"

#include <utility>

namespace berth::lifecycle {

/// Why it failed, for a person: what the engine says, without the statement it was at.
std::string reason(const Error& error);

class FsckRun {
 public:
  static constexpr std::int64_t kPageRows = 1'000;

  struct Deps {
    sql::Connection& db;  // reads only
    meta::Store* store;   // where repairs are written; nullptr: nothing may be changed
    io::FileSystem& files;
    blob::BlobMaintenance* blobs;  // nullptr until the folders are known to be there
    const Clock& clock;
  };
  using Repair = std::function<Result<void>()>;

  FsckRun(Deps deps, const FsckOptions& options, FsckReport& report)
      : deps_(deps), options_(options), report_(report) {}

  sql::Connection& db() { return deps_.db; }
  io::FileSystem& files() { return deps_.files; }
  blob::BlobMaintenance& blobs() { return *deps_.blobs; }
  bool repairing() const { return deps_.store != nullptr; }
  bool deep() const { return options_.deep; }
  std::int64_t now_ms() const { return deps_.clock.now_ms(); }
  meta::Stamp stamp() const { return {now_ms(), std::nullopt}; }
  const meta::CheckTotals& totals() const { return totals_; }
  void set_totals(const meta::CheckTotals& totals) { totals_ = totals; }

  enum class Unit : std::uint8_t { things, bytes };
  /// `total` is how much there is to do, for the progress line; 0 if nobody knows.
  void begin(std::string_view phase, std::uint64_t total, Unit unit = Unit::things);
  /// For the progress line alone: work that is no phase of the report.
  void announce(std::string_view work, std::uint64_t total, Unit unit = Unit::things);
  void progressed(std::uint64_t things);
  void checked(std::uint64_t things);
  void hashed(std::uint64_t bytes);

  /// Reports damage. With --repair `fix` runs first, and the report says how it went; an empty one: beyond repair.
  void damage(Finding finding, const Repair& fix);
  /// The same for something that is no harm, only untidy.
  void tidy(Finding finding, const Repair& fix);
  void note(Finding finding);
  /// One more blob that a manifest needs and only a push can bring back.
  void waits() { ++report_.waiting; }

  /// Writes in a transaction of its own: fn(Connection&) -> Result<void>. Only while repairing.
  template <class F>
  Result<void> write(F fn) {
    return deps_.store->write_blocking(std::move(fn), {.ack = meta::Ack::process, .space = meta::Space::reclaim});
  }
  /// A repair that is one write.
  template <class F>
  Repair writing(F fn) {
    return [this, fn = std::move(fn)] { return write(fn); };
  }

 private:
  FsckReport::Phase& phase() { return report_.phases.back(); }
  void settle(Finding& finding, const Repair& fix);
  void emit(const Finding& finding);
  void show_progress();

  Deps deps_;
  const FsckOptions& options_;
  FsckReport& report_;
  meta::CheckTotals totals_;
  Progress progress_;
};

/// Calls each(row) for every row that fetch(after) yields page by page, ascending by key_of(row), from `first` on.
template <class Key, class Fetch, class KeyOf, class Each>
Result<void> walk(Key first, Fetch fetch, KeyOf key_of, Each each) {
  for (Key after = std::move(first);;) {
    BERTH_TRY(const auto page, fetch(std::as_const(after)));
    for (const auto& row : page) BERTH_TRYV(each(row));
    if (page.size() < static_cast<std::size_t>(FsckRun::kPageRows)) return {};
    after = key_of(page.back());
  }
}

// The phases, in the order they run: each trusts what those before it have made right.
/// Before a repair: refuses one that would write off the files of a volume that is only not mounted.
Result<void> check_mounted(FsckRun& run);
Result<void> check_folders(FsckRun& run);
Result<void> check_blobs(FsckRun& run);
Result<void> check_manifests(FsckRun& run);
Result<void> check_links(FsckRun& run);
Result<void> check_tags(FsckRun& run);
Result<void> check_usage(FsckRun& run);
Result<void> check_candidates(FsckRun& run);
Result<void> check_files(FsckRun& run);

}  // namespace berth::lifecycle
