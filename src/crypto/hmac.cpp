#include "crypto/hmac.h"

#include "base/assert.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdint>
#include <cstring>

namespace berth::crypto {

Sha256Sum hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message) {
  static constexpr unsigned char kNoKey = 0;  // a null key would mean "the one of the call before"
  const void* key_bytes = key.empty() ? static_cast<const void*>(&kNoKey) : key.data();
  Sha256Sum out;
  const unsigned char* made = ::HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()),
                                     reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                                     reinterpret_cast<unsigned char*>(out.data()), nullptr);
  BERTH_ASSERT(made != nullptr, "HMAC-SHA-256 of bytes in memory cannot fail");
  return out;
}

bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) {
  if (a.size() != b.size()) return false;
  // All of it is looked at, a word at a time: CRYPTO_memcmp goes byte by byte, which is felt with every token.
  std::uint64_t difference = 0;
  std::size_t at = 0;
  for (; at + sizeof(difference) <= a.size(); at += sizeof(difference)) {
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    std::memcpy(&left, a.data() + at, sizeof left);
    std::memcpy(&right, b.data() + at, sizeof right);
    difference |= left ^ right;
  }
  const bool is_rest_equal = ::CRYPTO_memcmp(a.data() + at, b.data() + at, a.size() - at) == 0;
  return (difference == 0) & is_rest_equal;
}

}  // namespace berth::crypto
