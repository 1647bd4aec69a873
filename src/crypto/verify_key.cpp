#include "crypto/verify_key.h"

#include "base/base64.h"
#include "base/json_text.h"
#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <optional>
#include <vector>

namespace berth::crypto {

struct VerifyKey::Handle {
  KeyHandle key;
};

namespace {

using MdCtxHandle = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using KeyCtxHandle = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using BignumHandle = std::unique_ptr<BIGNUM, Free<BN_free>>;
using EcdsaHandle = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using BuilderHandle = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using ParamsHandle = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

constexpr std::size_t kFieldBytes = 32;  // of P-256 and of Ed25519
constexpr std::size_t kRawSignatureBytes = 2 * kFieldBytes;
constexpr int kRsaBitsMin = 2048;  // RFC 7518, 3.3
constexpr int kRsaBitsMax = 8192;  // 0.3 ms a signature; a larger key would be a way to keep a core busy
constexpr int kRsaExponentBitsMax = 64;

const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// What the library reports must not stay in its queue: the next TLS call on this thread would take it for its own.
std::unexpected<Error> bad_key(std::string message) {
  Error error(Errc::parameter_invalid, std::move(message), ERR_peek_last_error() != 0 ? last_error() : "");
  ERR_clear_error();
  return fail(std::move(error));
}

// ---- from a key to the members of its JWK

BignumHandle number_of(const EVP_PKEY& key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1) return nullptr;
  return BignumHandle(number);
}

std::string base64url_of(const BIGNUM& number, std::size_t bytes) {
  std::vector<std::byte> out(bytes);
  BN_bn2binpad(&number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  return encode_base64url(out);
}

Result<std::string> ec_members(const EVP_PKEY& key) {
  std::array<char, 64> curve{};
  std::size_t length = 0;
  EVP_PKEY_get_group_name(&key, curve.data(), curve.size(), &length);
  if (std::string_view(curve.data()) != SN_X9_62_prime256v1) return bad_key("an EC key must be on the curve P-256");
  const BignumHandle x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X);
  const BignumHandle y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  if (!x || !y) return bad_key("the EC key has no public point");
  return R"("crv":"P-256","kty":"EC","x":")" + base64url_of(*x, kFieldBytes) + R"(","y":")" +
         base64url_of(*y, kFieldBytes) + '"';
}

Result<std::string> rsa_members(const EVP_PKEY& key) {
  const int bits = EVP_PKEY_get_bits(&key);
  if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
    return bad_key("an RSA key must have 2048 to 8192 bits, this one has " + std::to_string(bits));
  }
  const BignumHandle n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  const BignumHandle e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  // With the exponent 1 everything is its own signature.
  if (!n || !e || BN_num_bits(e.get()) > kRsaExponentBitsMax || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) != 0) {
    return bad_key("the RSA key's public exponent must be odd, over 1 and below 2^64");
  }
  return R"("e":")" + base64url_of(*e, static_cast<std::size_t>(BN_num_bytes(e.get()))) + R"(","kty":"RSA","n":")" +
         base64url_of(*n, static_cast<std::size_t>(BN_num_bytes(n.get()))) + '"';
}

Result<std::string> ed25519_members(const EVP_PKEY& key) {
  std::array<std::byte, kFieldBytes> x{};
  std::size_t length = x.size();
  if (EVP_PKEY_get_raw_public_key(&key, reinterpret_cast<unsigned char*>(x.data()), &length) != 1) {
    return bad_key("the Ed25519 key cannot be read");
  }
  return R"("crv":"Ed25519","kty":"OKP","x":")" + encode_base64url(x) + '"';
}

// ---- from a JWK to a key

/// The bytes of a member that must be there as base64url.
Result<std::string> bytes_of(const json::Value& jwk, std::string_view name) {
  const json::Value* member = jwk.find(name);
  if (member != nullptr && member->is(json::Value::Kind::string)) {
    if (auto bytes = decode_base64url(member->string()); bytes && !bytes->empty()) return *std::move(bytes);
  }
  return bad_key("the JWK's member " + std::string(name) + " must be base64url");
}

Result<KeyHandle> key_from_params(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsHandle params(OSSL_PARAM_BLD_to_param(builder));
  const KeyCtxHandle ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
      EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return bad_key("the JWK is no valid key");
  }
  return KeyHandle(key);
}

Result<KeyHandle> ec_key(const json::Value& jwk) {
  BERTH_TRY(const std::string x, bytes_of(jwk, "x"));
  BERTH_TRY(const std::string y, bytes_of(jwk, "y"));
  if (x.size() != kFieldBytes || y.size() != kFieldBytes) return bad_key("x and y of a P-256 key have 32 bytes each");
  const std::string point = '\x04' + x + y;  // uncompressed; the library checks that it is on the curve
  const BuilderHandle builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return key_from_params("EC", builder.get());
}

Result<KeyHandle> rsa_key(const json::Value& jwk) {
  BERTH_TRY(const std::string n, bytes_of(jwk, "n"));
  BERTH_TRY(const std::string e, bytes_of(jwk, "e"));
  if (n.size() > kRsaBitsMax / 8 + 1 || e.size() > kRsaBitsMax / 8) return bad_key("the RSA key is too large");
  const BignumHandle modulus(BN_bin2bn(raw(n), static_cast<int>(n.size()), nullptr));
  const BignumHandle exponent(BN_bin2bn(raw(e), static_cast<int>(e.size()), nullptr));
  const BuilderHandle builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return key_from_params("RSA", builder.get());
}

