#include "crypto/key_bundle.h"

#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace berth::crypto {

namespace {

using X509Handle = std::unique_ptr<X509, Free<X509_free>>;

constexpr std::size_t kKeysMax = 100;

std::unexpected<Error> refuse(std::string why) {
  Error error(Errc::parameter_invalid, std::move(why), ERR_peek_last_error() != 0 ? last_error() : "");
  ERR_clear_error();
  return fail(std::move(error));
}

/// One block of a PEM file, decoded.
struct Block {
  std::string kind;  // "CERTIFICATE"
  std::string der;
};

/// nullopt at the end. What stands between the blocks, such as a certificate in words, is passed over.
Result<std::optional<Block>> next_block(BIO& text) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;
  if (PEM_read_bio(&text, &name, &header, &data, &length) != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return refuse("a PEM block is damaged");
    ERR_clear_error();
    return std::optional<Block>();
  }
  Block out{name, std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(length))};
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(length));
  return std::optional(std::move(out));
}

/// The key in a block as SubjectPublicKeyInfo; empty for a block of another kind.
Result<std::string> public_key_of(const Block& block) {
  if (block.kind.ends_with("PRIVATE KEY"))
    return refuse("there is a private key; only the public part, or a certificate, belongs here");
  const auto* at = reinterpret_cast<const unsigned char*>(block.der.data());
  const auto size = static_cast<long>(block.der.size());
  KeyHandle key;
  if (block.kind == PEM_STRING_PUBLIC) {
    key.reset(d2i_PUBKEY(nullptr, &at, size));
  } else if (block.kind == PEM_STRING_X509 || block.kind == PEM_STRING_X509_OLD) {
    const X509Handle certificate(d2i_X509(nullptr, &at, size));
    key.reset(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
  } else {
    return std::string();
  }
  if (!key) return refuse("a block '" + block.kind + "' holds no key that can be read");
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key.get(), &der);
  if (length <= 0) return refuse("a key cannot be read");
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

std::string pem_of(std::string_view public_key_der) {
  const BioHandle text(BIO_new(BIO_s_mem()));
  PEM_write_bio(text.get(), PEM_STRING_PUBLIC, "", reinterpret_cast<const unsigned char*>(public_key_der.data()),
                static_cast<long>(public_key_der.size()));
  char* data = nullptr;
  const long length = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

}  // namespace

Result<std::vector<VerifyKey>> parse_key_bundle(std::string_view pem) {
  ERR_clear_error();
  const BioHandle text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<VerifyKey> out;
  for (;;) {
    BERTH_TRY(const auto block, next_block(*text));
    if (!block) break;
    BERTH_TRY(const std::string der, public_key_of(*block));
    if (der.empty()) continue;
    if (out.size() >= 2 * kKeysMax) return refuse("there are more than a hundred keys");
    const std::string one = pem_of(der);
    BERTH_TRY(auto by_thumbprint, VerifyKey::from_pem(one));
    BERTH_TRY(auto by_libtrust, VerifyKey::from_pem(one, libtrust_kid(der)));
    out.push_back(std::move(by_thumbprint));
    out.push_back(std::move(by_libtrust));
  }
  if (out.empty()) return refuse("there is neither a public key nor a certificate in PEM form");
  return out;
}

std::string libtrust_kid(std::string_view public_key_der) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";  // RFC 4648, 6
  constexpr std::size_t kBytes = 30;
  constexpr std::size_t kGroup = 4;
  const auto hash = sha256(std::as_bytes(std::span(public_key_der)));
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t letters = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(hash[i]);
    for (held += 8; held >= 5; held -= 5) {
      if (letters > 0 && letters % kGroup == 0) out += ':';
      out += kAlphabet[(bits >> (held - 5)) & 31];
      ++letters;
    }
  }
  return out;
}

}  // namespace berth::crypto
