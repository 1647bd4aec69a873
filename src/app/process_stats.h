#pragma once
// What the kernel says of this process (/proc/self).

#include <cstddef>
#include <cstdint>

namespace berth::app {

struct ProcessStats {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // since 1970
};
/// Zeros where /proc cannot be read.
ProcessStats process_stats();
std::size_t open_descriptors();

}  // namespace berth::app
