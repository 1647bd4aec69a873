#include "app/settings.h"

#include "app/data_dir.h"
#include "app/ldap_rows.h"
#include "app/oidc_rows.h"
#include "app/setting_rows.h"
#include "auth/accounts.h"
#include "auth/certificate_rule.h"
#include "auth/scope.h"
#include "auth/trusted_issuers.h"
#include "base/json_text.h"
#include "oci/manifest.h"

#include <algorithm>
#include <limits>

namespace berth::app {

namespace {

template <class Field>
Setting networks(Row row, Field field) {
  Setting setting = list(std::move(row), field);
  setting.set = [field](ServeConfig& config, const Texts& texts) -> Result<void> {
    BERTH_TRYV(http::Networks::parse(texts));
    field(config) = texts;
    return {};
  };
  return setting;
}

/// With a host, and nothing in it that a header or a page could take for something else.
bool is_http_url(std::string_view text) {
  const bool is_url = text.starts_with("https://") || text.starts_with("http://");
  return is_url && !text.ends_with("://") &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '"'; });
}

Setting listen_setting() {
  Setting setting =
      base_of({"server.listen",
               "Addresses to listen on: HOST:PORT (port 0 picks a free one), http://… or https://… to say "
               "which, unix:PATH, or systemd for sockets that systemd hands over. Without a scheme: HTTPS "
               "if there is a certificate.",
               "--listen"},
              Form::list);
  setting.set = [](ServeConfig& config, const Texts& texts) -> Result<void> {
    std::vector<ListenAddress> addresses;
    for (const std::string& text : texts) {
      BERTH_TRY(auto address, parse_listen(text));
      addresses.push_back(std::move(address));
    }
    config.listen = std::move(addresses);
    return {};
  };
  setting.get = [](const ServeConfig& config) {
    Texts out;
    for (const ListenAddress& address : config.listen) out.push_back(to_text(address));
    return out;
  };
  return setting;
}

Setting data_setting() {
  Setting setting = base_of({"server.data", "Folder for everything the registry keeps.", "--data"}, Form::text);
  setting.set = [](ServeConfig& config, const Texts& texts) -> Result<void> {
    if (texts.back().empty()) return fail(Errc::parameter_invalid, "no data folder given");
    config.data_dir = texts.back();
    return {};
  };
  setting.get = [](const ServeConfig& config) -> Texts { return {config.data_dir}; };
  return setting;
}

Setting external_url_setting() {
  Setting setting = base_of({"server.external_url",
                             "How clients reach the registry from outside, https://registry.example.com: for messages "
                             "and, once there are accounts, for the address of the token service.",
                             "--external-url"},
                            Form::text);
  setting.set = [](ServeConfig& config, const Texts& texts) -> Result<void> {
    const std::string& text = texts.back();
    if (!text.empty() && (!is_http_url(text) || text.ends_with('/')))
      return fail(Errc::parameter_invalid, "'" + text + "' is not a URL such as https://registry.example.com");
    config.external_url = text;
    return {};
  };
  setting.get = [](const ServeConfig& config) -> Texts { return {config.external_url}; };
  return setting;
}

Setting metrics_setting() {
  Setting setting = base_of({"server.metrics",
                             "Where /metrics is answered: \"\" with everything else, off, or an address of its own "
                             "(HOST:PORT, unix:PATH), which then answers /healthz and /readyz too.",
                             "--metrics"},
                            Form::text);
  setting.set = [](ServeConfig& config, const Texts& texts) -> Result<void> {
    const std::string& text = texts.back();
    config.metrics = text.empty() ? MetricsMode::with_the_rest : MetricsMode::off;
    if (text.empty() || text == "off") return {};
    BERTH_TRY(config.metrics_listen, parse_listen(text));
    config.metrics = MetricsMode::own_address;
    return {};
  };
  setting.get = [](const ServeConfig& config) -> Texts {
    switch (config.metrics) {
      case MetricsMode::with_the_rest: return {""};
      case MetricsMode::off: return {"off"};
      case MetricsMode::own_address: break;
    }
    return {to_text(config.metrics_listen)};
  };
  return setting;
}

Setting proxies_setting() {
  return networks({"server.trusted_proxies",
                   "Networks whose X-Forwarded-For, X-Forwarded-Proto, X-Request-Id and PROXY header are believed: "
                   "10.0.0.0/8, 2001:db8::/32, an address, or unix for the peers of Unix sockets.",
                   ""},
                  [](auto& config) -> auto& { return config.trusted_proxies; });
}

