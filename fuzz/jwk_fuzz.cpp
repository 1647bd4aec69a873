// Any JSON as key, any bytes as PEM: what is accepted prints as a JWK that is the same key.
#include "base/assert.h"
#include "base/json.h"
#include "crypto/signing_key.h"
#include "crypto/verify_key.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace berth;

void check(const Result<crypto::VerifyKey>& key) {
  if (!key.has_value()) {
    BERTH_ASSERT(key.error().code == Errc::parameter_invalid && !key.error().message.empty(), "a sentence");
    return;
  }
  const auto value = json::parse(key->jwk());
  BERTH_ASSERT(value.has_value(), "a JWK is JSON");
  const auto again = crypto::VerifyKey::from_jwk(*value);
  BERTH_ASSERT(again.has_value() && again->jwk() == key->jwk(), "print undoes parse");
  BERTH_ASSERT(again->algorithm() == key->algorithm() && again->thumbprint() == key->thumbprint(), "the same key");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto value = json::parse(text); value.has_value()) check(crypto::VerifyKey::from_jwk(*value));
  check(crypto::VerifyKey::from_pem(text));
  if (const auto key = crypto::SigningKey::from_pem(text); key.has_value()) check(key->public_key());
  return 0;
}