Result<KeyHandle> ed25519_key(const json::Value& jwk) {
  BERTH_TRY(const std::string x, bytes_of(jwk, "x"));
  KeyHandle key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(x), x.size()));
  if (!key) return bad_key("x of an Ed25519 key has 32 bytes");
  return key;
}

Result<KeyHandle> key_of(const json::Value& jwk) {
  const std::string_view kty = jwk.text("kty");
  const std::string_view crv = jwk.text("crv");
  if (kty == "EC" && crv == "P-256") return ec_key(jwk);
  if (kty == "OKP" && crv == "Ed25519") return ed25519_key(jwk);
  if (kty == "RSA") return rsa_key(jwk);
  return bad_key("a JWK must be EC with P-256, RSA, or OKP with Ed25519");
}

bool is_absent_or(const json::Value& jwk, std::string_view name, std::string_view expected) {
  return jwk.find(name) == nullptr || jwk.text(name) == expected;
}

// ---- signatures

/// r and s as the library wants them. Their range is checked by the library.
std::vector<unsigned char> der_of(std::span<const std::byte> signature) {
  const EcdsaHandle parts(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(raw(signature), static_cast<int>(kFieldBytes), nullptr);
  BIGNUM* s = BN_bin2bn(raw(signature.subspan(kFieldBytes)), static_cast<int>(kFieldBytes), nullptr);
  ECDSA_SIG_set0(parts.get(), r, s);
  std::vector<unsigned char> out(static_cast<std::size_t>(i2d_ECDSA_SIG(parts.get(), nullptr)));
  unsigned char* end = out.data();
  i2d_ECDSA_SIG(parts.get(), &end);
  return out;
}

}  // namespace

std::string_view to_string(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::es256: return "ES256";
    case SignatureAlgorithm::rs256: return "RS256";
    case SignatureAlgorithm::eddsa: return "EdDSA";
  }
  return {};
}

VerifyKey::VerifyKey(std::shared_ptr<const Handle> handle, SignatureAlgorithm algorithm, std::string required_members)
    : handle_(std::move(handle)), algorithm_(algorithm), required_members_(std::move(required_members)) {}

Result<VerifyKey> VerifyKey::from_handle(std::shared_ptr<const Handle> handle, std::string kid) {
  const EVP_PKEY& key = *handle->key;
  SignatureAlgorithm algorithm = SignatureAlgorithm::es256;
  std::string members;
  if (EVP_PKEY_is_a(&key, "EC") == 1) {
    BERTH_TRY(members, ec_members(key));
  } else if (EVP_PKEY_is_a(&key, "RSA") == 1) {
    algorithm = SignatureAlgorithm::rs256;
    BERTH_TRY(members, rsa_members(key));
  } else if (EVP_PKEY_is_a(&key, "ED25519") == 1) {
    algorithm = SignatureAlgorithm::eddsa;
    BERTH_TRY(members, ed25519_members(key));
  } else {
    return bad_key("a key must be EC on P-256, RSA or Ed25519");
  }
  VerifyKey out(std::move(handle), algorithm, std::move(members));
  out.kid_ = kid.empty() ? out.thumbprint() : std::move(kid);
  return out;
}

Result<VerifyKey> VerifyKey::from_pem(std::string_view pem, std::string kid) {
  ERR_clear_error();
  const BioHandle text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  auto handle = std::make_shared<Handle>();
  handle->key.reset(PEM_read_bio_PUBKEY(text.get(), nullptr, refuse_password, nullptr));
  if (!handle->key) return bad_key("no public key in PEM form");
  return from_handle(std::move(handle), std::move(kid));
}

Result<VerifyKey> VerifyKey::from_jwk(const json::Value& jwk) {
  ERR_clear_error();
  if (!jwk.is(json::Value::Kind::object)) return bad_key("a JWK is a JSON object");
  if (jwk.find("d") != nullptr) return bad_key("the JWK holds a private key; only the public part belongs here");
  if (!is_absent_or(jwk, "use", "sig")) return bad_key("the JWK's use is not sig");
  if (jwk.find("kid") != nullptr && jwk.text("kid").empty()) return bad_key("the JWK's kid must be text");
  auto handle = std::make_shared<Handle>();
  BERTH_TRY(handle->key, key_of(jwk));
  BERTH_TRY(VerifyKey key, from_handle(std::move(handle), jwk.text("kid")));
  const std::string_view algorithm = to_string(key.algorithm());
  if (!is_absent_or(jwk, "alg", algorithm)) return bad_key("the JWK's alg is not " + std::string(algorithm));
  return key;
}

std::string VerifyKey::thumbprint() const {
  const std::string text = '{' + required_members_ + '}';
  return encode_base64url(sha256(std::as_bytes(std::span(text))));
}

std::string VerifyKey::jwk() const {
  std::string out = '{' + required_members_;
  append_json_member(out, "use", std::string_view("sig"));
  append_json_member(out, "alg", to_string(algorithm_));
  append_json_member(out, "kid", std::string_view(kid_));
  return out + '}';
}

bool VerifyKey::verify(std::span<const std::byte> message, std::span<const std::byte> signature) const {
  std::vector<unsigned char> der;
  if (algorithm_ == SignatureAlgorithm::es256) {
    if (signature.size() != kRawSignatureBytes) return false;
    der = der_of(signature);
    signature = std::as_bytes(std::span(der));
  }
  const MdCtxHandle ctx(EVP_MD_CTX_new());
  const EVP_MD* hash = algorithm_ == SignatureAlgorithm::eddsa ? nullptr : EVP_sha256();
  const bool good = EVP_DigestVerifyInit(ctx.get(), nullptr, hash, nullptr, handle_->key.get()) == 1 &&
                    EVP_DigestVerify(ctx.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace berth::crypto
