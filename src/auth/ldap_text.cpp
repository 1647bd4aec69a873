#include "auth/ldap_text.h"

#include "base/hex.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace berth::auth {

namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::string_view kHexMark = "hex:";
constexpr std::size_t kGuidBytes = 16;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}
bool is_v6_char(char c) { return hex_digit(c) >= 0 || (c >= 'A' && c <= 'F') || c == ':' || c == '.'; }

std::unexpected<Error> no_url(std::string_view text) {
  return fail(Errc::parameter_invalid,
              "'" + std::string(text) + "' is not the address of a directory, such as ldaps://ldap.example.com");
}

std::unexpected<Error> no_filter(std::string_view filter) {
  return fail(Errc::parameter_invalid, "'" + std::string(filter) + "' is not one filter in parentheses that match");
}

std::string hex_of(std::string_view bytes) { return to_hex(std::as_bytes(std::span(bytes))); }

/// "" if it is no hex.
std::string bytes_of(std::string_view hex) {
  std::string out(hex.size() / 2, '\0');
  return from_hex(hex, std::as_writable_bytes(std::span(out))) ? out : std::string();
}

/// The first three groups of a GUID are numbers, which are stored with their last byte first.
constexpr std::array<std::size_t, kGuidBytes> kGuidOrder = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

bool is_guid(std::string_view attribute) { return is_same_attribute(attribute, "objectGUID"); }

}  // namespace

std::string LdapServer::url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (uses_tls ? "ldaps://" : "ldap://") + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool LdapServer::is_loopback() const {
  if (host == "localhost" || host == "::1") return true;
  // All of it a number: 127.example.com is somewhere else.
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
}

Result<LdapServer> parse_ldap_url(std::string_view text) {
  LdapServer out;
  std::string_view rest = text;
  if (rest.starts_with("ldaps://")) {
    out.uses_tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("ldap://")) {
    rest.remove_prefix(7);
  } else {
    return no_url(text);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  constexpr std::uint16_t kPort = 389;
  constexpr std::uint16_t kTlsPort = 636;
  out.port = out.uses_tls ? kTlsPort : kPort;
  const bool is_v6 = rest.starts_with('[');
  const std::size_t host_end = is_v6 ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (host_end == std::string_view::npos) return no_url(text);
  const std::string_view host = is_v6 ? rest.substr(1, host_end - 1) : rest.substr(0, host_end);
  if (host.empty() || !std::ranges::all_of(host, is_v6 ? is_v6_char : is_host_char)) return no_url(text);
  out.host = host;
  rest.remove_prefix(host_end + (is_v6 ? 1 : 0));
  if (rest.empty()) return out;
  if (rest.front() != ':') return no_url(text);
  rest.remove_prefix(1);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), out.port);
  if (rest.empty() || error != std::errc{} || end != rest.data() + rest.size() || out.port == 0) return no_url(text);
  return out;
}

std::string escape_ldap_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    // More than RFC 4515 asks for: bytes that are no plain text could be no character at all.
    const bool is_plain = !is_control(c) && static_cast<unsigned char>(c) < 0x80;
    if (is_plain && c != '*' && c != '(' && c != ')' && c != '\\') {
      out += c;
    } else {
      out += '\\' + hex_of({&c, 1});
    }
  }
  return out;
}

Result<void> check_ldap_filter(std::string_view filter, std::string_view placeholder) {
  const std::string wanted = "{" + std::string(placeholder) + "}";
  if (filter.find(wanted) == std::string_view::npos)
    return fail(Errc::parameter_invalid, "the filter '" + std::string(filter) + "' does not hold " + wanted);
  std::size_t open = 0;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i] == '(') ++open;
    if (open == 0 || is_control(filter[i])) return no_filter(filter);
    if (filter[i] == ')' && --open == 0 && i + 1 != filter.size()) return no_filter(filter);
  }
  return open == 0 ? Result<void>() : no_filter(filter);
}

std::string fill_ldap_filter(std::string_view filter, std::string_view placeholder, std::string_view value) {
  const std::string wanted = "{" + std::string(placeholder) + "}";
  const std::string escaped = escape_ldap_value(value);
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t next = filter.find(wanted, at);
    out += filter.substr(at, next == std::string_view::npos ? next : next - at);
    if (next == std::string_view::npos) return out;
    out += escaped;
    at = next + wanted.size();
  }
}

bool is_ldap_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && std::ranges::none_of(text, is_control);
}

std::string ldap_id_text(std::string_view attribute, std::string_view value) {
  if (is_guid(attribute) && value.size() == kGuidBytes) {
    std::string out;
    for (std::size_t i = 0; i < kGuidBytes; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
      out += hex_of(value.substr(kGuidOrder[i], 1));
    }
    return out;
  }
  const auto is_plain = [](char c) { return !is_control(c) && static_cast<unsigned char>(c) < 0x80; };
  const bool is_text = !is_guid(attribute) && !value.starts_with(kHexMark) && std::ranges::all_of(value, is_plain);
  return is_text ? std::string(value) : std::string(kHexMark) + hex_of(value);
}

std::string ldap_id_value(std::string_view attribute, std::string_view text) {
  if (text.starts_with(kHexMark)) return bytes_of(text.substr(kHexMark.size()));
  if (!is_guid(attribute)) return std::string(text);
  std::string hex(text);
  std::erase(hex, '-');
  const std::string bytes = bytes_of(hex);
  if (bytes.size() != kGuidBytes) return {};
  std::string out(kGuidBytes, '\0');
  for (std::size_t i = 0; i < kGuidBytes; ++i) out[kGuidOrder[i]] = bytes[i];
  return out;
}

bool is_same_attribute(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace berth::auth
