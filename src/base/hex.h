#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// Lowercase hex, two characters a byte.
std::string to_hex(std::span<const std::byte> bytes);
/// The same to `out`, which has room for it; the end of what was written.
char* write_hex(std::span<const std::byte> bytes, char* out);

/// Value of one lowercase hex digit, or -1. Uppercase is refused on purpose: digests are lowercase only (G3).
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// Reads lowercase hex into `out`; false if the length differs or a character is not a lowercase hex digit.
bool from_hex(std::string_view text, std::span<std::byte> out);

}  // namespace berth
