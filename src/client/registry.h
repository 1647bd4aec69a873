#pragma once
// A registry as a client sees it: how it is reached, and whether credentials are right.

#include "base/result.h"
#include "client/docker_config.h"
#include "http/fetch.h"

#include <optional>
#include <string>
#include <string_view>

namespace berth::client {

struct RegistryAddress {
  std::string base;  // "https://registry.example.com", without a slash at its end
  std::string host;  // "registry.example.com", the key of credentials
};

/// Where this machine keeps certificates to trust instead of the system's.
struct CaPlaces {
  std::string home;  // of who asks; may be empty
  std::string file;  // for every host that has no file of its own: $SSL_CERT_FILE; may be empty
};
/// The file that docker or podman would trust for that host: ~/.config/containers/certs.d/HOST/ca.crt, the same in
/// /etc/docker and /etc/containers; empty: there is none.
std::string ca_file_of(std::string_view host, const CaPlaces& places);

/// Whether a password for the registry may be sent to the token service it names (S15): to itself; over HTTPS to a host
/// of the same owner, a sibling such as gitlab.example.com of registry.example.com, or Docker Hub's; and to `also`,
/// which the person at the terminal named.
bool may_send_to(const RegistryAddress& registry, std::string_view realm, std::string_view also);

/// Whether it can be a registry's, as people write it. Errors: parameter_invalid, which does not repeat a password.
Result<void> check_registry_name(std::string_view text);
/// Finds out how "localhost:5000" is reached: as it was typed with a scheme, else HTTPS. Plain HTTP only on this
/// machine, as docker does, and where nothing speaks TLS: then, and where it was typed, a request without credentials
/// goes ahead of those with some. Errors: unavailable, parameter_invalid.
Result<RegistryAddress> find_registry(std::string_view server, const std::string& ca_file);

/// http::fetch(), which says of a certificate that is not accepted what to do about it.
/// Errors: those of http::fetch(); parameter_invalid: the certificates to trust cannot be read.
Result<http::FetchResponse> ask_registry(const http::FetchRequest& request);

/// What the registry gave for a password that is right.
struct SignedIn {
  std::optional<std::string> refresh_token;
};
/// Proves the credentials as docker does: the ping, the token it asks for, the ping again (A1).
/// realm_host: another host whose token service may be given them. Errors: unauthorized with the registry's own words;
/// denied: may_send_to() says no; parameter_invalid: they are nobody's, and nothing was sent.
Result<SignedIn> check_credentials(const RegistryAddress& address, const Credentials& credentials,
                                   const std::string& ca_file, const std::string& realm_host = {});

/// "Bearer realm=\"…\",service=\"…\"" taken apart.
struct Challenge {
  std::string scheme;  // lower case
  std::string realm;
  std::string service;
  std::string scope;
};
Challenge parse_challenge(std::string_view text);

}  // namespace berth::client
