#include "oci/digest.h"

#include "base/hex.h"

#include <algorithm>
#include <cstring>

namespace berth::oci {

namespace {

constexpr bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

constexpr bool is_encoded_char(char c) {
  return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == '=' || c == '_' || c == '-';
}

/// component = [a-z0-9]+, joined by single [+._-].
bool is_algorithm_grammar(std::string_view text) {
  bool after_alnum = false;
  for (const char c : text) {
    if (is_lower_alnum(c)) {
      after_alnum = true;
    } else if (after_alnum && (c == '+' || c == '.' || c == '_' || c == '-')) {
      after_alnum = false;
    } else {
      return false;
    }
  }
  return after_alnum;
}

bool is_lower_hex(std::string_view text, std::size_t length) {
  return text.size() == length && std::ranges::all_of(text, [](char c) { return hex_digit(c) >= 0; });
}

}  // namespace

std::optional<Algorithm> parse_algorithm(std::string_view text) {
  if (text == "sha256") return Algorithm::sha256;
  if (text == "sha512") return Algorithm::sha512;
  return std::nullopt;
}

std::string_view to_string(Algorithm algorithm) { return algorithm == Algorithm::sha256 ? "sha256" : "sha512"; }

Digest::Digest(Algorithm algorithm, std::span<const std::byte> hash) {
  storage_[0] = static_cast<std::byte>(algorithm);
  std::ranges::copy(hash, storage_.begin() + 1);
}

Result<Digest> Digest::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    if (const auto algorithm = parse_algorithm(text.substr(0, colon))) {
      std::array<std::byte, 64> hash;
      const auto used = std::span(hash).first(hash_bytes(*algorithm));
      if (from_hex(text.substr(colon + 1), used)) return Digest(*algorithm, used);
    } else if (is_well_formed(text)) {
      return fail(Errc::digest_invalid, "unsupported algorithm in digest: sha256 and sha512 are known here");
    }
  }
  return fail(Errc::digest_invalid, "malformed digest: expected sha256:<64 lowercase hex digits> or sha512:<128>");
}

bool Digest::is_well_formed(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.size() > kTextBytesMax) return false;
  const std::string_view algorithm = text.substr(0, colon);
  const std::string_view encoded = text.substr(colon + 1);
  if (algorithm == "sha256" || algorithm == "blake3") return is_lower_hex(encoded, 64);
  if (algorithm == "sha512") return is_lower_hex(encoded, 128);
  return is_algorithm_grammar(algorithm) && !encoded.empty() && std::ranges::all_of(encoded, is_encoded_char);
}

Digest Digest::sha256(const crypto::Sha256Sum& sum) { return Digest(Algorithm::sha256, sum); }

Digest Digest::sha512(const crypto::Sha512Sum& sum) { return Digest(Algorithm::sha512, sum); }

std::optional<Digest> Digest::from_storage(std::span<const std::byte> bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto algorithm = static_cast<Algorithm>(bytes[0]);
  if (algorithm != Algorithm::sha256 && algorithm != Algorithm::sha512) return std::nullopt;
  if (bytes.size() != 1 + hash_bytes(algorithm)) return std::nullopt;
  return Digest(algorithm, bytes.subspan(1));
}

std::string Digest::hex() const { return to_hex(raw()); }

std::string Digest::str() const { return std::string(text().view()); }

DigestText Digest::text() const {
  DigestText out;
  char* end = std::ranges::copy(to_string(algorithm()), out.chars_.data()).out;
  *end++ = ':';
  end = write_hex(raw(), end);
  out.size_ = static_cast<std::size_t>(end - out.chars_.data());
  return out;
}

Digest digest_of(Algorithm algorithm, std::span<const std::byte> bytes) {
  return algorithm == Algorithm::sha256 ? Digest::sha256(crypto::sha256(bytes)) : Digest::sha512(crypto::sha512(bytes));
}

Digest digest_of(Algorithm algorithm, std::string_view bytes) {
  return digest_of(algorithm, std::as_bytes(std::span(bytes)));
}

}  // namespace berth::oci

std::size_t std::hash<berth::oci::Digest>::operator()(const berth::oci::Digest& digest) const noexcept {
  std::size_t out = 0;
  std::memcpy(&out, digest.raw().data(), sizeof(out));
  return out;
}
