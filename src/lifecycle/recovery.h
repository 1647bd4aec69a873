#pragma once
// What a start does before the first request. Its work is bounded by what was in flight when the last process ended,
// never by the size of the store: only the staging folder is listed, only rows that a partial index names are read.

#include "base/clock.h"
#include "base/log.h"
#include "blob/blob_store.h"
#include "meta/store.h"

#include <span>
#include <string>
#include <vector>

namespace berth::lifecycle {

struct RecoveryDeps {
  meta::Store& store;
  blob::BlobMaintenance& files;
  const Clock& clock;
  const Log& log;
};

struct RecoveryReport {
  std::size_t placed = 0;  // committed blobs whose rename was pending
  std::size_t sessions_kept = 0;
  std::size_t sessions_restarted = 0;  // after a power cut: their unsynced bytes cannot be trusted
  std::size_t files_removed = 0;       // nobody's: the process died before anything was acknowledged
  std::size_t files_stuck = 0;         // could be neither placed nor removed: left to the next start
  /// Staged files that no upload knows of any more, by incarnation. What they are only their bytes tell, and reading
  /// gigabytes is no work for a start: review_strays().
  std::vector<std::uint64_t> strays;
};

/// Files and database must be of the same store: half of one and half of another would serve neither. A new database
/// becomes `store_id`'s. Errors: unavailable with a sentence about the folder `path`.
Result<void> claim_store(meta::Store& store, const std::string& store_id, const std::string& path);

/// `boot_id` tells a restarted process from a restarted machine: after the former the files hold all that was written,
/// after the latter only what was synced.
Result<RecoveryReport> recover(const RecoveryDeps& deps, const std::string& boot_id);

/// Removes strays, which nobody was told of, unless one is the very file that the store means. Reads them whole; `pace`
/// false: stops, and the rest is left to the next start. What was done is added to `report`.
void review_strays(const RecoveryDeps& deps, std::span<const std::uint64_t> strays,
                   const blob::BlobMaintenance::Pace& pace, RecoveryReport& report);

/// Gives committed blobs their final names, makes that durable, and notes it. Called by recovery, which cannot go on
/// without, and every second: then with `space` normal, for a full disk's reserve is not for notes that can wait.
Result<std::size_t> place_pending(const RecoveryDeps& deps, std::size_t limit,
                                  meta::Space space = meta::Space::reclaim);

}  // namespace berth::lifecycle
