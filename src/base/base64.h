#pragma once
// Base64 (RFC 4648) in the two forms the protocols use. Both decoders are strict: no white space, nothing outside the
// alphabet, unused bits zero, so that a content has one spelling but for the padding where that is optional.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace berth {

enum class Padding : std::uint8_t {
  required,  // the length is a multiple of four
  optional,  // all of it or none: some clients' Basic credentials come without
};

/// The standard alphabet ("+/"). nullopt if `text` is not base64.
std::optional<std::string> decode_base64(std::string_view text, Padding padding = Padding::required);

/// With padding.
std::string encode_base64(std::string_view bytes);

/// The alphabet for URLs and file names ("-_"), never padded: the form of tokens and keys (RFC 7515, 2).
std::string encode_base64url(std::span<const std::byte> bytes);
std::string encode_base64url(std::string_view bytes);
/// nullopt if `text` is not that; padding is refused.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace berth
