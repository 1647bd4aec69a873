#include "client/docker_config.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/json_text.h"
#include "client/keychain.h"
#include "client/private_file.h"

#include <filesystem>

namespace berth::client {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHubKey = "https://index.docker.io/v1/";

std::string text_at(const json::Value& root, std::string_view section, std::string_view key) {
  const json::Value* found = root.find(section);
  return found != nullptr ? found->text(key) : std::string();
}

bool is_login(const std::optional<Credentials>& found) { return found && !found->are_nobodys(); }

std::optional<Credentials> from_auths(const json::Value& root, std::string_view host) {
  const json::Value* auths = root.find("auths");
  const json::Value* entry = auths != nullptr ? auths->find(host) : nullptr;
  if (entry == nullptr) return std::nullopt;
  Credentials out;
  if (const json::Value* auth = entry->find("auth"); auth != nullptr) {
    const auto decoded = decode_base64(auth->string(), Padding::optional);
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    out.user = decoded->substr(0, colon);
    out.secret = decoded->substr(colon + 1);
  }
  if (const json::Value* token = entry->find("identitytoken"); token != nullptr && !token->string().empty()) {
    out.secret = token->string();
    out.is_identity_token = true;
  }
  if (out.secret.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::string config_key(std::string_view server) {
  if (server == kHubKey) return std::string(server);
  if (const std::size_t scheme = server.find("://"); scheme != std::string_view::npos) server.remove_prefix(scheme + 3);
  server = server.substr(0, server.find('/'));
  if (server == "docker.io" || server == "index.docker.io" || server.empty()) return std::string(kHubKey);
  return std::string(server);
}

Result<DockerConfig> DockerConfig::load(const std::string& folder, const std::string& home,
                                        std::vector<std::string> others) {
  DockerConfig out;
  out.others_ = std::move(others);
  out.path_ = (folder.empty() ? home + "/.docker" : folder) + "/config.json";
  std::error_code error;
  if (const fs::path real = fs::canonical(out.path_, error); !error) out.path_ = real.string();
  out.text_ = read_private_file(out.path_);
  if (out.text_.empty()) return out;
  const auto parsed = json::parse(out.text_);
  if (!parsed || !parsed->is(json::Value::Kind::object))
    return fail(Errc::parameter_invalid, out.path_ + " is not a JSON object; mend it first");
  return out;
}

std::string DockerConfig::helper_for(std::string_view host) const {
  const auto root = json::parse(text_.empty() ? "{}" : text_);
  if (!root) return "";
  const std::string of_host = text_at(*root, "credHelpers", host);
  if (!of_host.empty()) return of_host;
  return root->text("credsStore");
}

std::optional<Credentials> DockerConfig::find_plain(std::string_view host) const {
  const auto root = json::parse(text_.empty() ? "{}" : text_);
  return root ? from_auths(*root, host) : std::nullopt;
}

Result<std::optional<Credentials>> DockerConfig::find(std::string_view host) const {
  const std::string helper = helper_for(host);
  if (!helper.empty()) {
    BERTH_TRY(auto found, ask_helper(helper, host));
    if (is_login(found)) return found;
  }
  if (auto found = find_plain(host); is_login(found)) return found;
  for (const std::string& path : others_) {
    const auto root = json::parse(read_private_file(path));
    auto found = root && root->is(json::Value::Kind::object) ? from_auths(*root, host) : std::nullopt;
    if (is_login(found)) return found;
  }
  return std::nullopt;
}

Result<void> DockerConfig::store(std::string_view host, const Credentials& credentials) {
  if (const std::string helper = helper_for(host); !helper.empty()) return tell_helper(helper, host, credentials);
  const std::string pair = credentials.user + ":" + (credentials.is_identity_token ? "" : credentials.secret);
  std::string entry = "{\"auth\":" + json_string(encode_base64(pair));
  if (credentials.is_identity_token) append_json_member(entry, "identitytoken", std::string_view(credentials.secret));
  return edit({"auths", std::string(host)}, entry + "}");
}

Result<bool> DockerConfig::erase(std::string_view host) {
  bool was_there = find_plain(host).has_value();
  if (was_there) BERTH_TRYV(erase_plain(host));
  if (const std::string helper = helper_for(host); !helper.empty()) {
    was_there = helper_knows(helper, host).value_or(true) || was_there;
    BERTH_TRYV(erase_from_helper(helper, host));
  }
  return was_there;
}

std::vector<std::string> DockerConfig::signed_in() const {
  const auto root = json::parse(text_.empty() ? "{}" : text_);
  const json::Value* auths = root ? root->find("auths") : nullptr;
  std::vector<std::string> out;
  if (auths == nullptr) return out;
  for (const auto& [host, entry] : auths->object()) {
    if (text_at(*root, "credHelpers", host).empty()) out.push_back(host);
  }
  return out;
}

std::vector<std::string> DockerConfig::helped_by(std::string_view helper) const {
  const auto root = json::parse(text_.empty() ? "{}" : text_);
  const json::Value* helpers = root ? root->find("credHelpers") : nullptr;
  std::vector<std::string> out;
  if (helpers == nullptr) return out;
  for (const auto& [host, name] : helpers->object()) {
    if (name.is(json::Value::Kind::string) && name.string() == helper) out.push_back(host);
  }
  return out;
}

Result<void> DockerConfig::erase_plain(std::string_view host) { return edit({"auths", std::string(host)}, ""); }

Result<void> DockerConfig::set_helper(std::string_view host, std::string_view helper) {
  return edit({"credHelpers", std::string(host)}, helper.empty() ? std::string() : json_string(helper));
}

Result<void> DockerConfig::edit(const std::vector<std::string>& path, std::string_view json) {
  BERTH_TRY(text_, edit_private_json(path_, path, json));
  return {};
}

}  // namespace berth::client
