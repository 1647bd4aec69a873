#include "lifecycle/recovery.h"

#include "blob/blob_paths.h"
#include "meta/blobs.h"
#include "meta/fsck.h"
#include "meta/settings.h"
#include "meta/uploads.h"

#include <set>
#include <vector>

namespace berth::lifecycle {

namespace {

constexpr std::size_t kPageRows = 1'000;
constexpr meta::WriteOptions kHousekeeping{
    .ack = meta::Ack::process, .space = meta::Space::reclaim, .touches = meta::Touches::nothing()};

/// A file that resists is no reason not to start.
void leave_to_next_start(const RecoveryDeps& deps, std::uint64_t inc, const Error& error, RecoveryReport& report) {
  ++report.files_stuck;
  deps.log.warn("recovery.file_stuck", {f("inc", blob::inc_text(inc)), f("err", error.cause)});
}

Result<void> finish_doomed(const RecoveryDeps& deps, RecoveryReport& report) {
  std::set<std::uint64_t> stuck;
  for (;;) {
    BERTH_TRY(const auto doomed, deps.store.peek([](sql::Connection& db) { return meta::list_doomed(db, kPageRows); }));
    std::vector<std::uint64_t> gone;
    for (const auto& d : doomed) {
      if (stuck.contains(d.inc)) continue;
      if (const auto removed = deps.files.remove({d.digest, d.inc}); removed) {
        gone.push_back(d.inc);
      } else {
        stuck.insert(d.inc);
        leave_to_next_start(deps, d.inc, removed.error(), report);
      }
    }
    if (gone.empty()) return {};
    BERTH_TRYV(deps.store.write_blocking(
        [&](sql::Connection& db) -> Result<void> {
          for (const std::uint64_t inc : gone) BERTH_TRYV(meta::forget_doomed(db, inc));
          return {};
        },
        kHousekeeping));
  }
}

/// After a kill the file holds all that was written, after a power cut bytes that prove nothing.
Result<void> review_session(const RecoveryDeps& deps, const meta::UploadRow& row, bool same_boot,
                            RecoveryReport& report) {
  if (same_boot) {
    ++report.sessions_kept;
    return {};
  }
  if (const auto removed = deps.files.remove_staged(row.inc); !removed) {
    // With its old bytes it would go on where it must not.
    leave_to_next_start(deps, row.inc, removed.error(), report);
    return deps.store.write_blocking([&](sql::Connection& db) { return meta::forget_upload(db, row.id); },
                                     kHousekeeping);
  }
  ++report.sessions_restarted;
  return {};
}

/// Whether the store means exactly this file by the digest. A bad blob's too: whether it is, is for the checks to find
/// out.
Result<bool> is_file_of(const RecoveryDeps& deps, const oci::Digest& digest, std::uint64_t inc) {
  BERTH_TRY(const auto owner,
            deps.store.peek([&](sql::Connection& db) { return meta::owner_of_file(db, digest, inc); }));
  return owner == meta::FileOwner::present || owner == meta::FileOwner::bad;
}

/// The digest under which the store means this file; nullopt: under none. Only the bytes can tell.
Result<std::optional<oci::Digest>> find_blob_of(const RecoveryDeps& deps, std::uint64_t inc,
                                                const blob::BlobMaintenance::Pace& pace) {
  blob::UploadHashes hashes;
  hashes.sha512.emplace();
  BERTH_TRYV(deps.files.rehash_staged(inc, 0, hashes, &pace));
  for (const oci::Digest& digest :
       {oci::Digest::sha256(hashes.sha256.sum()), oci::Digest::sha512(hashes.sha512->sum())}) {
    BERTH_TRY(const bool meant, is_file_of(deps, digest, inc));
    if (meant) return digest;
  }
  return std::nullopt;
}

/// Surplus, because nothing was acknowledged or the store had these bytes already, unless `blob` is meant by it.
void place_or_remove(const RecoveryDeps& deps, std::uint64_t inc, const std::optional<oci::Digest>& blob,
                     RecoveryReport& report) {
  const auto done = blob ? deps.files.ensure_placed({*blob, inc}) : deps.files.remove_staged(inc);
  if (!done) return leave_to_next_start(deps, inc, done.error(), report);
  ++(blob ? report.placed : report.files_removed);
}

Result<void> review_finished(const RecoveryDeps& deps, const meta::UploadRow& row, RecoveryReport& report) {
  BERTH_TRY(const bool meant, is_file_of(deps, *row.digest, row.inc));
  place_or_remove(deps, row.inc, meant ? row.digest : std::nullopt, report);
  return {};
}

Result<void> review_staged(const RecoveryDeps& deps, bool same_boot, RecoveryReport& report) {
  BERTH_TRY(const auto staged, deps.files.list_staged());
  for (const auto& file : staged) {
    BERTH_TRY(const auto row,
              deps.store.peek([&](sql::Connection& db) { return meta::find_upload_by_inc(db, file.inc); }));
    if (!row) {
      report.strays.push_back(file.inc);
    } else if (row->state == meta::kUploadOpen) {
      BERTH_TRYV(review_session(deps, *row, same_boot, report));
    } else if (row->placed && row->digest) {
      BERTH_TRYV(review_finished(deps, *row, report));
    }
  }
  return deps.files.settle();
}

}  // namespace

Result<void> claim_store(meta::Store& store, const std::string& store_id, const std::string& path) {
  BERTH_TRY(const auto known, store.peek([](sql::Connection& db) { return meta::get_setting(db, "store_id"); }));
  if (known == store_id) return {};
  if (known) {
    return fail(Errc::unavailable, "the data folder " + path +
                                       " is mixed from two stores: the database belongs to another one than the files");
  }
  return store.write_blocking([&](sql::Connection& db) { return meta::put_setting(db, "store_id", store_id); });
}

void review_strays(const RecoveryDeps& deps, std::span<const std::uint64_t> strays,
                   const blob::BlobMaintenance::Pace& pace, RecoveryReport& report) {
  for (const std::uint64_t inc : strays) {
    const auto blob = find_blob_of(deps, inc, pace);
    if (!blob && blob.error().code == Errc::unavailable) break;  // stopped
    if (blob) {
      place_or_remove(deps, inc, *blob, report);
    } else {
      leave_to_next_start(deps, inc, blob.error(), report);
    }
  }
  if (const auto settled = deps.files.settle(); !settled)
    deps.log.warn("recovery.settle_failed", {f("err", settled.error().cause)});
}

Result<std::size_t> place_pending(const RecoveryDeps& deps, std::size_t limit, meta::Space space) {
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
      {.ack = meta::Ack::process, .space = space, .touches = meta::Touches::nothing()}));
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
  BERTH_TRYV(finish_doomed(deps, report));
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
