#pragma once
// Content addresses. A Digest is an algorithm Berth computes plus the raw hash, inline; digests of other algorithms are
// text only (they can be named in a manifest, V13, V14, but nothing is stored under them).

#include "base/result.h"
#include "crypto/hash.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace berth::oci {

/// The values are stored (see Digest::storage): never renumber.
enum class Algorithm : std::uint8_t { sha256 = 1, sha512 = 2 };

/// "sha256" and "sha512", lowercase only (G3).
std::optional<Algorithm> parse_algorithm(std::string_view text);
std::string_view to_string(Algorithm algorithm);

constexpr std::size_t hash_bytes(Algorithm algorithm) { return algorithm == Algorithm::sha256 ? 32 : 64; }

/// A digest as text, without an allocation.
class DigestText {
 public:
  std::string_view view() const { return {chars_.data(), size_}; }

 private:
  friend class Digest;
  std::array<char, sizeof("sha512:") - 1 + 128> chars_;
  std::size_t size_ = 0;
};

/// Trivially copyable, 65 bytes, never allocates except in hex() and str(). Ordered by algorithm, then by hash.
class Digest {
 public:
  static constexpr std::size_t kStorageBytesMax = 1 + 64;
  /// Longest digest text of any algorithm that is_well_formed accepts. The grammar has no bound, but the text comes
  /// back in the OCI-Subject response header (M3) and is an index key.
  static constexpr std::size_t kTextBytesMax = 512;

  /// `sha256:` + 64 or `sha512:` + 128 lowercase hex digits (G3).
  /// Errors: digest_invalid; the message says "malformed" or "unsupported algorithm".
  static Result<Digest> parse(std::string_view text);

  /// Whether `text` is a digest of any algorithm: the grammar of the OCI image spec, and for the algorithms registered
  /// there (sha256, sha512, blake3) the exact length and lowercase hex. True with parse() failing means "unsupported":
  /// reads answer 404, writes 400 (G3).
  static bool is_well_formed(std::string_view text);

  static Digest sha256(const crypto::Sha256Sum& sum);
  static Digest sha512(const crypto::Sha512Sum& sum);

  /// One algorithm byte, then the raw hash: the form kept in the database. nullopt for an unknown algorithm byte or a
  /// length that does not fit it.
  static std::optional<Digest> from_storage(std::span<const std::byte> bytes);

  /// The same form; a view into this object.
  std::span<const std::byte> storage() const { return std::span(storage_).first(1 + hash_bytes(algorithm())); }

  Algorithm algorithm() const { return static_cast<Algorithm>(storage_[0]); }

  /// The hash alone: 32 or 64 bytes, a view into this object.
  std::span<const std::byte> raw() const { return storage().subspan(1); }

  std::string hex() const;
  std::string str() const;  // "sha256:…"
  DigestText text() const;  // the same

  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  Digest(Algorithm algorithm, std::span<const std::byte> hash);

  std::array<std::byte, kStorageBytesMax> storage_{};  // zero behind a short hash, so that == may compare all of it
};

/// Hashes `bytes` in one go. For streams use crypto::Sha256 and Digest::sha256.
Digest digest_of(Algorithm algorithm, std::span<const std::byte> bytes);
Digest digest_of(Algorithm algorithm, std::string_view bytes);

}  // namespace berth::oci

/// The hash is already uniform: its first eight bytes serve.
template <>
struct std::hash<berth::oci::Digest> {
  std::size_t operator()(const berth::oci::Digest& digest) const noexcept;
};
