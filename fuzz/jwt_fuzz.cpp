// Any bytes as a token, and any claims under any header signed with our own key: what is accepted was signed, keeps the
// rules of A12 and reads the same after being signed anew. Input: a token, or header, line end, claims.
#include "auth/jwt.h"

#include "base/assert.h"
#include "base/base64.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace berth;

// Made for this target: the seeds are signed with it.
constexpr std::string_view kPem = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgM/Md0h0GfEsK/XWr
LDeiD0uqqudU4uVKCMNt++Q4P+2hRANCAAShIHXNV7EKc82vF+6bEJpaI+SvXrrZ
+Kw67HfRTuU3QJ2Im2eZv37nONBmBIRKJfksO/zvopqeZwJ13XlRpUud
-----END PRIVATE KEY-----)";

const crypto::SigningKey& our_key() {
  static const crypto::SigningKey kKey = crypto::SigningKey::from_pem(kPem).value();
  return kKey;
}

const auth::TokenExpectations& expectations() {
  static const auth::TokenExpectations kExpected{
      .issuer = "https://registry.example.com", .audience = "registry.example.com", .now_ms = 1'700'000'000'000};
  return kExpected;
}

Result<auth::Claims> verify(std::string_view token) {
  return auth::verify_token(token, std::span(&our_key().public_key(), 1), expectations());
}

void check(std::string_view token) {
  const auto claims = verify(token);
  if (!claims.has_value()) {
    const auto& error = claims.error();
    BERTH_ASSERT(error.code == Errc::unauthorized && !error.cause.empty(), "a refusal with its reason");
    BERTH_ASSERT(error.message == auth::kTokenInvalid || error.message == auth::kTokenExpired, "one of two messages");
    return;
  }
  BERTH_ASSERT(token.size() <= expectations().bytes_max, "A12: bounded");
  BERTH_ASSERT(std::ranges::count(token, '.') == 2, "A12: three parts");
  BERTH_ASSERT(claims->issuer == expectations().issuer, "A12: iss");
  BERTH_ASSERT(std::ranges::count(claims->audiences, expectations().audience) > 0, "S9: aud");
  BERTH_ASSERT(claims->expires > 1'700'000'000 - 60, "A12: exp");
  BERTH_ASSERT(claims->not_before.value_or(0) <= 1'700'000'060, "A12: nbf");
  const std::string again = auth::sign_token(our_key(), *claims);
  const auto read = verify(again);
  BERTH_ASSERT(again.size() > expectations().bytes_max || (read.has_value() && *read == *claims), "print undoes parse");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text);
  const std::size_t cut = text.find('\n');
  if (cut == std::string_view::npos) return 0;
  std::string token = encode_base64url(text.substr(0, cut)) + '.' + encode_base64url(text.substr(cut + 1));
  const auto signature = our_key().sign(std::as_bytes(std::span(token)));
  check(token + '.' + encode_base64url(signature));
  return 0;
}
