#pragma once
// What docker-credential-berth keeps: a file of its owner alone, ~/.config/berth/credentials.json. Of a Berth server it
// holds the refresh token that a login gave, or an access token or robot's secret, and the short-lived password made
// with it for as long as that is good.

#include "base/clock.h"
#include "client/credential_key.h"
#include "client/docker_config.h"
#include "client/registry.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::client {

class OwnStore {
 public:
  /// `folder`: of the file. `key_file`: of the key it is encrypted with; empty: it is not, and only its mode protects
  /// it. Errors: parameter_invalid if the file is no JSON or not of this key.
  static Result<OwnStore> load(const std::string& folder, const std::string& key_file, CaPlaces ca_places);

  /// What a client sends: what was stored, or instead of a lasting secret of Berth's a password that is good for an
  /// hour. nullopt: nothing is known of the host.
  Result<std::optional<Credentials>> get(std::string_view host, const Clock& clock);
  Result<void> store(std::string_view host, const Credentials& credentials);
  Result<void> erase(std::string_view host);
  /// Hosts and their users.
  std::vector<std::pair<std::string, std::string>> list() const;

 private:
  const CredentialKey* key() const { return key_ ? &*key_ : nullptr; }
  Result<void> edit(const std::vector<std::string>& path, std::string_view json);

  std::string path_;
  std::optional<CredentialKey> key_;
  std::string text_;
  CaPlaces ca_places_;
};

}  // namespace berth::client
