#pragma once
// Encryption of the file in which docker-credential-berth keeps what it was given, with a key from another file: where
// home folders are copied or shared, a file's mode alone protects nothing.

#include "base/result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::client {

class CredentialKey {
 public:
  enum class Missing : std::uint8_t { make, refuse };
  /// `path`: 32 bytes in Base64, mode 0600. Errors: parameter_invalid if it is missing, others may read it or it holds
  /// no key; io_failed.
  static Result<CredentialKey> load(const std::string& path, Missing missing);

  /// JSON: `{"sealed":"…"}`, XSalsa20 and Poly1305 under a nonce of its own.
  std::string seal(std::string_view text) const;

 private:
  friend Result<std::string> unsealed(std::string_view text, const CredentialKey* key);
  static constexpr std::size_t kBytes = 32;
  std::array<unsigned char, kBytes> key_{};
};

bool is_sealed(std::string_view text);
/// What `text`, sealed or not, says. Errors: parameter_invalid with a sentence if the key is missing or another.
Result<std::string> unsealed(std::string_view text, const CredentialKey* key);

}  // namespace berth::client
