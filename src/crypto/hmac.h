#pragma once
// Keyed hashes, and comparing what must not be guessed byte by byte (S26).

#include "crypto/hash.h"

#include <cstddef>
#include <span>

namespace berth::crypto {

/// HMAC-SHA-256 (RFC 2104). The key may have any length; 32 random bytes are what it is worth.
Sha256Sum hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message);

/// Takes the same time wherever the two differ. Their lengths are no secret.
bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b);

}  // namespace berth::crypto
