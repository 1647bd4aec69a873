#pragma once
// What a running server tells of itself besides its requests: pools, caches, disk, store, process.

#include "base/metrics.h"
#include "blob/fs_store.h"
#include "http/server.h"
#include "io/blocking_pool.h"
#include "meta/store.h"
#include "registry/blobs.h"
#include "registry/manifests.h"
#include "registry/space_guard.h"
#include "registry/uploads.h"

#include <atomic>
#include <cstdint>

namespace berth::app {

/// Figures that cost something to get: housekeeping looks now and then, a scrape reads what it saw last.
struct Sightings {
  std::atomic<std::uint64_t> disk_total_bytes{0};
  std::atomic<std::uint64_t> disk_free_bytes{0};
  std::atomic<std::int64_t> repositories{0};
  std::atomic<std::int64_t> tags{0};
  std::atomic<std::int64_t> manifests{0};
  std::atomic<std::int64_t> used_bytes{0};
  std::atomic<std::int64_t> certificate_expiry_ms{0};  // of the first to go; 0: none
  std::atomic<std::uint64_t> scrubbed_blobs{0};
  std::atomic<std::uint64_t> damaged_blobs{0};
};

struct Watched {
  const Log& log;
  const io::BlockingPool& disk;
  const io::BlockingPool& passwords;
  const io::BlockingPool& outbound;
  const io::BlockingPool& provider;
  const meta::Store& store;
  const registry::Uploads& uploads;
  const registry::Blobs& blobs;
  const registry::Manifests& manifests;
  const registry::SpaceGuard& space;
  const Sightings& sightings;
};
/// Everything watched must outlive `metrics`' last reading.
void register_metrics(Metrics& metrics, const Watched& watched);
void register_connections(Metrics& metrics, const http::Server& server);

}  // namespace berth::app
