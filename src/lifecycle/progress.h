#pragma once
// How far work over stored content is.

#include <cstdint>
#include <string_view>

namespace berth::lifecycle {

struct Progress {
  std::string_view phase;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: unknown
  bool in_bytes = false;
};

}  // namespace berth::lifecycle
