#pragma once
// docker's configuration file, where every client of a machine looks for credentials: auths, credHelpers, credsStore.

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::client {

struct Credentials {
  std::string user;
  std::string secret;
  bool is_identity_token = false;  // the secret is a refresh token (A15)

  /// Without a name or a secret a request is an anonymous one, and no sign-in.
  bool are_nobodys() const { return secret.empty() || (user.empty() && !is_identity_token); }
};

class DockerConfig {
 public:
  /// $DOCKER_CONFIG/config.json, else ~/.docker/config.json; `home` and `folder` are those variables. A file that is
  /// not there is an empty one. Errors: parameter_invalid if it is no JSON, with its path.
  /// `others`: files of podman and its kin, which are looked into for what is not in this one, and never written.
  static Result<DockerConfig> load(const std::string& folder, const std::string& home,
                                   std::vector<std::string> others = {});

  /// By the helper of that host, else the store of all, else the file, else the others. nullopt: there are none, but
  /// for such as are nobody's.
  /// Errors: unavailable: the helper does not work.
  Result<std::optional<Credentials>> find(std::string_view host) const;
  /// Where they would go: "" for the file itself, else the helper's name.
  std::string helper_for(std::string_view host) const;
  Result<void> store(std::string_view host, const Credentials& credentials);
  /// From the helper and the file, without asking for what is erased: a login that is dead must be possible to forget.
  /// False if there was none, as far as that can be told. Errors: unavailable: the helper does not work.
  Result<bool> erase(std::string_view host);
  /// credHelpers[host] = helper; empty takes it out.
  Result<void> set_helper(std::string_view host, std::string_view helper);
  /// The registries that somebody is signed in to, as far as the file tells: its auths, without those that a helper of
  /// their own is named for.
  std::vector<std::string> signed_in() const;
  /// Those that this helper is named for.
  std::vector<std::string> helped_by(std::string_view helper) const;
  /// What the file itself holds of that host, in the open.
  std::optional<Credentials> find_plain(std::string_view host) const;
  Result<void> erase_plain(std::string_view host);

  const std::string& path() const { return path_; }

 private:
  Result<void> edit(const std::vector<std::string>& path, std::string_view json);

  std::string path_;
  std::string text_;
  std::vector<std::string> others_;
};

/// "localhost:5000" of what was typed: a scheme and a path are dropped, docker.io becomes docker's own key.
std::string config_key(std::string_view server);

}  // namespace berth::client