Setting anonymous_setting() {
  using Value = std::optional<api::Anonymous>;
  return words<Value>(
      {"server.anonymous",
       "What callers without an account may do. Not set: write, but only on addresses that no other "
       "machine reaches, and nothing once somebody has an account. Set: from then on only in namespaces that nobody "
       "owns; "
       "what is open in the others is what is made public there.",
       "--anonymous"},
      {{"", std::nullopt},
       {"off", api::Anonymous::off},
       {"read", api::Anonymous::read},
       {"write", api::Anonymous::write}},
      [](const std::string& text) -> Result<Value> {
        if (text.empty()) return Value();
        BERTH_TRY(const auto value, parse_anonymous(text));
        return Value(value);
      },
      [](auto& config) -> auto& { return config.anonymous; });
}

void add_server(std::vector<Setting>& out) {
  out.push_back(listen_setting());
  out.push_back(data_setting());
  out.push_back(external_url_setting());
  out.push_back(anonymous_setting());
  using registry::ReferencePolicy;
  out.push_back(words<ReferencePolicy>(
      {"server.reference_policy",
       "What a manifest may refer to that is not here: strict nothing, sparse-index children of an index, sparse "
       "anything.",
       "--reference-policy", Reload::yes},
      {{"strict", ReferencePolicy::strict},
       {"sparse-index", ReferencePolicy::sparse_index},
       {"sparse", ReferencePolicy::sparse}},
      [](const std::string& text) { return parse_reference_policy(text); },
      [](auto& config) -> auto& { return config.limits.reference_policy; }));
  out.push_back(words<api::Deletes>(
      {"server.deletes", "off: nothing that was pushed can be deleted; uploads can still be cancelled.", "--deletes"},
      {{"on", api::Deletes::on}, {"off", api::Deletes::off}},
      [](const std::string& text) { return parse_deletes(text); },
      [](auto& config) -> auto& { return config.deletes; }));
  out.push_back(metrics_setting());
  out.push_back(proxies_setting());
  out.push_back(
      flag({"server.proxy_protocol",
            "Trusted proxies send a PROXY header (version 1 or 2) before anything else on each connection.", ""},
           [](auto& config) -> auto& { return config.proxy_protocol; }));
  out.push_back(count({"server.threads", "I/O threads; 0 is one per core.", "--threads"}, 0, 1024,
                      [](auto& config) -> auto& { return config.threads; }));
  out.push_back(count({"server.disk_threads", "Threads that read, write and hash files.", ""}, 1, 256,
                      [](auto& config) -> auto& { return config.disk_threads; }));
  out.push_back(duration({"server.drain", "How long a stop waits for requests that are running.", ""}, 0, kHour,
                         [](auto& config) -> auto& { return config.drain_ms; }));
  out.push_back(size({"server.scrub_rate", "Bytes a second the background check may read; 0 turns it off.",
                      "--scrub-rate", Reload::yes},
                     0, 100 * kGiB, [](auto& config) -> auto& { return config.scrub_bytes_per_second; }));
}

void add_tls(std::vector<Setting>& out) {
  out.push_back(
      list({"tls.certificates",
            "Files with the server's certificate and its chain, PEM; one per kind of key (EC and RSA may stand "
            "side by side). The files are read again on SIGHUP.",
            "--tls-cert", Reload::yes},
           [](auto& config) -> auto& { return config.tls_certificates; }));
  out.push_back(list({"tls.keys", "Files with their private keys, PEM, in the same order.", "--tls-key", Reload::yes},
                     [](auto& config) -> auto& { return config.tls_keys; }));
  using Ask = crypto::TlsClients::Ask;
  out.push_back(words<Ask>(
      {"tls.client_certificates",
       "Whether clients are asked for a certificate of their own: request asks and serves those "
       "without, required serves nobody without, on any encrypted address.",
       "", Reload::yes},
      {{"off", Ask::off}, {"request", Ask::request}, {"required", Ask::required}},
      [](const std::string& text) { return parse_client_certificates(text); },
      [](auto& config) -> auto& { return config.tls_clients.ask; }));
  out.push_back(text({"tls.client_authorities",
                      "File with the certificates of the authorities, PEM, that clients' certificates are verified "
                      "against. It is read again on SIGHUP.",
                      "", Reload::yes},
                     [](auto& config) -> auto& { return config.tls_clients.authorities_path; }));
}

