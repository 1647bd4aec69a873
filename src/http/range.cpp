#include "http/range.h"

#include "http/chars.h"

#include <algorithm>
#include <limits>

namespace berth::http {

namespace {

/// One range-spec as written. Numbers beyond 64 bits are held at the maximum: they are beyond every object too.
struct RangeSpec {
  std::optional<std::uint64_t> first;  // absent: a suffix of `last` bytes
  std::optional<std::uint64_t> last;   // absent: to the end
};

/// Takes the digits at the front of `rest`; nullopt if there are none.
std::optional<std::uint64_t> take_number(std::string_view& rest) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (rest.empty() || !is_digit(rest.front())) return std::nullopt;
  std::uint64_t value = 0;
  while (!rest.empty() && is_digit(rest.front())) {
    const auto digit = static_cast<std::uint64_t>(rest.front() - '0');
    value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
    rest.remove_prefix(1);
  }
  return value;
}

/// nullopt: not a range-spec at all.
std::optional<RangeSpec> parse_spec(std::string_view text) {
  RangeSpec spec;
  spec.first = take_number(text);
  if (!text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  spec.last = take_number(text);
  if (!text.empty() || (!spec.first && !spec.last)) return std::nullopt;
  return spec;
}

/// nullopt: no byte of the object is meant.
std::optional<ByteRange> resolve(const RangeSpec& spec, std::uint64_t size) {
  if (!spec.first) {
    const std::uint64_t length = std::min(spec.last.value_or(0), size);
    if (length == 0) return std::nullopt;
    return ByteRange{size - length, size - 1};
  }
  const std::uint64_t last = std::min(spec.last.value_or(size - 1), size - 1);
  if (*spec.first > last) return std::nullopt;  // also `500-0`, which RFC 9110 would ignore (P2)
  return ByteRange{*spec.first, last};
}

/// Longer together than the object: asking for it whole is cheaper for both sides, and refusing would break podman
/// (P3).
bool exceed(const std::vector<ByteRange>& ranges, std::uint64_t size) {
  std::uint64_t left = size;
  for (const ByteRange& range : ranges) {
    if (range.length() > left) return true;
    left -= range.length();
  }
  return false;
}

}  // namespace

ResolvedRanges resolve_ranges(std::optional<std::string_view> header, std::uint64_t size, std::size_t ranges_max) {
  if (!header || size == 0) return {};
  const std::string_view text = trim(*header);
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || !iequals(text.substr(0, equals), "bytes")) return {};

  ResolvedRanges out;
  const bool parsed = for_each_in_list(text.substr(equals + 1), [&](std::string_view element) {
    const std::optional<RangeSpec> spec = parse_spec(element);
    if (!spec) return false;
    if (++out.requested_count > ranges_max) return true;  // counted, not stored
    if (const std::optional<ByteRange> range = resolve(*spec, size)) out.ranges.push_back(*range);
    return true;
  });
  if (!parsed || out.requested_count == 0) return {};

  if (out.requested_count > ranges_max) {
    out.outcome = RangeOutcome::too_many;
    out.ranges.clear();
  } else if (out.ranges.empty()) {
    out.outcome = RangeOutcome::unsatisfiable;
  } else if (exceed(out.ranges, size)) {
    return {};
  } else {
    out.outcome = RangeOutcome::satisfiable;
  }
  return out;
}

Result<std::pair<std::uint64_t, std::uint64_t>> parse_upload_range(std::string_view text) {
  constexpr const char* kExpected = "Content-Range of a chunk must be <first>-<last>, both inclusive";
  const std::optional<RangeSpec> spec = parse_spec(text);
  if (!spec || !spec->first || !spec->last) return fail(Errc::upload_range, kExpected);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (*spec->last < *spec->first || *spec->last == kMax) return fail(Errc::upload_range, kExpected);
  return std::pair(*spec->first, *spec->last);
}

}  // namespace berth::http
