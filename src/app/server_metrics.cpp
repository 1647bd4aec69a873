#include "app/server_metrics.h"

#include "app/process_stats.h"
#include "app/version.h"

namespace berth::app {

namespace {

using enum Metrics::Kind;

template <class Number>
double as_double(Number value) {
  return static_cast<double>(value);
}

template <class Cache>
void register_cache(Metrics& metrics, const std::string& name, const Cache& cache) {
  const metrics::Labels labels = {{"cache", name}};
  metrics.read("berth_cache_hits_total", "Reads answered from memory.", counter, labels,
               [&cache] { return as_double(cache.hits()); });
  metrics.read("berth_cache_misses_total", "Reads that asked the database.", counter, labels,
               [&cache] { return as_double(cache.misses()); });
  metrics.read("berth_cache_bytes", "Memory held by the cache.", gauge, labels,
               [&cache] { return as_double(cache.bytes()); });
}

void register_store(Metrics& metrics, const Sightings& seen) {
  const auto figure = [&](std::string_view name, std::string_view help, const auto& value) {
    metrics.read(name, help, gauge, {}, [&value] { return as_double(value.load()); });
  };
  figure("berth_store_repositories", "Repositories.", seen.repositories);
  figure("berth_store_tags", "Tags.", seen.tags);
  figure("berth_store_manifests", "Manifests, each counted in its repository.", seen.manifests);
  figure("berth_store_used_bytes", "Blobs and manifests, each counted once per namespace.", seen.used_bytes);
  figure("berth_disk_total_bytes", "Size of the file system with the data.", seen.disk_total_bytes);
  figure("berth_disk_free_bytes", "Room left on it.", seen.disk_free_bytes);
  metrics.read("berth_tls_certificate_expiry_seconds",
               "When the first certificate runs out, since 1970; 0 without TLS.", gauge, {},
               [&seen] { return as_double(seen.certificate_expiry_ms.load()) / 1000; });
  metrics.read("berth_scrub_blobs_total", "Stored blobs that the background check has read.", counter, {},
               [&seen] { return as_double(seen.scrubbed_blobs.load()); });
  metrics.read("berth_scrub_damaged_total", "Of those, the ones that were damaged or missing.", counter, {},
               [&seen] { return as_double(seen.damaged_blobs.load()); });
}

void register_process(Metrics& metrics) {
  metrics.read("process_resident_memory_bytes", "Memory in use.", gauge, {},
               [] { return as_double(process_stats().resident_bytes); });
  metrics.read("process_cpu_seconds_total", "Processor time used.", counter, {},
               [] { return process_stats().cpu_seconds; });
  metrics.read("process_open_fds", "Open descriptors.", gauge, {}, [] { return as_double(open_descriptors()); });
  metrics.read("process_start_time_seconds", "When it started, since 1970.", gauge, {},
               [start = process_stats().start_time_seconds] { return start; });
}

}  // namespace

void register_metrics(Metrics& metrics, const Watched& watched) {
  metrics.read("berth_build_info", "Always 1.", gauge,
               {{"version", std::string(version())}, {"commit", std::string(commit())}}, [] { return 1.0; });
  const std::pair<const char*, const io::BlockingPool*> pools[] = {{"disk", &watched.disk},
                                                                   {"passwords", &watched.passwords},
                                                                   {"outbound", &watched.outbound},
                                                                   {"provider", &watched.provider}};
  for (const auto& [name, watched_pool] : pools) {
    metrics.read("berth_pool_queue_depth", "Jobs that wait for a thread.", gauge, {{"pool", name}},
                 [pool = watched_pool] { return as_double(pool->queue_depth()); });
  }
  metrics.read("berth_pool_queue_depth", "Jobs that wait for a thread.", gauge, {{"pool", "db-read"}},
               [&store = watched.store] { return as_double(store.read_queue_depth()); });
  metrics.read("berth_pool_queue_depth", "Jobs that wait for a thread.", gauge, {{"pool", "db-write"}},
               [&store = watched.store] { return as_double(store.queue_depth()); });
  metrics.read("berth_meta_commits_total", "Transactions committed; each may hold many writes.", counter, {},
               [&store = watched.store] { return as_double(store.commit_count()); });
  metrics.read("berth_meta_read_only", "1 after a failed sync of the database, until a restart.", gauge, {},
               [&store = watched.store] { return store.outcome_unknown() ? 1.0 : 0.0; });
  metrics.read("berth_upload_sessions", "Uploads in progress.", gauge, {},
               [&uploads = watched.uploads] { return as_double(uploads.open_sessions()); });
  metrics.read("berth_disk_level", "0 fine, 1 no uploads of blobs, 2 only deletes.", gauge, {},
               [&space = watched.space] { return as_double(static_cast<int>(space.level())); });
  metrics.read("berth_log_dropped_lines_total", "Access lines dropped because nobody took them.", counter, {},
               [&log = watched.log] { return as_double(log.dropped_lines()); });
  register_cache(metrics, "manifests", watched.manifests.cache());
  register_cache(metrics, "links", watched.blobs.links());
  register_store(metrics, watched.sightings);
  register_process(metrics);
}

void register_connections(Metrics& metrics, const http::Server& server) {
  metrics.read("berth_http_connections", "Open connections.", gauge, {},
               [&server] { return as_double(server.connection_count()); });
  metrics.read("berth_http_connections_total", "Connections accepted.", counter, {},
               [&server] { return as_double(server.counts().accepted); });
  metrics.read("berth_http_connections_refused_total", "Connections refused because there were too many.", counter, {},
               [&server] { return as_double(server.counts().refused); });
  metrics.read("berth_http_tls_handshakes_total", "TLS handshakes that succeeded.", counter, {{"resumed", "no"}},
               [&server] { return as_double(server.counts().tls_full); });
  metrics.read("berth_http_tls_handshakes_total", "TLS handshakes that succeeded.", counter, {{"resumed", "yes"}},
               [&server] { return as_double(server.counts().tls_resumed); });
  metrics.read("berth_http_tls_failures_total", "TLS handshakes that failed.", counter, {},
               [&server] { return as_double(server.counts().tls_failed); });
  metrics.read("berth_http_malformed_total", "Requests that could not be read, or whose head is too large.", counter,
               {}, [&server] { return as_double(server.counts().malformed); });
  metrics.read("berth_http_timeouts_total", "Connections ended because the peer stood still.", counter, {},
               [&server] { return as_double(server.counts().timed_out); });
}

}  // namespace berth::app