Setting certificate_rules_setting() {
  Setting setting =
      list({"auth.certificate_rules",
            "Which account a client's certificate stands for, by its subject alternative names; the first rule that "
            "matches counts: uri:spiffe://acme.example/ci/*=acme+ci, dns:*.build.acme.example=acme+build, "
            "email:*@acme.example=* (the account is what the star took).",
            "", Reload::yes},
           [](auto& config) -> auto& { return config.certificate_rules; });
  setting.set = [](ServeConfig& config, const Texts& texts) -> Result<void> {
    BERTH_TRYV(auth::parse_certificate_rules(texts));
    config.certificate_rules = texts;
    return {};
  };
  return setting;
}

void add_external_tokens(std::vector<Setting>& out) {
  Setting realm = text({"auth.external_realm",
                        "Of auth.mode external: the address of the token server, https://auth.example.com/token. "
                        "Clients are sent there.",
                        ""},
                       [](auto& config) -> auto& { return config.external.realm; });
  realm.set = [](ServeConfig& config, const Texts& texts) -> Result<void> {
    if (!texts.back().empty() && !is_http_url(texts.back()))
      return fail(Errc::parameter_invalid,
                  "'" + texts.back() + "' is not a URL such as https://auth.example.com/token");
    config.external.realm = texts.back();
    return {};
  };
  out.push_back(std::move(realm));
  out.push_back(text({"auth.external_service",
                      "Likewise: the name of this registry at the token server; tokens must be made for it (aud).", ""},
                     [](auto& config) -> auto& { return config.external.service; }));
  out.push_back(text({"auth.external_issuer", "Likewise: what the token server calls itself in its tokens (iss).", ""},
                     [](auto& config) -> auto& { return config.external.issuer; }));
  out.push_back(list({"auth.external_keys",
                      "Likewise: files with the public keys that check its tokens: PEM, keys or certificates, or a JWK "
                      "set. The files are read again on SIGHUP.",
                      "", Reload::yes},
                     [](auto& config) -> auto& { return config.external.key_files; }));
}

Setting trusted_issuers_setting() {
  Setting setting = list({"auth.trusted_issuers",
                          "Issuers of ID tokens that trust rules may be about: https://gitlab.example.com, "
                          "https://*.example.com for every name below, https://ci.example.com/* for every path below. "
                          "Rules about others, older ones too, do not count. Empty: every public one.",
                          ""},
                         [](auto& config) -> auto& { return config.trusted_issuers; });
  setting.set = [](ServeConfig& config, const Texts& texts) -> Result<void> {
    BERTH_TRYV(auth::TrustedIssuers::parse(texts));
    config.trusted_issuers = texts;
    return {};
  };
  return setting;
}

