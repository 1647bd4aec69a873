#include "client/registry.h"

#include "base/json.h"
#include "http/target.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace berth::client {

namespace {

constexpr std::string_view kHubKey = "https://index.docker.io/v1/";
constexpr std::size_t kNameBytesMax = 1024;
constexpr std::string_view kHubBase = "https://registry-1.docker.io";

bool is_this_machine(std::string_view host) {
  const std::string_view name =
      host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  const bool is_number = name.find_first_not_of("0123456789.") == std::string_view::npos;  // not 127.0.0.1.evil.org
  return name == "localhost" || name == "[::1]" || (name.starts_with("127.") && is_number);
}

Result<http::FetchResponse> ping(const std::string& base, const std::string& ca_file, std::string authorization = {}) {
  http::FetchRequest request;
  request.url = base + "/v2/";
  request.ca_file = ca_file;
  if (!authorization.empty()) request.headers.emplace_back("Authorization", std::move(authorization));
  return ask_registry(request);
}

std::string message_of(const http::FetchResponse& response, std::string_view otherwise) {
  const auto parsed = json::parse(response.body);
  const json::Value* errors = parsed ? parsed->find("errors") : nullptr;
  if (errors != nullptr && !errors->array().empty()) {
    if (const json::Value* message = errors->array().front().find("message"); message != nullptr)
      return message->string();
  }
  const json::Value* details = parsed ? parsed->find("details") : nullptr;
  return details != nullptr ? details->string() : std::string(otherwise);
}

/// "example.com" of "https://example.com:8443/token".
std::string_view host_of(std::string_view url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  return url.starts_with('[') ? url.substr(0, url.find(']') + 1) : url.substr(0, url.find(':'));
}

/// Whether the two have the parent in common, and that is more than a top-level domain.
bool are_siblings(std::string_view a, std::string_view b) {
  const auto parent = [](std::string_view host) {
    const std::size_t dot = host.find('.');
    return dot == std::string_view::npos ? std::string_view() : host.substr(dot + 1);
  };
  const auto is_domain = [](std::string_view name) {  // letters at its end: no address
    const std::size_t dot = name.rfind('.');
    return dot != std::string_view::npos && dot > 3 && name.back() > '9';
  };
  return (parent(a) == parent(b) && is_domain(parent(a))) || (parent(a) == b && is_domain(b)) ||
         (parent(b) == a && is_domain(a));
}

Result<void> check_realm(const RegistryAddress& address, const std::string& realm, const std::string& also) {
  if (may_send_to(address, realm, also)) return {};
  if (!realm.starts_with("https://"))
    return fail(Errc::denied,
                address.host + " asks to send the password unencrypted to " + realm + ", which is refused");
  return fail(Errc::denied, address.host + " asks to send the password to " + std::string(host_of(realm)) +
                                "; if that is right, say so with --realm-host " + std::string(host_of(realm)));
}

Result<http::FetchResponse> fetch_token(const Challenge& challenge, const Credentials& credentials,
                                        const std::string& ca_file) {
  http::FetchRequest request;
  request.ca_file = ca_file;
  if (credentials.is_identity_token) {
    request.method = "POST";
    request.url = challenge.realm;
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = "grant_type=refresh_token&client_id=berth&service=" + http::percent_encode(challenge.service) +
                   "&refresh_token=" + http::percent_encode(credentials.secret);
    return ask_registry(request);
  }
  request.url = challenge.realm + (challenge.realm.find('?') == std::string::npos ? "?" : "&") +
                "service=" + http::percent_encode(challenge.service) +
                "&offline_token=true&client_id=berth&account=" + http::percent_encode(credentials.user);
  if (!challenge.scope.empty()) request.url += "&scope=" + http::percent_encode(challenge.scope);
  request.user = credentials.user;
  request.secret = credentials.secret;
  return ask_registry(request);
}

std::string member_of(const http::FetchResponse& response, std::string_view key) {
  const auto parsed = json::parse(response.body);
  return parsed ? parsed->text(key) : std::string();
}

// http::fetch() has one code for all that goes wrong with a connection. The rest is in libcurl's sentences, and in
// OpenSSL's within them.

/// Whether what came back for a TLS greeting was something else than TLS.
bool speaks_no_tls(const Error& error) { return error.message.find("wrong version number") != std::string::npos; }

bool is_certificate_file_bad(std::string_view said) {
  return said.find("error setting certificate") != std::string_view::npos;
}

/// Not if it is ours that the other side did not accept, of which it sent an alert.
bool is_certificate_refused(std::string_view said) {
  return said.find("certificate") != std::string_view::npos && said.find("alert") == std::string_view::npos;
}

std::unexpected<Error> no_registry(const RegistryAddress& address, const http::FetchResponse& answer) {
  constexpr int kTooMany = 429;
  if (answer.status != kTooMany)
    return fail(Errc::unavailable, address.host + " is not a registry: it answers " + std::to_string(answer.status));
  const std::string_view wait = answer.find("retry-after");
  return fail(Errc::too_many_requests, address.host + " is asked too often: " + message_of(answer, "it answers 429") +
                                           (wait.empty() ? "" : "; try again in " + std::string(wait) + " seconds"));
}

}  // namespace

Result<http::FetchResponse> ask_registry(const http::FetchRequest& request) {
  auto answer = http::fetch(request);
  if (answer) return answer;
  Error error = std::move(answer).error();
  const std::size_t url = error.message.find(request.url);
  const std::string_view said =
      url == std::string::npos ? std::string_view() : std::string_view(error.message).substr(url + request.url.size());
  if (is_certificate_file_bad(said))
    return fail(Errc::parameter_invalid, "there are no certificates in " + request.ca_file, error.message);
  if (is_certificate_refused(said))
    error.message += "; if an authority of your own signed it, name that with --ca-file FILE";
  return fail(std::move(error));
}

