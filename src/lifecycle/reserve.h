#pragma once
// The ballast: space kept aside so that deletes can still be recorded when the disk is full (docs/durability.md).

#include "io/file_system.h"

namespace berth::lifecycle {

inline constexpr const char* kBallastPath = "ballast";

/// 64 MiB, on small disks a sixteenth of them.
constexpr std::uint64_t ballast_bytes(std::uint64_t disk_bytes) {
  constexpr std::uint64_t kWanted = 64ULL * 1024 * 1024;
  return disk_bytes / 16 < kWanted ? disk_bytes / 16 : kWanted;
}

/// Creates the ballast if it is missing, or does not take the room it should, and there is comfortable room for it.
/// Where the file system cannot reserve, it is filled with bytes. True if it is there. Blocks.
Result<bool> ensure_ballast(io::FileSystem& files);
/// Gives the space back. Blocks.
Result<void> drop_ballast(io::FileSystem& files);

}  // namespace berth::lifecycle