void add_auth(std::vector<Setting>& out) {
  out.push_back(words<api::AuthMode>(
      {"auth.mode",
       "What clients are asked for, once there are accounts: token has them fetch a short-lived token from /token, "
       "basic has them send name and password with every request; docker then pulls nothing without a login, not even "
       "what is public; external sends them to another server for tokens, which then decide alone, without accounts.",
       "--auth-mode"},
      {{"token", api::AuthMode::token}, {"basic", api::AuthMode::basic}, {"external", api::AuthMode::external}},
      [](const std::string& text) { return parse_auth_mode(text); },
      [](auto& config) -> auto& { return config.auth_mode; }));
  out.push_back(list({"auth.hosts",
                      "Names by which clients may call the registry, with or without a port, where server.external_url "
                      "is not set; localhost and literal addresses always may. Others are asked for Basic "
                      "credentials.",
                      ""},
                     [](auto& config) -> auto& { return config.auth_hosts; }));
  out.push_back(duration({"auth.token_life", "How long a token from /token is good.", ""}, 60 * kSecond, kDay,
                         [](auto& config) -> auto& { return config.token_life_ms; }));
  out.push_back(
      duration({"auth.token_leeway",
                "How far clocks may differ: a token, whoever made it, counts so much before its beginning and "
                "behind its end.",
                ""},
               0, 600 * kSecond, [](auto& config) -> auto& { return config.token_leeway_ms; }));
  out.push_back(duration({"auth.job_life",
                          "How long a CI job that signed in with its ID token stays signed in, as docker login and "
                          "short-lived passwords are; the token itself often ends within minutes.",
                          ""},
                         5 * 60 * kSecond, kDay, [](auto& config) -> auto& { return config.job_life_ms; }));
  out.push_back(
      networks({"auth.trusted_networks",
                "Networks that are not public where issuers of ID tokens may be asked for their keys, such as "
                "that of a GitLab inside: 10.0.0.0/8, an address. Only there an issuer may have an http:// "
                "address.",
                ""},
               [](auto& config) -> auto& { return config.auth_trusted_networks; }));
  out.push_back(trusted_issuers_setting());
  out.push_back(words<meta::Visibility>(
      {"auth.visibility",
       "Who may pull from the namespace of a new user or organisation without any other right, until its owner says "
       "otherwise: private (nobody), internal (every user) or public.",
       ""},
      {{"private", meta::Visibility::closed},
       {"internal", meta::Visibility::internal},
       {"public", meta::Visibility::open}},
      [](const std::string& text) -> Result<meta::Visibility> {
        if (const auto known = auth::parse_visibility(text)) return *known;
        return fail(Errc::parameter_invalid, "visibility must be private, internal or public");
      },
      [](auto& config) -> auto& { return config.visibility; }));
  out.push_back(duration({"auth.audit_keep", "How long the audit log keeps an entry.", "", Reload::yes}, kDay,
                         3650 * kDay, [](auto& config) -> auto& { return config.audit_keep_ms; }));
  out.push_back(certificate_rules_setting());
  add_external_tokens(out);
}

void add_log(std::vector<Setting>& out) {
  out.push_back(words<LogLevel>(
      {"log.level", "What is logged: that and everything more important.", "--log-level", Reload::yes},
      {{"debug", LogLevel::debug},
       {"info", LogLevel::info},
       {"warn", LogLevel::warn},
       {"error", LogLevel::error},
       {"off", LogLevel::off}},
      [](const std::string& text) { return parse_log_level(text); },
      [](auto& config) -> auto& { return config.log_level; }));
  // Kept as the word, because auto depends on where it is asked.
  out.push_back(words<LogFormat>(
      {"log.format", "How it is written; auto: text on a terminal, else json.", "--log-format"},
      {{"auto", LogFormat::automatic}, {"json", LogFormat::json}, {"text", LogFormat::text}},
      [](const std::string& text) { return parse_log_format(text); },
      [](auto& config) -> auto& { return config.log_format; }));
  out.push_back(words<api::AccessLog>(
      {"log.access", "Which requests get a line.", "--access-log"},
      {{"all", api::AccessLog::all}, {"errors", api::AccessLog::errors}, {"off", api::AccessLog::off}},
      [](const std::string& text) { return parse_access_log(text); },
      [](auto& config) -> auto& { return config.access_log; }));
}

Row limit(std::string_view key, std::string help) {
  return {"limits." + std::string(key), std::move(help), "", Reload::yes};
}

