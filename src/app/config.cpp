#include "app/config.h"

#include <arpa/inet.h>

#include <charconv>

namespace berth::app {

namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || error != std::errc{} || at != end) {
    return fail(Errc::parameter_invalid, "'" + std::string(text) + "' is not a port number (0 to 65535)");
  }
  return port;
}

Result<ListenAddress> parse_tcp(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(Errc::parameter_invalid,
                "listen address '" + std::string(text) + "' must be HOST:PORT, for example 127.0.0.1:5000");
  }
  BERTH_TRY(const std::uint16_t port, parse_port(text.substr(colon + 1)));
  std::string_view host = text.substr(0, colon);
  if (host.empty()) return ListenAddress{"0.0.0.0", port};
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  std::string name(host);
  in6_addr v6{};
  in_addr v4{};
  const bool valid = bracketed ? ::inet_pton(AF_INET6, name.c_str(), &v6) == 1
                               : name == "localhost" || ::inet_pton(AF_INET, name.c_str(), &v4) == 1;
  if (!valid) {
    return fail(Errc::parameter_invalid,
                "'" + name + "' is not an address to listen on; give an IPv4 address, [IPv6] or localhost");
  }
  return ListenAddress{std::move(name), port};
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
  // The address functions below read C strings: they would see only what stands before a NUL.
  if (text.contains('\0')) return fail(Errc::parameter_invalid, "a listen address holds no NUL");
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5);
    if (path.empty())
      return fail(Errc::parameter_invalid, "'unix:' needs the path of the socket, unix:/run/berth.sock");
    return ListenAddress{.host = std::string(path), .kind = ListenAddress::Kind::unix_socket};
  }
  if (text == "systemd" || text.starts_with("systemd:")) {
    const std::string_view name = text == "systemd" ? std::string_view() : text.substr(8);
    return ListenAddress{.host = std::string(name), .kind = ListenAddress::Kind::inherited};
  }
  for (const auto& [scheme, tls] : {std::pair{std::string_view("http://"), false}, {"https://", true}}) {
    if (!text.starts_with(scheme)) continue;
    BERTH_TRY(ListenAddress address, parse_tcp(text.substr(scheme.size())));
    address.tls = tls;
    return address;
  }
  return parse_tcp(text);
}

