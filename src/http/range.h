#pragma once
// Which bytes are meant: the Range header of a GET (P2, P3) and the Content-Range of an upload chunk (U5). Pure.

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::http {

/// Both ends inclusive, first ≤ last < size of the object.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  std::uint64_t length() const { return last - first + 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class RangeOutcome : std::uint8_t {
  none_full,      // no usable Range header: send everything with 200
  satisfiable,    // send `ranges` with 206
  unsatisfiable,  // 416
  too_many,       // more than ranges_max: refuse (podman merges and retries on 400 only, P3)
};

struct ResolvedRanges {
  RangeOutcome outcome = RangeOutcome::none_full;
  /// In the order asked for, never coalesced; not empty exactly if satisfiable.
  std::vector<ByteRange> ranges;
  /// How many were asked for: with one of several left, a multipart answer is still allowed.
  std::size_t requested_count = 0;
};

inline constexpr std::size_t kRangesMax = 1024;  // P3

/// Resolves a Range header (RFC 9110 §14) against an object of `size` bytes:
/// - absent, another unit, unparsable, or an empty object: none_full;
/// - `a-b`, `a-`, `-n`: the last byte is clipped; first ≥ size, `last < first` and `-0` cannot be satisfied (P2);
/// - several: members that cannot be satisfied are dropped unless all are; together longer than the object: none_full.
ResolvedRanges resolve_ranges(std::optional<std::string_view> header, std::uint64_t size,
                              std::size_t ranges_max = kRangesMax);

/// The Content-Range of an upload chunk: `^[0-9]+-[0-9]+$`, inclusive, end ≥ start (U5).
/// Errors: upload_range.
Result<std::pair<std::uint64_t, std::uint64_t>> parse_upload_range(std::string_view text);

}  // namespace berth::http
