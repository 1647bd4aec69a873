#pragma once
// Entity tags: If-None-Match, If-Match, If-Range (RFC 9110 §8.8.3, §13.1).

#include <cstdint>
#include <string_view>

namespace berth::http {

enum class Comparison : std::uint8_t {
  weak,    // If-None-Match: W/"x" equals "x"
  strong,  // If-Match, If-Range: W/"x" equals nothing
};

/// Whether the list `header` (the joined field value) names the entity tag whose text between the quotes is `opaque`.
/// `*` matches every existing object. A bare, unquoted tag is understood too: clients send digests that way. What
/// cannot be read matches nothing.
bool matches(std::string_view header, std::string_view opaque, Comparison comparison);

/// If-Range holds one tag or a date; a date, and everything else that is not exactly this tag, does not match.
bool matches_if_range(std::string_view header, std::string_view opaque);

}  // namespace berth::http
