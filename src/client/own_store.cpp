#include "client/own_store.h"

#include "base/json.h"
#include "base/json_text.h"
#include "client/private_file.h"
#include "client/registry.h"

#include <algorithm>

namespace berth::client {

namespace {

constexpr std::int64_t kLifeMs = 60LL * 60 * 1000;
constexpr std::int64_t kSpareMs = 5LL * 60 * 1000;  // a password that ends during a push is of no use
constexpr std::string_view kSection = "hosts";

/// Whether a registry of ours made it, and it is worth more than an hour.
bool is_lasting_secret(std::string_view secret) {
  return secret.starts_with("berth_") && !secret.starts_with("berth_lgn_");
}

/// A password for an hour, by the refresh token, the access token or the robot's secret.
Result<std::string> fresh_password(std::string_view host, const Credentials& stored, const std::string& ca_file) {
  BERTH_TRY(const auto address, find_registry(host, ca_file));
  http::FetchRequest request;
  request.method = "POST";
  request.url = address.base + "/api/v1/auth/short-lived";
  request.ca_file = ca_file;
  request.headers = {{"Content-Type", "application/json"}};
  if (stored.is_identity_token) {
    request.headers.emplace_back("Authorization", "Bearer " + stored.secret);
  } else {
    request.user = stored.user;
    request.secret = stored.secret;
  }
  request.body = R"({"expires_in":"1h"})";
  BERTH_TRY(const auto answer, ask_registry(request));
  const auto parsed = json::parse(answer.body);
  std::string secret = parsed ? parsed->text("secret") : "";
  if (!answer.succeeded() || secret.empty()) {
    return fail(Errc::unauthorized,
                "the login to " + std::string(host) + " is not valid any more: berth login " + std::string(host));
  }
  return secret;
}

}  // namespace

Result<OwnStore> OwnStore::load(const std::string& folder, const std::string& key_file, CaPlaces ca_places) {
  OwnStore out;
  out.ca_places_ = std::move(ca_places);
  out.path_ = folder + "/credentials.json";
  const std::string kept = read_private_file(out.path_);
  if (!key_file.empty()) {  // a new key would not open what an old one closed
    using Missing = CredentialKey::Missing;
    BERTH_TRY(out.key_, CredentialKey::load(key_file, is_sealed(kept) ? Missing::refuse : Missing::make));
  }
  BERTH_TRY(out.text_, unsealed(kept, out.key()));
  if (!out.text_.empty() && !json::parse(out.text_))
    return fail(Errc::parameter_invalid, out.path_ + " is not JSON; remove it and log in again");
  return out;
}

Result<void> OwnStore::edit(const std::vector<std::string>& path, std::string_view json) {
  BERTH_TRY(text_, edit_private_json(path_, path, json, key()));
  return {};
}

Result<std::optional<Credentials>> OwnStore::get(std::string_view host, const Clock& clock) {
  const auto root = json::parse(text_.empty() ? "{}" : text_);
  const json::Value* hosts = root ? root->find(kSection) : nullptr;
  const json::Value* entry = hosts != nullptr ? hosts->find(host) : nullptr;
  if (entry == nullptr) return std::nullopt;
  Credentials out{.user = entry->text("user"), .secret = entry->text("secret"), .is_identity_token = false};
  const json::Value* is_refresh = entry->find("refresh");
  out.is_identity_token = is_refresh != nullptr && is_refresh->boolean();
  if (out.are_nobodys()) return std::nullopt;
  if (!out.is_identity_token && !is_lasting_secret(out.secret)) return std::optional(std::move(out));
  const json::Value* until = entry->find("password_until_ms");
  std::string password = entry->text("password");
  if (password.empty() || until == nullptr || until->integer() < clock.now_ms() + kSpareMs) {
    auto fresh = fresh_password(host, out, ca_file_of(host, ca_places_));
    // A secret works as it is, too: should it be over, or the registry away, that is for the registry to say.
    if (!fresh && !out.is_identity_token) return std::optional(std::move(out));
    BERTH_TRY(password, std::move(fresh));
    const std::vector<std::string> path = {std::string(kSection), std::string(host)};
    auto path_of = [&](const char* member) {
      auto longer = path;
      longer.emplace_back(member);
      return longer;
    };
    BERTH_TRYV(edit(path_of("password"), json_string(password)));
    BERTH_TRYV(edit(path_of("password_until_ms"), std::to_string(clock.now_ms() + kLifeMs)));
  }
  out.user = "token";
  out.secret = std::move(password);
  out.is_identity_token = false;
  return std::optional(std::move(out));
}

Result<void> OwnStore::store(std::string_view host, const Credentials& credentials) {
  std::string entry = "{\"user\":" + json_string(credentials.user);
  append_json_member(entry, "secret", std::string_view(credentials.secret));
  entry += credentials.is_identity_token ? ",\"refresh\":true}" : ",\"refresh\":false}";
  return edit({std::string(kSection), std::string(host)}, entry);
}

Result<void> OwnStore::erase(std::string_view host) { return edit({std::string(kSection), std::string(host)}, ""); }

std::vector<std::pair<std::string, std::string>> OwnStore::list() const {
  std::vector<std::pair<std::string, std::string>> out;
  const auto root = json::parse(text_.empty() ? "{}" : text_);
  const json::Value* hosts = root ? root->find(kSection) : nullptr;
  if (hosts == nullptr) return out;
  for (const auto& [host, entry] : hosts->object()) out.emplace_back(host, entry.text("user"));
  return out;
}

}  // namespace berth::client
