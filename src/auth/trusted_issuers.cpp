#include "auth/trusted_issuers.h"

#include <algorithm>
#include <optional>

namespace berth::auth {

namespace {

struct Parts {
  std::string scheme;
  std::string host;
  std::string path;
};

constexpr bool is_of_host(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
}

/// What a fetch could read in another way than we do is in no path: escapes, dot segments, backslashes.
bool is_plain_path(std::string_view path) {
  const bool is_plain = std::ranges::all_of(path, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' ||
           c == '-' || c == '_' || c == '~' || c == ':';
  });
  return is_plain && (std::string(path) + "/").find("/./") == std::string::npos &&
         (std::string(path) + "/").find("/../") == std::string::npos;
}

/// nullopt: it is no address of the plain kind that issuers have.
std::optional<Parts> split(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Parts out;
  out.scheme = url.substr(0, colon);
  if (out.scheme != "https" && out.scheme != "http") return std::nullopt;
  url.remove_prefix(colon + 3);
  const std::size_t slash = std::min(url.find('/'), url.size());
  out.host = url.substr(0, slash);
  std::ranges::transform(out.host, out.host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  out.path = url.substr(slash);
  while (out.path.ends_with('/')) out.path.pop_back();
  return out;
}

}  // namespace

Result<TrustedIssuers> TrustedIssuers::parse(const std::vector<std::string>& patterns) {
  TrustedIssuers out;
  for (const std::string& text : patterns) {
    const auto parts = split(text);
    Pattern pattern;
    if (parts) {
      pattern.scheme = parts->scheme;
      pattern.is_any_below_host = parts->host.starts_with("*.");
      pattern.host = parts->host.substr(pattern.is_any_below_host ? 1 : 0);
      pattern.is_any_below_path = parts->path.ends_with("/*");
      pattern.path = parts->path.substr(0, parts->path.size() - (pattern.is_any_below_path ? 2 : 0));
    }
    const std::size_t host_bytes_min = pattern.is_any_below_host ? 2 : 1;
    const bool is_right = pattern.host.size() >= host_bytes_min && std::ranges::all_of(pattern.host, is_of_host) &&
                          is_plain_path(pattern.path);
    if (!is_right) {
      return fail(Errc::parameter_invalid, "'" + text +
                                               "' is no issuer and no pattern of some, as https://gitlab.example.com, "
                                               "https://*.example.com or https://ci.example.com/*");
    }
    out.patterns_.push_back(std::move(pattern));
  }
  return out;
}

bool TrustedIssuers::matches(const Pattern& pattern, const Pattern& issuer) {
  if (pattern.scheme != issuer.scheme) return false;
  const bool is_host = pattern.is_any_below_host
                           ? issuer.host.size() > pattern.host.size() && issuer.host.ends_with(pattern.host)
                           : issuer.host == pattern.host;
  if (!is_host) return false;
  if (!pattern.is_any_below_path) return issuer.path == pattern.path;
  return issuer.path.size() > pattern.path.size() && issuer.path.starts_with(pattern.path + "/");
}

bool TrustedIssuers::allows(std::string_view issuer) const {
  if (patterns_.empty()) return true;
  auto parts = split(issuer);
  if (!parts || !std::ranges::all_of(parts->host, is_of_host) || !is_plain_path(parts->path)) return false;
  const Pattern asked{
      .scheme = std::move(parts->scheme), .host = std::move(parts->host), .path = std::move(parts->path)};
  return std::ranges::any_of(patterns_, [&](const Pattern& pattern) { return matches(pattern, asked); });
}

}  // namespace berth::auth
