#include "client/docker_config.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/json_edit.h"
#include "base/json_text.h"
#include "client/keychain.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace berth::client {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHubKey = "https://index.docker.io/v1/";

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::unexpected<Error> cannot(const char* verb, const std::string& path) {
  return fail(Errc::io_failed, std::string("cannot ") + verb + " " + path + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// A whole new file in the place of the old one, for its owner alone.
Result<void> replace_file(const std::string& path, const std::string& text) {
  const std::string draft = path + ".berth-new";
  {
    const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return cannot("create", draft);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0)
      return cannot("write", draft);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return cannot("replace", path);
  return {};
}

std::string text_at(const json::Value& root, std::string_view section, std::string_view key) {
  const json::Value* found = root.find(section);
  const json::Value* value = found != nullptr ? found->find(key) : nullptr;
  return value != nullptr && value->is(json::Value::Kind::string) ? value->string() : "";
}

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

Result<DockerConfig> DockerConfig::load(const std::string& folder, const std::string& home) {
  DockerConfig out;
  out.path_ = (folder.empty() ? home + "/.docker" : folder) + "/config.json";
  std::error_code error;
  if (const fs::path real = fs::canonical(out.path_, error); !error) out.path_ = real.string();
  out.text_ = read_file(out.path_);
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
  const json::Value* store = root->find("credsStore");
  return store != nullptr && store->is(json::Value::Kind::string) ? store->string() : "";
}

bool DockerConfig::has_plain(std::string_view host) const {
  const auto root = json::parse(text_.empty() ? "{}" : text_);
  return root && from_auths(*root, host).has_value();
}

Result<std::optional<Credentials>> DockerConfig::find(std::string_view host) const {
  const std::string helper = helper_for(host);
  if (!helper.empty()) {
    BERTH_TRY(auto found, ask_helper(helper, host));
    if (found) return found;
  }
  const auto root = json::parse(text_.empty() ? "{}" : text_);
  return root ? from_auths(*root, host) : std::nullopt;
}

Result<void> DockerConfig::store(std::string_view host, const Credentials& credentials) {
  if (const std::string helper = helper_for(host); !helper.empty()) return tell_helper(helper, host, credentials);
  const std::string pair = credentials.user + ":" + (credentials.is_identity_token ? "" : credentials.secret);
  std::string entry = "{\"auth\":" + json_string(encode_base64(pair));
  if (credentials.is_identity_token) append_json_member(entry, "identitytoken", std::string_view(credentials.secret));
  return edit({"auths", std::string(host)}, entry + "}");
}

Result<bool> DockerConfig::erase(std::string_view host) {
  BERTH_TRY(const auto there, find(host));
  if (const std::string helper = helper_for(host); !helper.empty()) BERTH_TRYV(erase_from_helper(helper, host));
  if (has_plain(host)) BERTH_TRYV(edit({"auths", std::string(host)}, ""));
  return there.has_value();
}

Result<void> DockerConfig::set_helper(std::string_view host, std::string_view helper) {
  return edit({"credHelpers", std::string(host)}, helper.empty() ? std::string() : json_string(helper));
}

/// Read again under a lock: another client may have written since.
Result<void> DockerConfig::edit(const std::vector<std::string>& path, std::string_view json) {
  std::error_code error;
  fs::create_directories(fs::path(path_).parent_path(), error);
  if (error) return fail(Errc::io_failed, "cannot create the folder of " + path_ + ": " + error.message());
  const std::string lock_path = path_ + ".berth-lock";
  const Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0) return cannot("lock", path_);
  BERTH_TRY(auto changed, edit_json(read_file(path_), path, json));
  BERTH_TRYV(replace_file(path_, changed));
  text_ = std::move(changed);
  return {};
}

}  // namespace berth::client
