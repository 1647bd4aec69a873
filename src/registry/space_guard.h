#pragma once
// What may still be written when the disk runs full. Marks are the smaller of a share of the disk and an absolute
// amount, so that a large disk is not refused at 93 % with hundreds of gigabytes free.

#include "base/result.h"
#include "io/file_system.h"

#include <algorithm>
#include <atomic>

namespace berth::registry {

enum class SpaceLevel : std::uint8_t {
  fine,
  hard,  // no uploads of blobs
  stop,  // nothing but deletes
};

struct SpaceMarks {
  double hard_share = 0.07;
  std::uint64_t hard_free_bytes = 1024ULL * 1024 * 1024;
  double stop_share = 0.03;
  std::uint64_t stop_free_bytes = 256ULL * 1024 * 1024;
};

/// What uploads may take before the disk is at its hard mark. Without bound on a file system that tells nothing. Pure.
inline std::uint64_t upload_room_bytes(const io::Space& space, const SpaceMarks& marks) {
  if (space.total_bytes == 0) return UINT64_MAX;
  const auto share = static_cast<std::uint64_t>(static_cast<double>(space.total_bytes) * marks.hard_share);
  const std::uint64_t mark = std::min(share, marks.hard_free_bytes);
  return space.free_bytes > mark ? space.free_bytes - mark : 0;
}

/// The level for a reading of the disk. Pure.
inline SpaceLevel space_level(const io::Space& space, const SpaceMarks& marks) {
  const auto below = [&](double share, std::uint64_t bytes) {
    const auto part = static_cast<std::uint64_t>(static_cast<double>(space.total_bytes) * share);
    return space.free_bytes < std::min(part, bytes);
  };
  if (below(marks.stop_share, marks.stop_free_bytes)) return SpaceLevel::stop;
  if (below(marks.hard_share, marks.hard_free_bytes)) return SpaceLevel::hard;
  return SpaceLevel::fine;
}

/// What the disk allows now, written by housekeeping each second and read by every write. Thread-safe.
class SpaceGuard {
 public:
  void set(SpaceLevel level) { level_.store(level, std::memory_order_relaxed); }
  SpaceLevel level() const { return level_.load(std::memory_order_relaxed); }
  /// What uploads may still take until the next reading.
  void set_room(std::uint64_t bytes) {
    room_bytes_.store(static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, INT64_MAX)), std::memory_order_relaxed);
  }

  /// `announced_bytes`: what the client says will come. An upload that cannot fit is refused before it is read.
  Result<void> check_upload(std::uint64_t announced_bytes = 0) const {
    if (level() != SpaceLevel::fine) {
      return fail(Errc::no_space, "the registry's disk is nearly full: uploads are refused until space is freed");
    }
    const std::int64_t room = room_bytes_.load(std::memory_order_relaxed);
    if (room < 0 || announced_bytes > static_cast<std::uint64_t>(room)) {
      return fail(Errc::no_space, "the registry's disk has no room for an upload of this size");
    }
    return {};
  }
  /// For bytes that are about to be written, announced or not: between two readings a fast upload could fill a disk.
  Result<void> take_upload(std::uint64_t bytes) {
    BERTH_TRYV(check_upload(bytes));
    room_bytes_.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    return {};
  }
  Result<void> check_metadata() const {
    if (level() != SpaceLevel::stop) return {};
    return fail(Errc::no_space, "the registry's disk is full: only deletes are accepted until space is freed");
  }

 private:
  std::atomic<SpaceLevel> level_{SpaceLevel::fine};
  std::atomic<std::int64_t> room_bytes_{INT64_MAX};
};

}  // namespace berth::registry
