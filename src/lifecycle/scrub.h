#pragma once
// The slow background check that stored bytes are still what they were: every blob is read and hashed again at a
// bounded rate, a damaged one goes to quarantine and answers 404 until somebody uploads it again.

#include "base/clock.h"
#include "base/log.h"
#include "blob/blob_store.h"
#include "meta/blobs.h"
#include "meta/store.h"

#include <functional>

namespace berth::lifecycle {

struct ScrubDeps {
  meta::Store& store;
  blob::BlobMaintenance& files;
  const Clock& clock;
  const Log& log;
};

struct ScrubReport {
  std::size_t checked = 0;
  std::size_t bad = 0;
  meta::BlobId position = 0;  // where the next slice goes on; 0: the walk is complete
};

/// Checks up to `limit` blobs after `position`. `pace` is called with the bytes read and may sleep; false stops.
Result<ScrubReport> scrub_slice(const ScrubDeps& deps, meta::BlobId position, std::size_t limit,
                                const blob::BlobMaintenance::Pace& pace);

/// Turns a rate into pauses: how long to sleep after reading `bytes` so that no more than `bytes_per_second` are read.
constexpr std::int64_t pause_for(std::uint64_t bytes, std::uint64_t bytes_per_second) {
  return bytes_per_second == 0 ? 0 : static_cast<std::int64_t>(bytes * 1000 / bytes_per_second);
}

}  // namespace berth::lifecycle
