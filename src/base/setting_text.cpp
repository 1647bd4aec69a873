#include "base/setting_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

namespace berth {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kKibi = 1024;
constexpr std::array<Unit, 10> kSizes = {{{"", 1},
                                          {"B", 1},
                                          {"kB", 1000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000},
                                          {"TB", 1'000'000'000'000},
                                          {"KiB", kKibi},
                                          {"MiB", kKibi* kKibi},
                                          {"GiB", kKibi* kKibi* kKibi},
                                          {"TiB", kKibi* kKibi* kKibi* kKibi}}};
constexpr std::array<Unit, 5> kDurations = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

/// "1.5 GB" → {"1.5", "GB"}.
std::pair<std::string_view, std::string_view> split_unit(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && ((text[digits] >= '0' && text[digits] <= '9') || text[digits] == '.')) ++digits;
  std::string_view unit = text.substr(digits);
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  return {text.substr(0, digits), unit};
}

template <class Number>
bool parse_whole(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

std::unexpected<Error> refuse(std::string_view text, std::string_view what) {
  return fail(Errc::parameter_invalid, "'" + std::string(text) + "' is not " + std::string(what));
}

}  // namespace

Result<std::int64_t> parse_bytes(std::string_view text) {
  constexpr std::string_view kWhat = "a size such as 1048576, 64 MiB or 10 GB";
  const auto [number, name] = split_unit(text);
  double value = 0;
  if (!parse_whole(number, value) || number.starts_with('.') || number.ends_with('.')) return refuse(text, kWhat);
  for (const Unit& unit : kSizes) {
    if (unit.name != name) continue;
    const double bytes = value * static_cast<double>(unit.factor);
    if (bytes > 9e18) return refuse(text, kWhat);
    return static_cast<std::int64_t>(std::llround(bytes));
  }
  return refuse(text, kWhat);
}

std::string print_bytes(std::int64_t bytes) {
  std::string shortest = std::to_string(bytes);
  if (bytes == 0) return shortest;
  constexpr std::size_t kFirstMultiple = 2;  // kB
  std::int64_t best = bytes;
  for (const Unit& unit : std::span(kSizes).subspan(kFirstMultiple)) {
    if (bytes % unit.factor != 0 || bytes / unit.factor >= best) continue;
    best = bytes / unit.factor;
    shortest = std::to_string(best) + " " + std::string(unit.name);
  }
  return shortest;
}

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  constexpr std::string_view kWhat = "a duration such as 500ms, 30s, 2m, 24h or 7d";
  const auto [number, name] = split_unit(text);
  std::int64_t value = 0;
  if (!parse_whole(number, value)) return refuse(text, kWhat);
  for (const Unit& unit : kDurations) {
    if (unit.name != name) continue;
    if (value > INT64_MAX / unit.factor) return refuse(text, kWhat);
    return value * unit.factor;
  }
  return refuse(text, kWhat);
}

std::string print_duration_ms(std::int64_t duration_ms) {
  for (std::size_t i = kDurations.size() - 1; i > 0; --i) {
    if (duration_ms != 0 && duration_ms % kDurations[i].factor == 0)
      return std::to_string(duration_ms / kDurations[i].factor) + std::string(kDurations[i].name);
  }
  return std::to_string(duration_ms) + "ms";
}

Result<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  if (!parse_whole(text, value)) return refuse(text, "a whole number");
  return value;
}

Result<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "on") return true;
  if (text == "false" || text == "off") return false;
  return refuse(text, "true or false");
}

}  // namespace berth
