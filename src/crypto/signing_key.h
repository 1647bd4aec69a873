#pragma once
// The server's own key for tokens: ES256 (A12). Whoever holds it is every account; it is written to a file of the data
// folder or of the operator's choice, and nowhere else.

#include "base/result.h"
#include "crypto/verify_key.h"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace berth::crypto {

/// Immutable and thread-safe.
class SigningKey {
 public:
  using Signature = std::array<std::byte, 64>;  // r and s, 32 bytes each, as tokens carry it

  static SigningKey generate();
  /// A private key on P-256 in PEM form (PKCS #8 or SEC 1), without a password.
  /// Errors: parameter_invalid with a sentence.
  static Result<SigningKey> from_pem(std::string_view pem);

  /// PKCS #8, without a password: a secret.
  std::string to_pem() const;
  const VerifyKey& public_key() const { return public_key_; }
  const std::string& kid() const { return public_key_.kid(); }  // the thumbprint

  /// 29 µs.
  Signature sign(std::span<const std::byte> message) const;

 private:
  struct Handle;  // the library's
  SigningKey(std::shared_ptr<const Handle> handle, VerifyKey public_key);
  static Result<SigningKey> from_handle(std::shared_ptr<const Handle> handle);

  std::shared_ptr<const Handle> handle_;  // shared by copies of the key: it is never changed
  VerifyKey public_key_;
};

}  // namespace berth::crypto