void add_names_and_pages(std::vector<Setting>& out) {
  out.push_back(count(limit("repository_name", "Characters of a repository's name together with the registry's host."),
                      16, 255, [](auto& c) -> auto& { return c.limits.repo_name_bytes_max; }));
  out.push_back(
      count(limit("tag", "Characters of a tag."), 8, 128, [](auto& c) -> auto& { return c.limits.tag_bytes_max; }));
  out.push_back(size(limit("manifest", "Bytes of a manifest."), 64 * kKiB, 64 * kMiB,
                     [](auto& c) -> auto& { return c.limits.manifest_bytes_max; }));
  out.push_back(count(limit("json_depth", "Levels of nesting in a manifest."), 8, oci::kManifestLimitsMax.depth_max,
                      [](auto& c) -> auto& { return c.limits.json_depth_max; }));
  out.push_back(count(limit("descriptors", "Descriptors in a manifest."), 128, oci::kManifestLimitsMax.descriptors_max,
                      [](auto& c) -> auto& { return c.limits.descriptors_max; }));
  out.push_back(size(limit("token_form", "Bytes of the form of a request to /token."), 8 * kKiB, kMiB,
                     [](auto& c) -> auto& { return c.limits.token_form_bytes_max; }));
  out.push_back(count(limit("token_scopes", "Repositories that one token may be asked for; more are left out of it."),
                      2, auth::kScopesMax, [](auto& c) -> auto& { return c.limits.token_scopes_max; }));
  out.push_back(count(limit("tags_per_push", "Tags that one push of a manifest may set."), 10, 1000,
                      [](auto& c) -> auto& { return c.limits.tags_per_put_max; }));
  out.push_back(count(limit("ranges", "Ranges in one GET of a blob."), 1, 1024,
                      [](auto& c) -> auto& { return c.limits.ranges_max; }));
  out.push_back(size(limit("warnings", "Bytes of Warning fields in one answer."), 0, 4096,
                     [](auto& c) -> auto& { return c.limits.warning_bytes_max; }));
  out.push_back(count(limit("tags_page", "Tags on a page that was asked for without n."), 1, 100'000,
                      [](auto& c) -> auto& { return c.limits.tags_page_default; }));
  out.push_back(count(limit("tags_page_max", "Tags on a page, whatever n says."), 1, 100'000,
                      [](auto& c) -> auto& { return c.limits.tags_page_max; }));
  out.push_back(count(limit("catalog_page", "Repositories on a page of the catalog without n."), 1, 100'000,
                      [](auto& c) -> auto& { return c.limits.catalog_page_default; }));
  out.push_back(count(limit("catalog_page_max", "Repositories on a page of the catalog."), 1, 100'000,
                      [](auto& c) -> auto& { return c.limits.catalog_page_max; }));
  out.push_back(size(limit("referrers_page", "Bytes of a page of referrers."), 64 * kKiB, 4 * kMiB - 4 * kKiB,
                     [](auto& c) -> auto& { return c.limits.referrers_page_bytes_max; }));
  out.push_back(count(limit("referrers_scan", "Referrers looked at for one page with a filter."), 100, 1'000'000,
                      [](auto& c) -> auto& { return c.limits.referrers_scan_max; }));
  out.push_back(count(limit("referrers_per_subject", "Referrers one manifest may have."), 1, 100'000'000,
                      [](auto& c) -> auto& { return c.limits.referrers_per_subject_max; }));
  out.push_back(count(limit("manifests_per_repository", "Manifests in one repository."), 1, 1'000'000'000,
                      [](auto& c) -> auto& { return c.limits.manifests_per_repo_max; }));
}

void add_uploads_and_connections(std::vector<Setting>& out) {
  out.push_back(duration(limit("upload_idle", "An upload that nobody goes on with is forgotten after this."),
                         10 * kSecond, 30 * kDay, [](auto& c) -> auto& { return c.limits.session_idle_ms; }));
  out.push_back(
      duration(limit("upload_idle_full_disk", "The same while the disk is nearly full; never more than upload_idle."),
               10 * kSecond, 30 * kDay, [](auto& c) -> auto& { return c.limits.session_idle_pressed_ms; }));
  out.push_back(duration(limit("upload_tombstone", "How long a finished upload can be finished once more."), kSecond,
                         kDay, [](auto& c) -> auto& { return c.limits.tombstone_ms; }));
  out.push_back(count(limit("uploads", "Uploads in progress at once."), 1, 10'000'000,
                      [](auto& c) -> auto& { return c.limits.sessions_max; }));
  out.push_back(count(limit("uploads_per_repository", "Uploads in progress in one repository."), 1, 10'000'000,
                      [](auto& c) -> auto& { return c.limits.sessions_per_repo_max; }));
  out.push_back(size(limit("url", "Bytes of a request's URL."), 8 * kKiB, kMiB,
                     [](auto& c) -> auto& { return c.http.target_bytes_max; }));
  out.push_back(size(limit("headers", "Bytes of a request's header fields."), 32 * kKiB, kMiB,
                     [](auto& c) -> auto& { return c.http.head_bytes_max; }));
  out.push_back(count(limit("header_fields", "Header fields of a request."), 50, 10'000,
                      [](auto& c) -> auto& { return c.http.fields_max; }));
  out.push_back(count(limit("connections", "Connections at once; one more gets a 503."), 8, 10'000'000,
                      [](auto& c) -> auto& { return c.http.connections_max; }));
  out.push_back(duration(limit("head_timeout", "For the head of a request, and for a TLS handshake."), kSecond, kHour,
                         [](auto& c) -> auto& { return c.http.head_timeout_ms; }));
  out.push_back(duration(limit("idle_timeout", "A connection between two requests is closed after this."), kSecond,
                         kDay, [](auto& c) -> auto& { return c.http.idle_timeout_ms; }));
  out.push_back(
      duration(limit("stall_timeout", "A transfer that does not move limits.progress within this is cut off."), kSecond,
               kHour, [](auto& c) -> auto& { return c.http.io_timeout_ms; }));
  out.push_back(size(limit("progress", "Bytes that count as progress of a transfer."), 1, 64 * kMiB,
                     [](auto& c) -> auto& { return c.http.progress_bytes_min; }));
}

