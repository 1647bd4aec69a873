#pragma once
// Everything `berth serve` can be told, with its defaults. What each setting is called, and where it may be given, is
// the table in settings.cpp.

#include "api/context.h"
#include "api/request_observer.h"
#include "app/systemd.h"
#include "auth/ldap_settings.h"
#include "auth/subject_budgets.h"
#include "crypto/tls.h"
#include "http/server.h"
#include "registry/limits.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::app {

struct ListenAddress {
  enum class Kind : std::uint8_t { tcp, unix_socket, inherited };
  std::string host;  // literal address or "localhost", IPv6 without brackets; of a Unix socket the path, of an
                     // inherited one its name (empty: all of them)
  std::uint16_t port = 0;
  Kind kind = Kind::tcp;
  std::optional<bool> tls = std::nullopt;  // unset: if there is a certificate

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// Of auth.mode external: whose tokens count, and by which keys (docs/external-tokens.md).
struct ExternalTokenConfig {
  std::string realm;    // where clients fetch them
  std::string service;  // aud
  std::string issuer;   // iss
  std::vector<std::string> key_files;
};

enum class MetricsMode : std::uint8_t { with_the_rest, own_address, off };

/// The identity provider that people sign in at; see auth/oidc.h.
struct OidcConfig {
  std::string issuer;  // empty: none
  std::string client_id;
  std::string client_secret_file;
  std::string label;
  std::string scopes = "openid profile email";
  std::string name_claim = "preferred_username";
  std::string groups_claim = "groups";
  std::string admin_group;
  std::vector<std::string> allowed_groups;
  bool creates = true;
  std::int64_t vouched_ms = 90LL * 24 * 60 * 60 * 1000;  // 0: for ever
};

struct ServeConfig {
  std::vector<ListenAddress> listen = {{"127.0.0.1", 5000}};
  std::string data_dir;
  std::string external_url;  // "https://registry.example.com"; empty: not known
  /// Unset: everybody may do everything, but only on loopback.
  std::optional<api::Anonymous> anonymous;
  api::AuthMode auth_mode = api::AuthMode::token;
  std::vector<std::string> auth_hosts;  // names clients may call us by, if external_url is not set
  ExternalTokenConfig external;
  std::int64_t job_life_ms = auth::kJobLifeMs;
  std::int64_t token_life_ms = 15LL * 60 * 1000;   // A11: never under a minute
  std::int64_t token_leeway_ms = 60'000;           // A12
  std::vector<std::string> auth_trusted_networks;  // where issuers of ID tokens may be, beside the public network
  std::vector<std::string> trusted_issuers;        // of trust rules; empty: all
  OidcConfig oidc;
  api::SignUp sign_up = api::SignUp::off;
  meta::Visibility visibility = meta::Visibility::closed;  // of what comes into being in a new namespace
  auth::LdapSettings ldap;
  std::int64_t ldap_recheck_ms = 60LL * 60 * 1000;  // 0: never
  Live<std::int64_t> audit_keep_ms = 400LL * 24 * 60 * 60 * 1000;
  registry::Limits limits;
  auth::SubjectLimits subject_limits;
  http::ServerLimits http;
  std::vector<std::string> trusted_proxies;
  bool proxy_protocol = false;
  std::vector<std::string> tls_certificates;  // files; one key each, in the same order
  std::vector<std::string> tls_keys;
  crypto::TlsClients tls_clients;              // whether certificates are asked of clients, too
  std::vector<std::string> certificate_rules;  // which account each of those is (auth/certificate_rule.h)
  MetricsMode metrics = MetricsMode::with_the_rest;
  ListenAddress metrics_listen;  // if it is own_address
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;
  api::AccessLog access_log = api::AccessLog::all;
  unsigned threads = 0;  // 0: one per core
  unsigned disk_threads = 8;
  Live<std::uint64_t> scrub_bytes_per_second = 20'000'000;  // 0: no background check
  std::size_t descriptors_max = 65'536;                     // of the process; see descriptors.h
  api::Deletes deletes = api::Deletes::on;                  // off: every DELETE of content is a 405 (D2)
  std::int64_t drain_ms = 30'000;                           // how long a stop waits for running requests
  std::vector<InheritedSocket> inherited;                   // from the service manager
};

/// "HOST:PORT", "[::1]:PORT", ":PORT" (all addresses), the same behind "http://" or "https://", "unix:PATH", "systemd",
/// "systemd:NAME". Errors: parameter_invalid with a sentence.
Result<ListenAddress> parse_listen(std::string_view text);
/// What parse_listen reads.
std::string to_text(const ListenAddress& address);
/// Whether only this machine can reach it.
bool is_local(const ListenAddress& address);
Result<registry::ReferencePolicy> parse_reference_policy(std::string_view text);   // strict, sparse-index, sparse
Result<api::Anonymous> parse_anonymous(std::string_view text);                     // off, read, write
Result<api::AuthMode> parse_auth_mode(std::string_view text);                      // token, basic, external
Result<auth::StartTls> parse_start_tls(std::string_view text);                     // auto, always, never
Result<auth::LdapSettings::Groups> parse_ldap_groups(std::string_view text);       // attribute, search, off
Result<api::SignUp> parse_sign_up(std::string_view text);                          // off, open, invite
Result<api::Deletes> parse_deletes(std::string_view text);                         // on, off
Result<crypto::TlsClients::Ask> parse_client_certificates(std::string_view text);  // off, request, required
Result<LogFormat> parse_log_format(std::string_view text);       // json, text, auto (text on a terminal)
Result<api::AccessLog> parse_access_log(std::string_view text);  // all, errors, off
Result<LogLevel> parse_log_level(std::string_view text);         // debug, info, warn, error, off

/// Refuses what must not be started: TLS without a certificate, settings that contradict each other.
Result<void> validate(const ServeConfig& config);
/// For a registry without accounts: refuses one that others reach and that nobody opened on purpose.
Result<void> check_openness(const ServeConfig& config);

/// The pairs of certificate and key.
std::vector<crypto::TlsFiles> tls_files(const ServeConfig& config);
/// Whether connections to the address are encrypted.
inline bool uses_tls(const ServeConfig& config, const ListenAddress& address) {
  return address.kind != ListenAddress::Kind::unix_socket && address.tls.value_or(!config.tls_certificates.empty());
}

}  // namespace berth::app
