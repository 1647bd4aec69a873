// Any text as Range, Content-Range, entity-tag list and warning text. The input is "<size>\n<header>".
#include "base/assert.h"
#include "http/chars.h"
#include "http/etag.h"
#include "http/multipart.h"
#include "http/range.h"
#include "http/warning.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace berth;
using namespace berth::http;

void check_ranges(std::string_view header, std::uint64_t size) {
  const ResolvedRanges resolved = resolve_ranges(header, size);
  BERTH_ASSERT(resolved.ranges.empty() == (resolved.outcome != RangeOutcome::satisfiable), "P2: ranges if satisfiable");
  BERTH_ASSERT(resolved.ranges.size() <= std::min(resolved.requested_count, kRangesMax),
               "P3: never more than asked for");
  if (size == 0) BERTH_ASSERT(resolved.outcome == RangeOutcome::none_full, "P2: an empty blob is sent whole");
  std::uint64_t left = size;
  for (const ByteRange& range : resolved.ranges) {
    BERTH_ASSERT(range.first <= range.last && range.last < size, "P2: inside the object");
    BERTH_ASSERT(range.length() <= left, "P3: no amplification");
    left -= range.length();
  }
  if (resolved.outcome != RangeOutcome::satisfiable) return;

  std::string printed = "bytes=";
  for (const ByteRange& range : resolved.ranges) {
    printed += std::to_string(range.first) + "-" + std::to_string(range.last) + ",";
  }
  BERTH_ASSERT(resolve_ranges(printed, size).ranges == resolved.ranges, "P2: printing and resolving are inverse");
  const Multipart multipart = make_multipart("b", resolved.ranges, size);
  BERTH_ASSERT(multipart.parts.size() == resolved.ranges.size() + 1, "P3: one part per range");
}

void check_upload_range(std::string_view text) {
  const auto range = parse_upload_range(text);
  if (!range) return;
  const std::size_t dash = text.find('-');
  BERTH_ASSERT(std::ranges::count(text, '-') == 1 && dash > 0 && dash + 1 < text.size(), "U5: two numbers");
  BERTH_ASSERT(std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '-'; }), "U5: digits only");
  BERTH_ASSERT(range->first <= range->second && range->second - range->first < UINT64_MAX, "U5: a length that fits");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = std::min(text.find('\n'), text.size());
  std::uint64_t object_size = 0;
  for (const char c : text.substr(0, line_end))
    object_size = object_size * 10 + static_cast<unsigned char>(c - '0') % 10u;
  const std::string_view header = text.substr(std::min(line_end + 1, text.size()));

  check_ranges(header, object_size);
  check_upload_range(header);
  const bool strong = matches(header, "sha256:ab", Comparison::strong);
  BERTH_ASSERT(!strong || matches(header, "sha256:ab", Comparison::weak), "strong equality implies weak");
  BERTH_ASSERT(!matches_if_range(header, "sha256:ab") || strong, "If-Range is one strong tag");
  const std::string warning = warning_header(header);
  BERTH_ASSERT(warning.size() <= 4096 && warning.ends_with('"'), "H9: length and end");
  BERTH_ASSERT(all_of_class(warning, CharClass::field_byte) && warning.find('\t') == warning.npos,
               "H9: no control characters");
  return 0;
}
