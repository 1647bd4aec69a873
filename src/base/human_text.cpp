#include "base/human_text.h"

#include <array>
#include <cstddef>
#include <cstdio>

namespace berth {

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

namespace {

/// How many bytes at `at` say in which direction text runs: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069,
/// by which a name can be shown as another. 0: none.
std::size_t direction_mark(std::string_view text, std::size_t at) {
  const std::string_view two = text.substr(at, 2);
  if (two == "\xd8\x9c") return two.size();
  const std::string_view three = text.substr(at, 3);
  const bool is_mark = three == "\xe2\x80\x8e" || three == "\xe2\x80\x8f" ||
                       (three >= "\xe2\x80\xaa" && three <= "\xe2\x80\xae") ||
                       (three >= "\xe2\x81\xa6" && three <= "\xe2\x81\xa9");
  return three.size() == 3 && is_mark ? three.size() : 0;
}

std::string without_controls(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool is_c1 = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;  // U+0080…
    if (is_c1) ++i;
    if (const std::size_t mark = direction_mark(text, i); mark > 0) {
      out += '?';
      i += mark - 1;
      continue;
    }
    const bool is_control = (c < 0x20 && !kept.contains(text[i])) || c == 0x7f || is_c1;
    out += is_control ? '?' : static_cast<char>(c);
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) { return without_controls(text, ""); }

std::string printable_lines(std::string_view text) { return without_controls(text, "\n\t"); }

}  // namespace berth
