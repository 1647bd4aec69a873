#include "support/transcript_values.h"

#include "oci/digest.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace berth::test {

namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kFill =
    "\x01"
    "fill:";  // left by {{fill:N}} until the size of the rest is known

constexpr std::pair<std::string_view, std::string_view> kShortTypes[] = {
    {"manifest", "application/vnd.oci.image.manifest.v1+json"},
    {"index", "application/vnd.oci.image.index.v1+json"},
    {"config", "application/vnd.oci.image.config.v1+json"},
    {"layer", "application/vnd.oci.image.layer.v1.tar+gzip"},
    {"empty", "application/vnd.oci.empty.v1+json"},
    {"docker-manifest", "application/vnd.docker.distribution.manifest.v2+json"},
    {"docker-list", "application/vnd.docker.distribution.manifest.list.v2+json"},
    {"docker-config", "application/vnd.docker.container.image.v1+json"},
    {"docker-layer", "application/vnd.docker.image.rootfs.diff.tar.gzip"},
};

std::string_view long_type(std::string_view type) {
  for (const auto& [name, full] : kShortTypes) {
    if (name == type) return full;
  }
  return type;
}

std::unexpected<Error> bad(std::string_view what, std::string_view text) {
  return fail(Errc::parameter_invalid, std::string(what) + ": {{" + std::string(text.substr(0, 80)) + "}}");
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::pair<std::string_view, std::string_view> cut(std::string_view text, char at) {
  const std::size_t position = text.find(at);
  if (position == std::string_view::npos) return {text, {}};
  return {text.substr(0, position), text.substr(position + 1)};
}

std::optional<std::string> from_hex(std::string_view digits) {
  std::string out;
  if (digits.size() % 2 != 0) return std::nullopt;
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    unsigned byte = 0;
    const char* end = digits.data() + at + 2;
    if (std::from_chars(digits.data() + at, end, byte, 16).ptr != end) return std::nullopt;
    out += static_cast<char>(byte);
  }
  return out;
}

/// "name" or "name[first:end]" → the name and the slice of its value.
struct Slice {
  std::string name;
  std::uint64_t first = 0;
  std::uint64_t end = UINT64_MAX;
};

std::optional<Slice> parse_slice(std::string_view text) {
  const auto [name, rest] = cut(text, '[');
  Slice slice{.name = std::string(name)};
  if (name.size() == text.size()) return slice;
  if (!rest.ends_with(']')) return std::nullopt;
  const auto [first, end] = cut(rest.substr(0, rest.size() - 1), ':');
  if (!first.empty()) {
    const auto value = number(first);
    if (!value) return std::nullopt;
    slice.first = *value;
  }
  if (!end.empty()) {
    const auto value = number(end);
    if (!value || *value < slice.first) return std::nullopt;
    slice.end = *value;
  }
  return slice;
}

/// Where the expression that opens at `open` ends, counting those inside it.
std::size_t closing_of(std::string_view text, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t at = open; at + 1 < text.size();) {
    if (text.substr(at, 2) == kOpen) {
      ++depth;
      at += 2;
    } else if (text.substr(at, 2) == kClose) {
      if (--depth == 0) return at;
      at += 2;
    } else {
      ++at;
    }
  }
  return std::string_view::npos;
}

/// {{fill:N}} makes the whole text N bytes long.
Result<std::string> fill_up(std::string text) {
  const std::size_t at = text.find(kFill);
  if (at == std::string::npos) return text;
  const std::size_t end = text.find('\x02', at);
  const auto size = number(std::string_view(text).substr(at + kFill.size(), end - at - kFill.size()));
  const std::size_t rest = text.size() - (end + 1 - at);
  if (!size || *size < rest) return fail(Errc::parameter_invalid, "{{fill}}: the text is longer already");
  return text.replace(at, end + 1 - at, std::string(*size - rest, 'x'));
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          std::string_view("-._~").contains(c);
    if (is_plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? kDigits[group >> (18 - 6 * i) & 63U] : '=';
  }
  return out;
}

std::string noise(std::size_t size_bytes, std::uint64_t seed) {
  std::string out(size_bytes, '\0');
  std::uint64_t state = seed * 2 + 1;
  for (char& c : out) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(state >> 56U);
  }
  return out;
}

std::string sha256_of(std::string_view bytes) { return oci::digest_of(oci::Algorithm::sha256, bytes).str(); }
std::string sha512_of(std::string_view bytes) { return oci::digest_of(oci::Algorithm::sha512, bytes).str(); }

const std::string* TranscriptValues::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

