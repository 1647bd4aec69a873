#pragma once
// The body of a 206 with several ranges: one part per range, in the order asked for (P3).

#include "http/message.h"
#include "http/range.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::http {

struct Multipart {
  std::string media_type;       // multipart/byteranges; boundary=…
  std::vector<BodyPart> parts;  // text and slices; the last is the closing delimiter
};

/// boundary: 1 to 70 characters of [A-Za-z0-9], chosen so that it does not occur in the content (Random::hex(16)).
/// ranges: resolved against `size_bytes`. part_type: the Content-Type of each part.
Multipart make_multipart(std::string_view boundary, const std::vector<ByteRange>& ranges, std::uint64_t size_bytes,
                         std::string_view part_type = "application/octet-stream");

/// "bytes a-b/size", the Content-Range of one range.
std::string content_range(const ByteRange& range, std::uint64_t size_bytes);
/// "bytes */size", the Content-Range of an answer to ranges that cannot be satisfied.
std::string content_range_unsatisfied(std::uint64_t size_bytes);

}  // namespace berth::http
