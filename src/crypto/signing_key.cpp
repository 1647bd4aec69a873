#include "crypto/signing_key.h"

#include "base/assert.h"
#include "crypto/openssl_handles.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>

namespace berth::crypto {

struct SigningKey::Handle {
  KeyHandle key;
};

namespace {

using MdCtxHandle = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using KeyCtxHandle = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using EcdsaHandle = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

constexpr std::size_t kDerBytesMax = 72;  // two integers of 33 bytes with their heads

BioHandle memory() {
  BioHandle out(BIO_new(BIO_s_mem()));
  BERTH_ASSERT(out != nullptr, "memory for a key");
  return out;
}

std::string text_of(BIO* memory_bio) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(memory_bio, &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

bool is_pair(EVP_PKEY& key) {
  const KeyCtxHandle ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, &key, nullptr));
  return EVP_PKEY_pairwise_check(ctx.get()) == 1;
}

}  // namespace

SigningKey::SigningKey(std::shared_ptr<const Handle> handle, VerifyKey public_key)
    : handle_(std::move(handle)), public_key_(std::move(public_key)) {}

Result<SigningKey> SigningKey::from_handle(std::shared_ptr<const Handle> handle) {
  const BioHandle pem = memory();
  PEM_write_bio_PUBKEY(pem.get(), handle->key.get());
  BERTH_TRY(VerifyKey public_key, VerifyKey::from_pem(text_of(pem.get())));
  if (public_key.algorithm() != SignatureAlgorithm::es256) {
    return fail(Errc::parameter_invalid, "the key that signs tokens must be EC on the curve P-256");
  }
  if (!is_pair(*handle->key)) {  // better told at start than by every token being refused
    ERR_clear_error();
    return fail(Errc::parameter_invalid, "the private key's two halves do not belong together");
  }
  return SigningKey(std::move(handle), std::move(public_key));
}

SigningKey SigningKey::generate() {
  auto handle = std::make_shared<Handle>();
  handle->key.reset(EVP_EC_gen(SN_X9_62_prime256v1));
  BERTH_ASSERT(handle->key != nullptr, "a key can be drawn");
  Result<SigningKey> key = from_handle(std::move(handle));
  BERTH_ASSERT(key.has_value(), "a drawn key is on P-256");
  return *std::move(key);
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  ERR_clear_error();
  const BioHandle text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  auto handle = std::make_shared<Handle>();
  handle->key.reset(PEM_read_bio_PrivateKey(text.get(), nullptr, refuse_password, nullptr));
  if (!handle->key) {
    const bool encrypted = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_BAD_PASSWORD_READ;
    Error error(Errc::parameter_invalid,
                encrypted ? "the private key is encrypted; give one without a password" : "no private key in PEM form",
                last_error());
    ERR_clear_error();
    return fail(std::move(error));
  }
  return from_handle(std::move(handle));
}

std::string SigningKey::to_pem() const {
  const BioHandle pem = memory();  // the library wipes such memory when it is freed
  PEM_write_bio_PKCS8PrivateKey(pem.get(), handle_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(pem.get());
}

SigningKey::Signature SigningKey::sign(std::span<const std::byte> message) const {
  const MdCtxHandle ctx(EVP_MD_CTX_new());
  std::array<unsigned char, kDerBytesMax> der{};
  std::size_t length = der.size();
  const bool made = EVP_DigestSignInit(ctx.get(), nullptr, EVP_sha256(), nullptr, handle_->key.get()) == 1 &&
                    EVP_DigestSign(ctx.get(), der.data(), &length,
                                   reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
  BERTH_ASSERT(made, "a key on P-256 signs bytes in memory");
  const unsigned char* begin = der.data();
  const EcdsaHandle parts(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(length)));
  Signature out;
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), bytes, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), bytes + 32, 32);
  return out;
}

}  // namespace berth::crypto
