#include "api/challenge.h"

#include "http/networks.h"

#include <algorithm>

namespace berth::api {

namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

/// Digits and colons and what else a literal address consists of: nobody else's name.
bool is_literal_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    return std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
    });
  }
  return !host.empty() && std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool is_port(std::string_view text) {
  return text.empty() || (text.starts_with(':') && text.size() <= 6 && text.size() > 1 &&
                          std::ranges::all_of(text.substr(1), [](char c) { return c >= '0' && c <= '9'; }));
}

bool is_ours(const Auth& auth, std::string_view host) {
  const std::string_view name = without_port(host);
  if (!is_port(host.substr(name.size()))) return false;
  return name == "localhost" || is_literal_address(name) ||
         std::ranges::any_of(auth.hosts, [&](const std::string& known) { return known == name || known == host; });
}

/// A quoted-string of RFC 9110 5.6.4.
void append_quoted(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append("=\"");
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

bool is_secure(const Services& services, const http::Exchange& exchange) {
  if (exchange.is_encrypted()) return true;
  const Auth& auth = services.auth;
  if (!exchange.is_proxied() && !auth.trusted_proxies.contains_peer(exchange.peer())) return false;
  if (const auto said = exchange.request().find("X-Forwarded-Proto")) return *said == "https";
  return auth.external_url.starts_with("https://");  // what it speaks outside is known all the same
}

std::optional<std::string> base_of(const Services& services, const http::Exchange& exchange) {
  const Auth& auth = services.auth;
  if (!auth.external_url.empty()) return auth.external_url;
  const auto host = exchange.request().find("Host");
  if (!host || !is_ours(auth, *host)) return std::nullopt;
  return (is_secure(services, exchange) ? "https://" : "http://") + std::string(*host);
}

std::optional<std::string> realm_of(const Services& services, const http::Exchange& exchange) {
  if (services.auth.mode == AuthMode::external) return services.auth.external_realm;
  auto base = base_of(services, exchange);
  if (base) *base += "/token";
  return base;
}

std::string challenge(const Services& services, const http::Exchange& exchange, std::string_view scopes,
                      std::string_view error) {
  const auto realm =
      services.auth.mode != AuthMode::basic ? realm_of(services, exchange) : std::optional<std::string>();
  if (!realm) return R"(Basic realm="Berth")";  // never both: docker runs every scheme it is offered (A3)
  std::string out = "Bearer ";
  append_quoted(out, "realm", *realm);
  append_quoted(out, ",service", services.auth.authenticator.service());
  if (!scopes.empty()) append_quoted(out, ",scope", scopes);
  if (!error.empty()) append_quoted(out, ",error", error);
  return out;
}

}  // namespace berth::api
