#include "oci/embedded_data.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace berth::oci {

namespace {

/// 0 … 63, or -1.
constexpr int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::size_t padding = 0;
  if (text.ends_with("==")) {
    padding = 2;
  } else if (text.ends_with('=')) {
    padding = 1;
  }
  const std::string_view digits = text.substr(0, text.size() - padding);
  std::uint32_t bits = 0;
  int count = 0;  // of bits not written yet
  for (const char c : digits) {
    const int value = sextet(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 0xFFU));
    }
  }
  const std::uint32_t unused = bits & ((1U << count) - 1);
  if (unused != 0) return std::nullopt;
  return out;
}

Result<void> check_embedded_data(std::string_view data, const Descriptor& descriptor) {
  const auto bytes = decode_base64(data);
  if (!bytes) return fail(Errc::manifest_invalid, "data is not base64");
  if (descriptor.has_size && bytes->size() != static_cast<std::uint64_t>(descriptor.size)) {
    return fail(Errc::manifest_invalid,
                "data has " + std::to_string(bytes->size()) + " bytes, size says " + std::to_string(descriptor.size));
  }
  if (!descriptor.digest) return fail(Errc::manifest_invalid, "data cannot be checked: unsupported digest algorithm");
  if (digest_of(descriptor.digest->algorithm(), *bytes) != *descriptor.digest) {
    return fail(Errc::manifest_invalid, "data does not hash to digest");
  }
  return {};
}

}  // namespace berth::oci