std::string ca_file_of(std::string_view host, const CaPlaces& places) {
  std::vector<std::string> folders = {"/etc/docker/certs.d/", "/etc/containers/certs.d/"};
  if (!places.home.empty()) folders.insert(folders.begin(), places.home + "/.config/containers/certs.d/");
  for (const std::string& folder : folders) {
    const std::string path = folder + std::string(host) + "/ca.crt";
    std::error_code error;
    if (host.find('/') == std::string_view::npos && std::filesystem::exists(path, error)) return path;
  }
  return places.file;
}

bool may_send_to(const RegistryAddress& registry, std::string_view realm, std::string_view also) {
  if (realm.starts_with(registry.base + "/")) return true;
  if (!realm.starts_with("https://") || realm.find_first_of("@\\") != std::string_view::npos) return false;
  const std::string_view there = host_of(realm);
  if (!also.empty() && there == also) return true;
  if (registry.base == kHubBase) return there == "auth.docker.io";
  const std::string_view here = host_of(registry.base);
  return there == here || are_siblings(there, here);
}

Challenge parse_challenge(std::string_view text) {
  Challenge out;
  const std::size_t space = text.find(' ');
  out.scheme = text.substr(0, space);
  std::ranges::transform(out.scheme, out.scheme.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string_view rest = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  while (!rest.empty()) {
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) break;
    std::string_view name = rest.substr(0, equals);
    while (name.starts_with(' ') || name.starts_with(',')) name.remove_prefix(1);
    rest.remove_prefix(equals + 1);
    std::string value;
    if (rest.starts_with('"')) {
      std::size_t i = 1;
      for (; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        value += rest[i];
      }
      rest.remove_prefix(std::min(i + 1, rest.size()));
    } else {
      value = rest.substr(0, rest.find(','));
      rest.remove_prefix(value.size());
    }
    if (name == "realm") out.realm = value;
    if (name == "service") out.service = value;
    if (name == "scope") out.scope = value;
  }
  return out;
}

Result<void> check_registry_name(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const std::string_view host = text.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
  const bool is_web = scheme == std::string_view::npos || text.starts_with("http://") || text.starts_with("https://");
  const bool is_clean =
      std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  // Not told again what it was: it may hold a password.
  if (text.find('@') != std::string_view::npos)
    return fail(Errc::parameter_invalid, "a registry is written HOST or HOST:PORT, without a user name or a password");
  if (host.empty() || host.starts_with('/') || text.size() > kNameBytesMax || !is_web || !is_clean)
    return fail(Errc::parameter_invalid, "a registry is written HOST or HOST:PORT, as in reg.example.com:5000");
  return {};
}

Result<RegistryAddress> find_registry(std::string_view server, const std::string& ca_file) {
  if (!ca_file.empty() && std::ifstream(ca_file).peek() == std::ifstream::traits_type::eof())
    return fail(Errc::parameter_invalid, "cannot read the certificates in " + ca_file);
  if (!server.empty()) BERTH_TRYV(check_registry_name(server));  // empty: Docker Hub
  RegistryAddress out;
  out.host = config_key(server);
  if (out.host == kHubKey) {
    out.base = kHubBase;
    return out;
  }
  out.base = "https://" + out.host;
  if (server.starts_with("https://")) return out;
  if (!server.starts_with("http://")) {
    auto secure = ping(out.base, ca_file);
    if (secure) return out;
    // Neither one whose certificate is not accepted, nor one that is away, is asked again in the clear.
    if (!is_this_machine(out.host) || !speaks_no_tls(secure.error())) return fail(std::move(secure).error());
  }
  out.base = "http://" + out.host;
  BERTH_TRY(const auto plain, ping(out.base, ca_file));
  // A port with TLS answers a plain request with a refusal, and must not see a secret in the next one.
  if (!plain.succeeded() && plain.status != 401) return no_registry(out, plain);
  return out;
}

Result<SignedIn> check_credentials(const RegistryAddress& address, const Credentials& credentials,
                                   const std::string& ca_file, const std::string& realm_host) {
  if (credentials.are_nobodys()) {
    return fail(Errc::parameter_invalid,
                credentials.secret.empty() ? "no password was given" : "no user name was given");
  }
  BERTH_TRY(const auto asked, ping(address.base, ca_file));
  if (asked.succeeded()) return SignedIn{};  // nobody has to sign in
  const Challenge challenge = parse_challenge(asked.find("www-authenticate"));
  SignedIn out;
  http::FetchRequest again;
  again.url = address.base + "/v2/";
  again.ca_file = ca_file;
  if (challenge.scheme == "bearer") {
    BERTH_TRYV(check_realm(address, challenge.realm, realm_host));
    BERTH_TRY(const auto token, fetch_token(challenge, credentials, ca_file));
    if (!token.succeeded()) return fail(Errc::unauthorized, message_of(token, "the credentials are not right"));
    std::string text = member_of(token, "token");
    if (text.empty()) text = member_of(token, "access_token");
    again.headers.emplace_back("Authorization", "Bearer " + text);
    if (auto refresh = member_of(token, "refresh_token"); !refresh.empty()) out.refresh_token = std::move(refresh);
  } else if (challenge.scheme == "basic") {
    again.user = credentials.user;
    again.secret = credentials.secret;
  } else {
    return no_registry(address, asked);
  }
  BERTH_TRY(const auto answered, ask_registry(again));
  if (!answered.succeeded()) return fail(Errc::unauthorized, message_of(answered, "the credentials are not right"));
  return out;
}

}  // namespace berth::client
