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

/// Finds out how "localhost:5000" is reached: as it was typed with a scheme, else HTTPS, and plain HTTP only on this
/// machine, as docker does. Errors: unavailable, parameter_invalid.
Result<RegistryAddress> find_registry(std::string_view server, const std::string& ca_file);

/// What the registry gave for a password that is right.
struct SignedIn {
  std::optional<std::string> refresh_token;
};
/// Proves the credentials as docker does: the ping, the token it asks for, the ping again (A1).
/// Errors: unauthorized with the registry's own words.
Result<SignedIn> check_credentials(const RegistryAddress& address, const Credentials& credentials,
                                   const std::string& ca_file);

/// "Bearer realm=\"…\",service=\"…\"" taken apart.
struct Challenge {
  std::string scheme;  // lower case
  std::string realm;
  std::string service;
  std::string scope;
};
Challenge parse_challenge(std::string_view text);

}  // namespace berth::client
