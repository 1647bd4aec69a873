#pragma once
// Character classes of HTTP and of URIs, ASCII only, as tables: the head scan looks at every byte of every request.

#include <algorithm>
#include <array>
#include <string_view>

namespace berth::http {

enum class CharClass : unsigned char {
  tchar = 1,        // RFC 9110 §5.6.2 token
  field_byte = 2,   // allowed in a field value: visible, space, tab, obs-text; no other control byte (S23)
  target_byte = 4,  // allowed in a request target: visible ASCII except '#'
  unreserved = 8,   // RFC 3986 §2.3
  host_byte = 16,   // RFC 3986 §3.2: host and port, no user info
};

consteval std::array<unsigned char, 256> make_char_classes() {
  std::array<unsigned char, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const auto in = [c](std::string_view set) { return c < 128 && set.find(static_cast<char>(c)) != set.npos; };
    unsigned classes = 0;
    if (alnum || in("!#$%&'*+-.^_`|~")) classes |= static_cast<unsigned>(CharClass::tchar);
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) classes |= static_cast<unsigned>(CharClass::field_byte);
    if (c > 0x20 && c < 0x7f && c != '#') classes |= static_cast<unsigned>(CharClass::target_byte);
    if (alnum || in("-._~")) classes |= static_cast<unsigned>(CharClass::unreserved);
    if (alnum || in("-._~%!$&'()*+,;=:[]")) classes |= static_cast<unsigned>(CharClass::host_byte);
    table[c] = static_cast<unsigned char>(classes);
  }
  return table;
}

inline constexpr std::array<unsigned char, 256> kCharClasses = make_char_classes();

constexpr bool is_class(char c, CharClass wanted) {
  return (kCharClasses[static_cast<unsigned char>(c)] & static_cast<unsigned>(wanted)) != 0;
}

constexpr bool all_of_class(std::string_view text, CharClass wanted) {
  return std::ranges::all_of(text, [wanted](char c) { return is_class(c, wanted); });
}

/// all_of_class(text, CharClass::field_byte), in a form that the compiler turns into a few wide instructions: every
/// value of every answer is looked at.
constexpr bool is_field_text(std::string_view text) {
  unsigned char bad = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    bad = static_cast<unsigned char>(bad | ((byte < 0x20) & (byte != '\t')) | (byte == 0x7f));
  }
  return bad == 0;
}

constexpr bool is_token(std::string_view text) { return !text.empty() && all_of_class(text, CharClass::tchar); }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Either case, or -1 (percent escapes and chunk sizes; digests use base's lowercase one).
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// ASCII case-insensitive equality: field names, coding names, connection options.
constexpr bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::ranges::equal(a, b, [](char x, char y) { return x == y || to_lower(x) == to_lower(y); });
}

/// Without the optional white space (space, tab) around it; the result points into `text`.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Calls visit(element) for each non-empty element of a comma-separated list (RFC 9110 §5.6.1), trimmed, until it
/// returns false; true if it never did. Knows nothing of quotes: for lists of tokens.
template <class Visit>
constexpr bool for_each_in_list(std::string_view list, Visit visit) {
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    if (!element.empty() && !visit(element)) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace berth::http