std::string to_text(const ListenAddress& address) {
  switch (address.kind) {
    case ListenAddress::Kind::unix_socket: return "unix:" + address.host;
    case ListenAddress::Kind::inherited: return address.host.empty() ? "systemd" : "systemd:" + address.host;
    case ListenAddress::Kind::tcp: break;
  }
  const std::string scheme = !address.tls ? "" : *address.tls ? "https://" : "http://";
  const bool v6 = address.host.find(':') != std::string::npos;
  return scheme + (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

bool is_local(const ListenAddress& address) {
  if (address.kind != ListenAddress::Kind::tcp) return address.kind == ListenAddress::Kind::unix_socket;
  if (address.host == "localhost" || address.host == "::1") return true;
  in_addr v4{};
  return ::inet_pton(AF_INET, address.host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

Result<registry::ReferencePolicy> parse_reference_policy(std::string_view text) {
  if (text == "strict") return registry::ReferencePolicy::strict;
  if (text == "sparse-index") return registry::ReferencePolicy::sparse_index;
  if (text == "sparse") return registry::ReferencePolicy::sparse;
  return fail(Errc::parameter_invalid, "reference policy must be strict, sparse-index or sparse");
}

Result<api::Anonymous> parse_anonymous(std::string_view text) {
  if (text == "off") return api::Anonymous::off;
  if (text == "read") return api::Anonymous::read;
  if (text == "write") return api::Anonymous::write;
  return fail(Errc::parameter_invalid, "anonymous must be off, read or write");
}

Result<api::AuthMode> parse_auth_mode(std::string_view text) {
  if (text == "token") return api::AuthMode::token;
  if (text == "basic") return api::AuthMode::basic;
  if (text == "external") return api::AuthMode::external;
  return fail(Errc::parameter_invalid, "the mode of authentication must be token, basic or external");
}

Result<api::SignUp> parse_sign_up(std::string_view text) {
  if (text == "off") return api::SignUp::off;
  if (text == "open") return api::SignUp::open;
  if (text == "invite") return api::SignUp::invite;
  return fail(Errc::parameter_invalid, "sign_up must be off, open or invite");
}

Result<auth::StartTls> parse_start_tls(std::string_view text) {
  if (text == "auto") return auth::StartTls::automatic;
  if (text == "always") return auth::StartTls::always;
  if (text == "never") return auth::StartTls::never;
  return fail(Errc::parameter_invalid, "StartTLS must be auto, always or never");
}

Result<auth::LdapSettings::Groups> parse_ldap_groups(std::string_view text) {
  if (text == "attribute") return auth::LdapSettings::Groups::attribute;
  if (text == "search") return auth::LdapSettings::Groups::search;
  if (text == "off") return auth::LdapSettings::Groups::off;
  return fail(Errc::parameter_invalid, "groups must be attribute, search or off");
}

Result<api::Deletes> parse_deletes(std::string_view text) {
  if (text == "on") return api::Deletes::on;
  if (text == "off") return api::Deletes::off;
  return fail(Errc::parameter_invalid, "deletes must be on or off");
}

Result<crypto::TlsClients::Ask> parse_client_certificates(std::string_view text) {
  if (text == "off") return crypto::TlsClients::Ask::off;
  if (text == "request") return crypto::TlsClients::Ask::request;
  if (text == "required") return crypto::TlsClients::Ask::required;
  return fail(Errc::parameter_invalid, "client certificates must be off, request or required");
}

Result<LogFormat> parse_log_format(std::string_view text) {
  if (text == "json") return LogFormat::json;
  if (text == "text") return LogFormat::text;
  if (text == "auto") return LogFormat::automatic;
  return fail(Errc::parameter_invalid, "log format must be json, text or auto");
}

Result<api::AccessLog> parse_access_log(std::string_view text) {
  if (text == "all") return api::AccessLog::all;
  if (text == "errors") return api::AccessLog::errors;
  if (text == "off") return api::AccessLog::off;
  return fail(Errc::parameter_invalid, "access log must be all, errors or off");
}

Result<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warn") return LogLevel::warn;
  if (text == "error") return LogLevel::error;
  if (text == "off") return LogLevel::off;
  return fail(Errc::parameter_invalid, "log level must be debug, info, warn, error or off");
}

std::vector<crypto::TlsFiles> tls_files(const ServeConfig& config) {
  std::vector<crypto::TlsFiles> out;
  for (std::size_t i = 0; i < config.tls_certificates.size() && i < config.tls_keys.size(); ++i)
    out.push_back({config.tls_certificates[i], config.tls_keys[i]});
  return out;
}

namespace {

Result<void> validate_tls(const ServeConfig& config) {
  if (config.tls_certificates.size() != config.tls_keys.size()) {
    return fail(Errc::parameter_invalid, "tls: " + std::to_string(config.tls_certificates.size()) +
                                             " certificates and " + std::to_string(config.tls_keys.size()) +
                                             " keys were given; each certificate needs its key, in the same order");
  }
  for (const ListenAddress& address : config.listen) {
    if (address.tls.value_or(false) && config.tls_certificates.empty()) {
      return fail(Errc::parameter_invalid,
                  "cannot listen on " + to_text(address) + " without a certificate: give --tls-cert and --tls-key");
    }
  }
  return {};
}

Result<void> validate_oidc(const OidcConfig& oidc, api::AuthMode mode) {
  if (oidc.issuer.empty()) {
    if (oidc.client_id.empty() && oidc.client_secret_file.empty()) return {};
    return fail(Errc::parameter_invalid, "auth.oidc_issuer is missing: which identity provider is meant?");
  }
  if (!oidc.issuer.starts_with("https://") && !oidc.issuer.starts_with("http://"))
    return fail(Errc::parameter_invalid, "auth.oidc_issuer is an address, https://id.example.com");
  if (mode == api::AuthMode::external)
    return fail(Errc::parameter_invalid,
                "auth.oidc_issuer lets people in to accounts, which auth.mode external does not ask");
  if (oidc.client_id.empty())
    return fail(Errc::parameter_invalid, "auth.oidc_client_id is missing: what the registry is called at the provider");
  if (!(" " + oidc.scopes + " ").contains(" openid "))
    return fail(Errc::parameter_invalid, "auth.oidc_scopes must contain openid");
  return {};
}

Result<void> validate_client_certificates(const ServeConfig& config) {
  const bool asks = config.tls_clients.ask != crypto::TlsClients::Ask::off;
  if (asks && config.tls_certificates.empty())
    return fail(Errc::parameter_invalid, "tls.client_certificates needs TLS: give tls.certificates and tls.keys");
  if (asks && config.tls_clients.authorities_path.empty()) {
    return fail(Errc::parameter_invalid,
                "tls.client_certificates needs tls.client_authorities, the file with the authorities that issue them");
  }
  if (config.certificate_rules.empty()) return {};
  if (!asks)
    return fail(Errc::parameter_invalid,
                "auth.certificate_rules need tls.client_certificates to be request or required");
  if (config.auth_mode == api::AuthMode::external)
    return fail(Errc::parameter_invalid, "auth.certificate_rules name accounts, which auth.mode external does not ask");
  return {};
}

/// What a mode without accounts needs instead of them.
Result<void> validate_external(const ServeConfig& config) {
  const ExternalTokenConfig& external = config.external;
  if (config.auth_mode != api::AuthMode::external) return {};
  const std::pair<std::string_view, bool> needed[] = {
      {"auth.external_realm, the address where clients fetch tokens", external.realm.empty()},
      {"auth.external_service, which tokens must be made for", external.service.empty()},
      {"auth.external_issuer, which tokens must be made by", external.issuer.empty()},
      {"auth.external_keys, the files with the keys that check them", external.key_files.empty()}};
  for (const auto& [what, is_missing] : needed) {
    if (is_missing) return fail(Errc::parameter_invalid, "auth.mode external needs " + std::string(what));
  }
  if (config.anonymous.value_or(api::Anonymous::off) != api::Anonymous::off) {
    return fail(Errc::parameter_invalid,
                "auth.mode external leaves nothing open by server.anonymous: who may pull without an account gets a "
                "token that says so");
  }
  return {};
}

}  // namespace

Result<void> validate(const ServeConfig& config) {
  if (config.data_dir.empty()) return fail(Errc::parameter_invalid, "no data folder given");
  if (config.listen.empty()) return fail(Errc::parameter_invalid, "no address to listen on");
  BERTH_TRYV(validate_tls(config));
  BERTH_TRYV(validate_oidc(config.oidc, config.auth_mode));
  BERTH_TRYV(validate_client_certificates(config));
  BERTH_TRYV(validate_external(config));
  BERTH_TRYV(http::Networks::parse(config.trusted_proxies));
  BERTH_TRYV(auth::check_ldap_settings(config.ldap));
  if (config.limits.tags_page_default > config.limits.tags_page_max)
    return fail(Errc::parameter_invalid, "limits.tags_page is larger than limits.tags_page_max");
  if (config.limits.catalog_page_default > config.limits.catalog_page_max)
    return fail(Errc::parameter_invalid, "limits.catalog_page is larger than limits.catalog_page_max");
  return {};
}

Result<void> check_openness(const ServeConfig& config) {
  if (config.anonymous || config.auth_mode == api::AuthMode::external) return {};
  if (!config.trusted_proxies.empty() || !config.external_url.empty()) {
    // Whoever has a proxy in front, or an address outside, is reached from elsewhere, whatever Berth listens on.
    return fail(Errc::parameter_invalid,
                "refusing to start behind a proxy: no account exists, so anybody who reaches the proxy could push and "
                "pull. Create an account with 'berth user add --admin NAME', or give --anonymous=read or "
                "--anonymous=write on purpose.");
  }
  for (const ListenAddress& address : config.listen) {
    if (is_local(address)) continue;
    return fail(Errc::parameter_invalid,
                "refusing to listen on " + address.host +
                    ": no account exists, so anybody who reaches this address could push and pull. "
                    "Create an account with 'berth user add --admin NAME', or give --anonymous=read or "
                    "--anonymous=write on purpose.");
  }
  return {};
}

}  // namespace berth::app
