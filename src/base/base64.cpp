#include "base/base64.h"

#include <array>

namespace berth {

namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kForUrls = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Of each character its six bits, or -1.
using Sextets = std::array<std::int8_t, 256>;

constexpr Sextets make_sextets(std::string_view alphabet) {
  Sextets sextets{};
  sextets.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    sextets[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return sextets;
}
constexpr Sextets kStandardSextets = make_sextets(kStandard);
constexpr Sextets kUrlSextets = make_sextets(kForUrls);

std::optional<std::string> decode_digits(const Sextets& sextets, std::string_view digits) {
  std::string out;
  out.reserve(digits.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;  // of bits not written yet
  for (const char c : digits) {
    const int value = sextets[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 0xFFU));
    }
  }
  const std::uint32_t unused = bits & ((1U << count) - 1);
  if (count >= 6 || unused != 0) return std::nullopt;  // six bits over: one character too many
  return out;
}

std::string encode_digits(std::string_view alphabet, std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::byte b : bytes) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(b);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out.push_back(alphabet[(bits >> count) & 63U]);
    }
  }
  if (count > 0) out.push_back(alphabet[(bits << (6 - count)) & 63U]);
  return out;
}

std::size_t padding_of(std::string_view text) {
  if (text.ends_with("==")) return 2;
  return text.ends_with('=') ? 1 : 0;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text, Padding padding) {
  const std::size_t count = padding_of(text);
  const bool may_lack = padding == Padding::optional && count == 0;
  if (text.size() % 4 != 0 && !may_lack) return std::nullopt;
  return decode_digits(kStandardSextets, text.substr(0, text.size() - count));
}

std::string encode_base64(std::string_view bytes) {
  std::string out = encode_digits(kStandard, std::as_bytes(std::span(bytes)));
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::string encode_base64url(std::span<const std::byte> bytes) { return encode_digits(kForUrls, bytes); }

std::string encode_base64url(std::string_view bytes) { return encode_base64url(std::as_bytes(std::span(bytes))); }

std::optional<std::string> decode_base64url(std::string_view text) { return decode_digits(kUrlSextets, text); }

}  // namespace berth
