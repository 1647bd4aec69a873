#pragma once
// Limits and choices of the domain, each with the place it comes from. Set by `app`, which may change them while the
// server runs.

#include "base/live.h"

#include <cstddef>
#include <cstdint>

namespace berth::registry {

/// V12: what a manifest may refer to that is not there.
enum class ReferencePolicy : std::uint8_t {
  strict,        // nothing
  sparse_index,  // children of an index
  sparse,        // layers and configs too: conformance runs and mirrors
};

struct Limits {
  Live<ReferencePolicy> reference_policy = ReferencePolicy::strict;
  Live<std::size_t> manifest_cache_bytes = 64 * 1024 * 1024;            // of manifests read lately, over all cores
  Live<std::size_t> link_cache_bytes = 16 * 1024 * 1024;                // of blob lookups
  Live<std::size_t> repo_name_bytes_max = 255;                          // G1, with the registry's host
  Live<std::size_t> tag_bytes_max = 128;                                // G2
  Live<std::size_t> json_depth_max = 64;                                // V3
  Live<std::size_t> descriptors_max = 10'000;                           // V3
  Live<std::size_t> ranges_max = 1024;                                  // P3
  Live<std::size_t> warning_bytes_max = 4096;                           // H9
  Live<std::size_t> manifest_bytes_max = 4 * 1024 * 1024;               // M2, inclusive
  Live<std::size_t> token_form_bytes_max = 64 * 1024;                   // A7
  Live<std::size_t> token_scopes_max = 48;                              // A8; more would not fit into 64 KiB
  Live<std::size_t> tags_per_put_max = 64;                              // M5
  Live<std::int64_t> tags_page_default = 10'000;                        // L1: a page without n
  Live<std::int64_t> tags_page_max = 10'000;                            // L1
  Live<std::int64_t> catalog_page_default = 100;                        // L3
  Live<std::int64_t> catalog_page_max = 1'000;                          // L3
  Live<std::size_t> referrers_page_bytes_max = 4 * 1024 * 1024 - 4096;  // R4: the page with its frame stays below 4 MiB
  Live<std::size_t> referrers_scan_max = 10'000;                        // S21: rows a filtered page looks at
  Live<std::int64_t> referrers_per_subject_max = 100'000;               // S21
  Live<std::int64_t> manifests_per_repo_max = 10'000'000;               // S21
  Live<std::int64_t> session_idle_ms = 24LL * 60 * 60 * 1000;           // U12
  Live<std::int64_t> session_idle_pressed_ms = 5LL * 60 * 1000;         // the same on a nearly full disk
  Live<std::int64_t> status_wait_ms = 1'000;                            // U7: for the writer to let go
  Live<std::int64_t> tombstone_ms = 10LL * 60 * 1000;                   // U10
  Live<std::size_t> sessions_per_repo_max = 10'000;                     // U12
  Live<std::size_t> sessions_max = 100'000;                             // U12
  Live<std::size_t> sessions_per_subject_max = 0;                       // 0: any number
};

}  // namespace berth::registry
