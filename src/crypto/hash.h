#pragma once
// Streaming SHA-256 and SHA-512 whose state can be saved and restored, so that an interrupted upload goes on after a
// restart without reading its bytes again. The state is exported field by field (never a memcpy of a library's struct),
// big-endian, versioned; see storage notes in docs/durability.md.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace berth::crypto {

using Sha256Sum = std::array<std::byte, 32>;
using Sha512Sum = std::array<std::byte, 64>;

class Sha256 {
 public:
  static constexpr std::size_t kStateBytes = 1 + 8 * 4 + 8 + 1 + 64;

  Sha256();
  void update(std::span<const std::byte> bytes);
  /// The sum of what came so far; the object may go on afterwards.
  Sha256Sum sum() const;
  std::vector<std::byte> export_state() const;
  /// nullopt if `state` is not one that export_state could have made.
  static std::optional<Sha256> import_state(std::span<const std::byte> state);

 private:
  alignas(8) std::array<std::byte, 112> raw_{};  // SHA256_CTX, hidden so that OpenSSL stays in the .cpp
};

class Sha512 {
 public:
  static constexpr std::size_t kStateBytes = 1 + 8 * 8 + 16 + 1 + 128;

  Sha512();
  void update(std::span<const std::byte> bytes);
  Sha512Sum sum() const;
  std::vector<std::byte> export_state() const;
  static std::optional<Sha512> import_state(std::span<const std::byte> state);

 private:
  alignas(8) std::array<std::byte, 216> raw_{};
};

Sha256Sum sha256(std::span<const std::byte> bytes);
Sha512Sum sha512(std::span<const std::byte> bytes);

}  // namespace berth::crypto
