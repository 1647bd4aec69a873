#pragma once
// What a power cut leaves of writes that were never synced. Used by FaultFs only.

#include "base/random.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth::test {

inline constexpr std::size_t kSectorBytes = 512;  // what a disk writes whole or not at all

/// A write, or (bytes empty) a truncation to `offset`.
struct Change {
  std::uint64_t offset = 0;
  std::optional<std::string> bytes;

  void apply_to(std::string& data) const {
    if (!bytes) {
      data.resize(offset, '\0');
      return;
    }
    if (data.size() < offset + bytes->size()) data.resize(offset + bytes->size(), '\0');
    data.replace(offset, bytes->size(), *bytes);
  }
};

inline bool toss(SeededRandom& random) { return (random.u64() & 1) != 0; }

/// A write of which some sectors reached the disk.
inline void apply_torn(const Change& change, std::string& data, SeededRandom& random) {
  if (!change.bytes) return;
  for (std::size_t at = 0; at < change.bytes->size(); at += kSectorBytes) {
    if (toss(random)) Change{change.offset + at, change.bytes->substr(at, kSectorBytes)}.apply_to(data);
  }
}

/// Some of the changes: all, none, the first ones with a torn last, or any.
inline void apply_some(const std::vector<Change>& changes, std::string& data, SeededRandom& random) {
  const auto style = random.u64() % 4;
  if (style == 0 || changes.empty()) return;
  const std::size_t whole = style == 1 ? changes.size() : random.u64() % changes.size();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (style == 3) {
      if (toss(random)) apply_torn(changes[i], data, random);
    } else if (i < whole) {
      changes[i].apply_to(data);
    } else if (i == whole) {
      apply_torn(changes[i], data, random);
    }
  }
}

}  // namespace berth::test
