#pragma once
// Signing in with a browser elsewhere (RFC 8628): the registry gives a code, a person types it there, and what comes of
// it is an access token.

#include "base/result.h"
#include "client/docker_config.h"
#include "client/registry.h"

#include <cstdint>
#include <optional>
#include <string>

namespace berth::client {

struct DeviceSignIn {
  std::string device_code;  // a secret
  std::string user_code;    // "BDWP-HQPK"
  std::string address;      // where it is typed
  std::string address_with_code;
  std::int64_t life_s = 600;
  std::int64_t interval_s = 5;  // between two questions
};
/// client_name: what the person sees. Errors: unavailable: the registry does not know this way, with a sentence.
Result<DeviceSignIn> begin_device_sign_in(const RegistryAddress& registry, const std::string& client_name,
                                          const std::string& ca_file);
/// nullopt: nobody has agreed yet; the interval may have grown. Errors: denied, unavailable with a sentence.
Result<std::optional<Credentials>> poll_device_sign_in(const RegistryAddress& registry, DeviceSignIn& waiting,
                                                       const std::string& ca_file);

}  // namespace berth::client
