// Any text as what an identity provider says: its answer with a token, and the claims of an ID token that it did sign.
// Whoever is let in is named, was meant for us and for this sign-in, and is called what an account may be called.
// Input: the claims, or an answer of the token endpoint.
#include "auth/oidc.h"

#include "auth/accounts.h"
#include "base/assert.h"
#include "base/base64.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace berth;

constexpr std::string_view kIssuer = "https://id.example.com";
constexpr std::string_view kClient = "berth";
constexpr std::string_view kNonce = "n-0S6_WzA2Mj";

const crypto::SigningKey& key_of_provider() {
  static const crypto::SigningKey kKey = crypto::SigningKey::generate();
  return kKey;
}

auth::OidcSettings settings() {
  auth::OidcSettings out;
  out.issuer = kIssuer;
  out.client_id = kClient;
  return out;
}

/// As the provider signs them.
std::string token_of(std::string_view claims) {
  std::string token =
      encode_base64url(R"({"alg":"ES256","kid":")" + key_of_provider().kid() + "\"}") + '.' + encode_base64url(claims);
  const auto signature = key_of_provider().sign(std::as_bytes(std::span(token)));
  return token + '.' + encode_base64url(signature);
}

void check_person(std::string_view claims) {
  const auto token =
      auth::verify_id_token(token_of(claims), std::span(&key_of_provider().public_key(), 1),
                            {.issuer = std::string(kIssuer), .audience = {}, .now_ms = 1'700'000'000'000});
  if (!token) return;
  const auto person = auth::person_of(*token, settings(), kNonce);
  if (!person) {
    BERTH_ASSERT(person.error().code == Errc::denied && !person.error().cause.empty(), "a refusal with its reason");
    BERTH_ASSERT(person.error().message == auth::kSignInFailed, "which is in the log alone");
    return;
  }
  const auto& audiences = token->claims.audiences;
  BERTH_ASSERT(std::ranges::count(audiences, kClient) > 0, "S9: aud");
  const json::Value* party = token->payload.find("azp");
  BERTH_ASSERT(party != nullptr || audiences.size() == 1, "of several audiences one has asked");
  BERTH_ASSERT(party == nullptr || token->payload.text("azp") == kClient, "and that is us");
  BERTH_ASSERT(token->payload.text("nonce") == kNonce, "of this sign-in");
  BERTH_ASSERT(person->issuer == kIssuer && !person->id.empty() && person->id == token->payload.text("sub"),
               "somebody");
  const auto name = auth::account_name_from(person->name);
  if (!name) return;
  BERTH_ASSERT(auth::check_account_name(*name).has_value(), "what accounts may be called");
  BERTH_ASSERT(auth::account_name_from(*name).value() == *name, "which is its own name, too");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto answer = auth::parse_token_answer(text)) BERTH_ASSERT(!answer->id_token.empty(), "there is a token");
  check_person(text);
  return 0;
}
