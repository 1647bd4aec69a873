#include "blob/blob_paths.h"

#include "base/hex.h"

namespace berth::blob {

namespace {
std::string blob_name(const BlobKey& key) { return key.digest.hex() + "." + inc_text(key.inc); }
}  // namespace

std::string inc_text(std::uint64_t inc) {
  std::array<std::byte, 8> raw{};
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::byte>(inc >> (56 - 8 * i));
  return to_hex(raw);
}

std::optional<std::uint64_t> parse_inc(std::string_view text) {
  std::array<std::byte, 8> raw{};
  if (!from_hex(text, raw)) return std::nullopt;
  std::uint64_t inc = 0;
  for (const std::byte b : raw) inc = (inc << 8) | std::to_integer<std::uint64_t>(b);
  return inc;
}

std::string staged_path(std::uint64_t inc) { return std::string(kUploadsDir) + "/" + inc_text(inc); }

std::string shard_dir(oci::Algorithm algorithm, unsigned shard) {
  const std::byte b{static_cast<unsigned char>(shard)};
  return "blobs/" + std::string(oci::to_string(algorithm)) + "/" + to_hex(std::span(&b, 1));
}

std::string shard_dir(const BlobKey& key) {
  return shard_dir(key.digest.algorithm(), std::to_integer<unsigned>(key.digest.raw()[0]));
}

std::string final_path(const BlobKey& key) { return shard_dir(key) + "/" + blob_name(key); }

std::string quarantine_path(const BlobKey& key) {
  return std::string(kQuarantineDir) + "/" + std::string(oci::to_string(key.digest.algorithm())) + "-" + blob_name(key);
}

std::optional<BlobKey> parse_final_name(oci::Algorithm algorithm, std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto inc = parse_inc(name.substr(dot + 1));
  auto digest = oci::Digest::parse(std::string(oci::to_string(algorithm)) + ":" + std::string(name.substr(0, dot)));
  if (!inc || !digest) return std::nullopt;
  return BlobKey{*digest, *inc};
}

}  // namespace berth::blob
