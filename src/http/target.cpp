#include "http/target.h"

#include "http/chars.h"

#include <algorithm>

namespace berth::http {

namespace {

constexpr std::size_t kSegmentsMax = 256;  // a 255-character name has at most 128 components (G1)

enum class Plus : bool { literal, space };

/// Decodes `text` to `out`, which has room for text.size() bytes; returns the end of what was written, nullptr if an
/// escape is malformed.
char* percent_decode(std::string_view text, char* out, Plus plus) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus == Plus::space) {
      c = ' ';
    } else if (c == '%') {
      if (text.size() - i < 3) return nullptr;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return nullptr;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    *out++ = c;
  }
  return out;
}

/// No control byte, in a form that the compiler turns into a few wide instructions.
bool is_visible(std::string_view text) {
  unsigned char bad = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    bad = static_cast<unsigned char>(bad | (byte < 0x20) | (byte == 0x7f));
  }
  return bad == 0;
}

bool is_forbidden_byte(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/'; }

bool is_dots(std::string_view segment) { return segment == "." || segment == ".."; }

Error malformed(const char* what) { return Error(Errc::request_malformed, what); }

Result<std::string> form_decode(std::string_view text) {
  std::string out(text.size(), '\0');
  const char* end = percent_decode(text, out.data(), Plus::space);
  if (end == nullptr) return fail(malformed("malformed percent escape in the query"));
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

}  // namespace

Result<Path> split_path(std::string_view path) {
  if (!path.starts_with('/')) return fail(malformed("the path must start with /"));
  path.remove_prefix(1);
  if (!is_visible(path)) return fail(malformed("the path has a forbidden segment"));

  Path out;
  out.segments_.reserve(8);
  char* free = nullptr;  // the unused rest of out.decoded_
  for (;;) {
    const std::size_t slash = path.find('/');
    std::string_view segment = path.substr(0, slash);
    if (segment.find('%') != std::string_view::npos) {
      if (free == nullptr) {
        out.decoded_ = std::make_unique_for_overwrite<char[]>(path.size());
        free = out.decoded_.get();
      }
      char* const end = percent_decode(segment, free, Plus::literal);
      if (end == nullptr) return fail(malformed("malformed percent escape in the path"));
      segment = std::string_view(free, end);
      free = end;
      if (std::ranges::any_of(segment, is_forbidden_byte)) return fail(malformed("the path has a forbidden segment"));
    }
    if (is_dots(segment)) return fail(malformed("the path has a forbidden segment"));
    if (out.segments_.size() == kSegmentsMax) return fail(malformed("the path has too many segments"));
    out.segments_.push_back(segment);
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

Result<Query> Query::parse(std::string_view text) {
  Query out;
  while (!text.empty()) {
    const std::size_t ampersand = text.find('&');
    const std::string_view piece = text.substr(0, ampersand);
    text.remove_prefix(ampersand == std::string_view::npos ? text.size() : ampersand + 1);
    if (piece.empty()) continue;
    if (out.parameters_.size() == kParametersMax) return fail(malformed("too many query parameters"));
    const std::size_t equals = piece.find('=');
    BERTH_TRY(std::string name, form_decode(piece.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      BERTH_TRY(value, form_decode(piece.substr(equals + 1)));
    }
    out.parameters_.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

bool Query::has(std::string_view name) const {
  return std::ranges::any_of(parameters_, [name](const auto& parameter) { return parameter.first == name; });
}

std::optional<std::string_view> Query::first_beyond(std::span<const std::string_view> names) const {
  for (const auto& [key, value] : parameters_) {
    if (std::ranges::find(names, key) == names.end()) return key;
  }
  return std::nullopt;
}

Result<std::optional<std::string>> Query::single(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [key, value] : parameters_) {
    if (key != name) continue;
    if (found && *found != value) {
      return fail(Errc::parameter_invalid, "parameter " + std::string(name) + " is given twice with different values");
    }
    found = value;
  }
  return found;
}

std::vector<std::string> Query::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : parameters_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

std::string media_type_value(std::string value) {
  std::ranges::replace(value, ' ', '+');
  return value;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_class(c, CharClass::unreserved)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4u];
    out += kDigits[byte & 0xfu];
  }
  return out;
}

}  // namespace berth::http
