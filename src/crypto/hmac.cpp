#include "crypto/hmac.h"

#include "base/assert.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

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
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace berth::crypto