/// Of a single caller: an account, or an address of somebody without one.
void add_callers(std::vector<Setting>& out) {
  out.push_back(count(limit("subject_requests",
                            "Requests a second of one account, or of one address without an account (of IPv6: of one "
                            "/64); 0: any number."),
                      0, 1'000'000, [](auto& c) -> auto& { return c.subject_limits.requests_per_second; }));
  out.push_back(count(limit("subject_requests_burst", "How many of them may come at once, after a pause."), 1,
                      1'000'000, [](auto& c) -> auto& { return c.subject_limits.requests_burst; }));
  out.push_back(size(limit("subject_bandwidth",
                           "Bytes a second that such a caller may transfer, in both directions together; 0: any "
                           "number. What runs is not slowed down: the next request waits."),
                     0, 100 * kGiB, [](auto& c) -> auto& { return c.subject_limits.bytes_per_second; }));
  out.push_back(size(limit("subject_bandwidth_burst", "How many bytes he may be ahead of that."), 64 * kKiB,
                     1024 * kGiB, [](auto& c) -> auto& { return c.subject_limits.bytes_burst; }));
  out.push_back(count(limit("subject_uploads", "Uploads in progress of one such caller; 0: any number."), 0, 10'000'000,
                      [](auto& c) -> auto& { return c.limits.sessions_per_subject_max; }));
}

void add_cache(std::vector<Setting>& out) {
  out.push_back(size({"cache.manifests", "Memory for manifests that were read lately.", ""}, 0, 64 * kGiB,
                     [](auto& c) -> auto& { return c.limits.manifest_cache_bytes; }));
  out.push_back(size({"cache.links", "Memory for what is known of blobs that were read lately.", ""}, 0, 64 * kGiB,
                     [](auto& c) -> auto& { return c.limits.link_cache_bytes; }));
}

/// "--limits-tags-page"; of section server the name alone, "--drain".
std::string flag_of(std::string_view key) {
  constexpr std::string_view kServer = "server.";
  std::string out = "--" + std::string(key.starts_with(kServer) ? key.substr(kServer.size()) : key);
  std::ranges::replace_if(out, [](char c) { return c == '.' || c == '_'; }, '-');
  return out;
}

}  // namespace

std::string Setting::variable() const {
  std::string out = "BERTH_";
  for (const char c : key) {
    if (c == '.') {
      out += "__";
    } else {
      out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
  }
  return out;
}

const std::vector<Setting>& settings() {
  static const std::vector<Setting> kAll = [] {
    std::vector<Setting> out;
    add_server(out);
    add_tls(out);
    add_auth(out);
    add_oidc(out);
    add_ldap(out);
    add_log(out);
    add_names_and_pages(out);
    add_uploads_and_connections(out);
    add_callers(out);
    add_cache(out);
    for (Setting& setting : out) {
      if (setting.flag.empty()) setting.flag = flag_of(setting.key);
    }
    return out;
  }();
  return kAll;
}

const Setting* find_setting(std::string_view key) {
  const auto found = std::ranges::find(settings(), key, &Setting::key);
  return found == settings().end() ? nullptr : &*found;
}

namespace {

/// JSON's strings are TOML's, but for DEL, which TOML wants escaped.
std::string toml_string(const std::string& text) {
  std::string out;
  for (const char c : json_string(text)) {
    if (c == '\x7f') {
      out += "\\u007f";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string toml_value(const Setting& setting, const std::vector<std::string>& value) {
  if (setting.form == Form::boolean || setting.form == Form::integer) return value.front();
  if (setting.form != Form::list) return toml_string(value.front());
  std::string out = "[";
  for (const std::string& text : value) {
    if (&text != &value.front()) out += ", ";
    out += toml_string(text);
  }
  return out + "]";
}

}  // namespace berth::app
