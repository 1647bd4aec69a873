#include "http/multipart.h"

#include "base/assert.h"
#include "http/chars.h"

namespace berth::http {

std::string content_range(const ByteRange& range, std::uint64_t size_bytes) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" + std::to_string(size_bytes);
}

std::string content_range_unsatisfied(std::uint64_t size_bytes) { return "bytes */" + std::to_string(size_bytes); }

Multipart make_multipart(std::string_view boundary, const std::vector<ByteRange>& ranges, std::uint64_t size_bytes,
                         std::string_view part_type) {
  BERTH_ASSERT(is_token(boundary) && boundary.size() <= 70, "P3: a boundary needs no quoting");
  const std::string delimiter = "\r\n--" + std::string(boundary);
  const std::string part_head = delimiter + "\r\nContent-Type: " + std::string(part_type) + "\r\nContent-Range: ";

  Multipart out;
  out.media_type = "multipart/byteranges; boundary=" + std::string(boundary);
  out.parts.reserve(ranges.size() + 1);
  for (const ByteRange& range : ranges) {
    out.parts.push_back({part_head + content_range(range, size_bytes) + "\r\n\r\n", range.first, range.length()});
  }
  out.parts.push_back({delimiter + "--\r\n", 0, 0});
  return out;
}

}  // namespace berth::http
