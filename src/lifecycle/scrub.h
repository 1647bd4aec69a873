#pragma once
// The slow background check that stored bytes are still what they were: every blob is read and hashed again at a
// bounded rate, a damaged one goes to quarantine and answers 404 until somebody uploads it again. One that was set
// aside although its bytes are right is served again.

#include "base/clock.h"
#include "base/log.h"
#include "blob/blob_store.h"
#include "meta/ids.h"
#include "meta/store.h"

#include <functional>

namespace berth::lifecycle {

struct ScrubDeps {
  meta::Store& store;
  blob::BlobMaintenance& files;
  const Clock& clock;
  const Log& log;
};

/// What a file costs the disk besides its bytes, in bytes: tiny files count against the rate too.
inline constexpr std::size_t kScrubFileBytes = 64 * 1024;

struct ScrubReport {
  std::size_t checked = 0;
  std::size_t bad = 0;
  std::size_t restored = 0;   // set aside by mistake, present again
  meta::BlobId position = 0;  // where the next slice goes on; 0: the walk is complete
  bool stopped = false;       // by the pace
};

/// Checks up to `limit` blobs after `position`. `pace` is called with the bytes read, and with kScrubFileBytes for each
/// file; it may sleep; false stops. Missing files are not written off where many of them are missing.
Result<ScrubReport> scrub_slice(const ScrubDeps& deps, meta::BlobId position, std::size_t limit,
                                const blob::BlobMaintenance::Pace& pace);

/// From `position` to the end of the store, without a rest but those of the pace. `on_slice` hears how it goes.
/// False: the pace stopped it.
Result<bool> scrub_pass(const ScrubDeps& deps, meta::BlobId position, const blob::BlobMaintenance::Pace& pace,
                        const std::function<void(const ScrubReport&)>& on_slice);

/// Turns a rate into pauses: how long to sleep after reading so many bytes that no more than the rate are read. What is
/// less than a millisecond is owed and counted with the next bytes. Rate 0: no pauses.
class Throttle {
 public:
  constexpr explicit Throttle(std::uint64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}
  constexpr std::int64_t pause_ms(std::uint64_t bytes) {
    if (bytes_per_second_ == 0) return 0;
    owed_bytes_ += bytes;
    const std::uint64_t pause = owed_bytes_ * 1000 / bytes_per_second_;
    owed_bytes_ -= pause * bytes_per_second_ / 1000;
    return static_cast<std::int64_t>(pause);
  }

 private:
  std::uint64_t bytes_per_second_;
  std::uint64_t owed_bytes_ = 0;
};

}  // namespace berth::lifecycle
