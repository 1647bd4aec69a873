#pragma once

#include "base/result.h"
#include "oci/manifest.h"

#include <string_view>

namespace berth::oci {

/// V10: `data` of a descriptor must be padded base64 of bytes with the descriptor's size (where it has one) and digest.
/// A digest of an unsupported algorithm cannot be checked and is refused: nobody shall read unverified bytes from it.
/// Errors: manifest_invalid; the message starts with "data".
Result<void> check_embedded_data(std::string_view data, const Descriptor& descriptor);

}  // namespace berth::oci