Result<std::string> TranscriptValues::expand(std::string_view text) const {
  std::string out;
  for (;;) {
    std::size_t open = text.find(kOpen);
    while (open != std::string_view::npos && text.substr(open).starts_with("{{{")) ++open;  // a brace, then {{
    out.append(text.substr(0, open));
    if (open == std::string_view::npos) return fill_up(std::move(out));
    const std::size_t close = closing_of(text, open);
    if (close == std::string_view::npos) return fail(Errc::parameter_invalid, "a {{ is never closed");
    const std::string_view expression = text.substr(open + 2, close - open - 2);
    if (expression.starts_with('*') || expression == "!") {
      out.append(text.substr(open, close + 2 - open));
    } else {
      BERTH_TRY(const std::string inner, expand(expression));
      BERTH_TRY(const std::string value, evaluate(inner));
      out += value;
    }
    text.remove_prefix(close + 2);
  }
}

Result<std::string> TranscriptValues::body_of(std::string_view text) const {
  const auto slice = parse_slice(text);
  const std::string* value = slice ? find(slice->name) : nullptr;
  if (value == nullptr) return bad("nothing has this name", text);
  if (slice->first > value->size()) return bad("the slice begins behind the end", text);
  return value->substr(slice->first, slice->end - slice->first);
}

Result<std::string> TranscriptValues::evaluate(std::string_view expression) const {
  const auto [function, argument] = cut(expression, ':');
  // A colon may also be inside a slice: name[1:2].
  if (function.size() == expression.size() || function.contains('[')) return body_of(expression);
  return call(std::string(function), argument);
}

Result<std::string> TranscriptValues::call(const std::string& function, std::string_view argument) const {
  const auto [first, second] = cut(argument, ':');
  if (function == "fill") return std::string(kFill) + std::string(argument) + "\x02";
  if (function == "hexbytes") {
    auto bytes = from_hex(argument);
    if (!bytes) return bad("not hex digits", argument);
    return *std::move(bytes);
  }
  if (function == "bytes" || function == "repeat") {
    const auto count = number(first);
    const auto seed = number(second);
    if (!count || (function == "bytes" && !seed)) return bad("expected a count", argument);
    if (function == "bytes") return noise(*count, *seed);
    std::string out;
    for (std::uint64_t i = 0; i < *count; ++i) out += second;
    return out;
  }
  if (function == "enc") return percent_encoded(argument);
  if (function == "basic") return "Basic " + base64(argument);
  if (const auto defined = functions_.find(function); defined != functions_.end()) return defined->second(argument);
  if (function == "desc" || function == "desc512") {
    BERTH_TRY(const std::string bytes, body_of(second));
    const std::string digest = function == "desc" ? sha256_of(bytes) : sha512_of(bytes);
    return "{\"mediaType\":\"" + std::string(long_type(first)) + "\",\"digest\":\"" + digest +
           "\",\"size\":" + std::to_string(bytes.size()) + "}";
  }
  if (function == "type") return std::string(long_type(argument));
  BERTH_TRY(const std::string bytes, body_of(argument));
  if (function == "sha256") return sha256_of(bytes);
  if (function == "sha512") return sha512_of(bytes);
  if (function == "hex256") return sha256_of(bytes).substr(7);
  if (function == "size") return std::to_string(bytes.size());
  if (function == "last") return std::to_string(bytes.size() - 1);
  if (function == "base64") return base64(bytes);
  return bad("no such function", function);
}

namespace {

/// Whether a wildcard of this kind may stand for `text`.
bool is_of_kind(std::string_view kind, std::string_view text) {
  const auto all = [&](std::string_view alphabet) {
    return std::ranges::all_of(text, [&](char c) { return alphabet.contains(c); });
  };
  if (kind.starts_with("hex")) return text.size() == number(kind.substr(3)) && all("0123456789abcdef");
  if (kind == "digits") return !text.empty() && all("0123456789");
  return true;
}

}  // namespace

bool match_pattern(std::string_view pattern, std::string_view text, std::map<std::string, std::string>& captured) {
  const std::size_t open = pattern.find("{{*");
  if (open == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, open))) return false;
  text.remove_prefix(open);
  const std::size_t close = pattern.find(kClose, open);
  const auto [name, kind] = cut(pattern.substr(open + 3, close - open - 3), ':');
  pattern.remove_prefix(close + 2);
  for (std::size_t length = 0; length <= text.size(); ++length) {
    if (!is_of_kind(kind, text.substr(0, length))) continue;
    if (!match_pattern(pattern, text.substr(length), captured)) continue;
    if (!name.empty()) captured[std::string(name)] = text.substr(0, length);
    return true;
  }
  return false;
}

}  // namespace berth::test
