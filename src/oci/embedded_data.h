#pragma once

#include "base/result.h"
#include "oci/manifest.h"

#include <optional>
#include <string_view>

namespace berth::oci {

/// Decodes standard base64 (RFC 4648, 4), strictly: length a multiple of four, padding exact, unused bits zero, no
/// white space. nullopt otherwise. So every content has one spelling.
std::optional<std::string> decode_base64(std::string_view text);

/// V10: `data` of a descriptor must be base64 of bytes with the descriptor's size (where it has one) and digest. A
/// digest of an unsupported algorithm cannot be checked and is refused: nobody shall read unverified bytes from it.
/// Errors: manifest_invalid; the message starts with "data".
Result<void> check_embedded_data(std::string_view data, const Descriptor& descriptor);

}  // namespace berth::oci
