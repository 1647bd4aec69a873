#pragma once
// One missing file is a loss. Many at once are a volume that is not mounted, or a database restored before its files:
// no time to write anything off.

#include <cstdint>

namespace berth::lifecycle {

/// `missing` of the `looked_for`.
constexpr bool too_many_missing(std::uint64_t missing, std::uint64_t looked_for) {
  return missing > 10 && missing > looked_for / 10;
}

}  // namespace berth::lifecycle
