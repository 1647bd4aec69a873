#include "lifecycle/recovery.h"

#include "meta/blobs.h"
#include "meta/settings.h"
#include "meta/uploads.h"

#include <vector>

namespace berth::lifecycle {

namespace {

constexpr std::size_t kPageRows = 1'000;
constexpr meta::WriteOptions kHousekeeping{.ack = meta::Ack::process, .space = meta::Space::reclaim};

Result<void> finish_doomed(const RecoveryDeps& deps) {
  for (;;) {
    BERTH_TRY(const auto doomed, deps.store.peek([](sql::Connection& db) { return meta::list_doomed(db, kPageRows); }));
    if (doomed.empty()) return {};
    for (const auto& d : doomed) BERTH_TRYV(deps.files.remove({d.digest, d.inc}));
    BERTH_TRYV(deps.store.write_blocking(
        [&](sql::Connection& db) -> Result<void> {
          for (const auto& d : doomed) BERTH_TRYV(meta::forget_doomed(db, d.inc));
          return {};
        },
        kHousekeeping));
  }
}

Result<void> review_staged(const RecoveryDeps& deps, bool same_boot, RecoveryReport& report) {
  BERTH_TRY(const auto staged, deps.files.list_staged());
  for (const auto& file : staged) {
    BERTH_TRY(const auto row,
              deps.store.peek([&](sql::Connection& db) { return meta::find_upload_by_inc(db, file.inc); }));
    if (row && row->state == meta::kUploadOpen) {
      if (same_boot) {
        ++report.sessions_kept;
      } else {
        BERTH_TRYV(deps.files.remove_staged(file.inc));
        ++report.sessions_restarted;
      }
      continue;
    }
    // No row: nothing was acknowledged. A placed row: the store had these bytes already and this copy is surplus,
    // unless it is the one the store means.
    bool surplus = !row;
    if (row && row->placed && row->digest) {
      BERTH_TRY(const bool current, deps.store.peek([&](sql::Connection& db) {
        return meta::is_current_blob(db, *row->digest, file.inc);
      }));
      surplus = !current;
    }
    if (!surplus) continue;
    BERTH_TRYV(deps.files.remove_staged(file.inc));
    ++report.files_removed;
  }
  return {};
}

}  // namespace

Result<std::size_t> place_pending(const RecoveryDeps& deps, std::size_t limit) {
  BERTH_TRY(const auto rows, deps.store.peek([&](sql::Connection& db) {
    return meta::list_unplaced(db, static_cast<std::int64_t>(limit));
  }));
  std::vector<std::string> done;
  for (const auto& row : rows) {
    if (!row.digest) continue;
    const auto placed = deps.files.ensure_placed({*row.digest, row.inc});
    if (placed) {
      done.push_back(row.id);
      continue;
    }
    deps.log.error("blob.place_failed", {f("digest", row.digest->str()), f("err", placed.error().cause)});
    // A missing folder looks the same as missing bytes. Only if they are nowhere is there no use in trying again; reads
    // will say so and set the blob aside.
    const auto content = deps.files.inspect({*row.digest, row.inc}, nullptr);
    if (content && !content->present) done.push_back(row.id);
  }
  if (done.empty()) return 0;
  BERTH_TRYV(deps.files.settle());
  BERTH_TRYV(deps.store.write_blocking(
      [&](sql::Connection& db) -> Result<void> {
        for (const std::string& id : done) BERTH_TRYV(meta::mark_placed(db, id));
        return {};
      },
      kHousekeeping));
  return done.size();
}

Result<RecoveryReport> recover(const RecoveryDeps& deps, const std::string& boot_id) {
  RecoveryReport report;
  BERTH_TRY(const auto last_boot,
            deps.store.peek([](sql::Connection& db) { return meta::get_setting(db, "boot_id"); }));
  const bool same_boot = last_boot == boot_id;
  for (;;) {
    BERTH_TRY(const std::size_t placed, place_pending(deps, kPageRows));
    report.placed += placed;
    if (placed < kPageRows) break;
  }
  BERTH_TRYV(finish_doomed(deps));
  BERTH_TRYV(review_staged(deps, same_boot, report));
  if (!same_boot) {
    BERTH_TRYV(
        deps.store.write_blocking([](sql::Connection& db) { return meta::restart_sessions(db); }, kHousekeeping));

    BERTH_TRYV(deps.store.write_blocking([&](sql::Connection& db) { return meta::put_setting(db, "boot_id", boot_id); },
                                         kHousekeeping));
  }
  return report;
}

}  // namespace berth::lifecycle
