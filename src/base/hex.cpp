#include "base/hex.h"

#include <array>

namespace berth {

namespace {

/// All 256 pairs of digits: digests are written in every answer.
constexpr std::array<std::array<char, 2>, 256> make_pairs() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (unsigned i = 0; i < 256; ++i) pairs[i] = {kDigits[i >> 4], kDigits[i & 15]};
  return pairs;
}
constexpr auto kPairs = make_pairs();

}  // namespace

char* write_hex(std::span<const std::byte> bytes, char* out) {
  for (const std::byte b : bytes) {
    const auto& pair = kPairs[std::to_integer<std::size_t>(b)];
    out[0] = pair[0];
    out[1] = pair[1];
    out += 2;
  }
  return out;
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string out(bytes.size() * 2, '\0');
  write_hex(bytes, out.data());
  return out;
}

bool from_hex(std::string_view text, std::span<std::byte> out) {
  if (text.size() != out.size() * 2) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

}  // namespace berth
