#pragma once
// Bytes that nobody has to keep: any part of a blob can be made again from its seed. They do not compress.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace berth::load {

/// One blob: `size` bytes, a fixed random block with a stamp of `seed` and position at the start of each MiB; or, for
/// the registries that read them, an image's config in JSON (`size` at least kConfigMin, less than kBlock).
struct Content {
  std::uint64_t seed = 0;
  std::uint64_t size = 0;
  bool is_config = false;

  static constexpr std::uint64_t kBlock = 1U << 20U;
  static constexpr std::uint64_t kConfigMin = 128;

  /// Makes the block that starts at `index` MiB in `block` (empty, or as an earlier call left it) and returns its part
  /// of the blob.
  std::string_view block(std::uint64_t index, std::string& block) const;

  std::string bytes() const;   // for small ones
  std::string digest() const;  // "sha256:…"
};

std::string sha256_digest(std::string_view bytes);

/// SHA-256 over pieces.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void add(std::string_view bytes);
  std::string digest();  // and starts anew

 private:
  void* context_;  // EVP_MD_CTX
};

}  // namespace berth::load
