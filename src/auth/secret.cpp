#include "auth/secret.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ranges>
#include <span>

namespace berth::auth {

namespace {

constexpr std::string_view kPrefix = "berth_";
constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kChecksumChars = 6;  // 62^6 > 2^32

struct Form {
  SecretKind kind;
  std::string_view name;
  std::size_t random_chars;
};
constexpr Form kForms[] = {
    {SecretKind::personal_token, "pat", 32}, {SecretKind::robot, "rob", 32}, {SecretKind::login, "lgn", 32},
    {SecretKind::refresh, "ref", 43},  // A15: at least 256 bits
    {SecretKind::setup, "set", 32},          {SecretKind::web, "web", 43},   {SecretKind::invite, "inv", 32},
};

const Form& form_of(SecretKind kind) { return *std::ranges::find(kForms, kind, &Form::kind); }

/// Bit by bit: sixty characters do not need a table.
std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = ~0U;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB8'8320U : 0U);
  }
  return ~crc;
}

std::array<char, kChecksumChars> checksum(std::string_view text) {
  std::array<char, kChecksumChars> out;
  std::uint32_t rest = crc32(text);
  for (char& c : std::views::reverse(out)) {
    c = kDigits[rest % kDigits.size()];
    rest /= static_cast<std::uint32_t>(kDigits.size());
  }
  return out;
}

/// Appends characters that are all equally likely: bytes beyond the last whole multiple of 62 are drawn again.
void append_random(std::string& out, std::size_t count, Random& random) {
  constexpr std::size_t kUsable = 256 / kDigits.size() * kDigits.size();
  const std::size_t end = out.size() + count;
  std::array<std::byte, 64> drawn{};
  while (out.size() < end) {
    random.fill(drawn);
    for (const std::byte b : drawn) {
      const auto value = std::to_integer<std::size_t>(b);
      if (value < kUsable && out.size() < end) out.push_back(kDigits[value % kDigits.size()]);
    }
  }
}

}  // namespace

std::string_view to_string(SecretKind kind) { return form_of(kind).name; }

std::string make_secret(SecretKind kind, Random& random) {
  const Form& form = form_of(kind);
  std::string out(kPrefix);
  out.append(form.name).append("_");
  append_random(out, form.random_chars, random);
  const auto sum = checksum(out);
  return out.append(sum.data(), sum.size());
}

std::optional<SecretKind> parse_secret(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  std::string_view rest = text.substr(kPrefix.size());
  const auto form = std::ranges::find(kForms, rest.substr(0, rest.find('_')), &Form::name);
  if (form == std::end(kForms)) return std::nullopt;
  rest.remove_prefix(form->name.size());
  if (rest.size() != 1 + form->random_chars + kChecksumChars) return std::nullopt;
  rest.remove_prefix(1);
  if (rest.find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
  const auto sum = checksum(text.substr(0, text.size() - kChecksumChars));
  if (!text.ends_with(std::string_view(sum.data(), sum.size()))) return std::nullopt;
  return form->kind;
}

crypto::Sha256Sum secret_hash(std::string_view text) { return crypto::sha256(std::as_bytes(std::span(text))); }

}  // namespace berth::auth
