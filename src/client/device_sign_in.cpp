#include "client/device_sign_in.h"

#include "base/json.h"
#include "http/target.h"

#include <algorithm>

namespace berth::client {

namespace {

constexpr std::int64_t kIntervalMaxS = 60;

Result<http::FetchResponse> post_form(const std::string& url, std::string form, const std::string& ca_file) {
  http::FetchRequest request;
  request.method = "POST";
  request.url = url;
  request.ca_file = ca_file;
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.body = std::move(form);
  return ask_registry(request);
}

std::int64_t number_of(const json::Value& object, std::string_view name, std::int64_t otherwise) {
  const json::Value* member = object.find(name);
  return member != nullptr && member->is(json::Value::Kind::integer) ? member->integer() : otherwise;
}

Result<json::Value> object_of(const http::FetchResponse& response, const std::string& host) {
  auto parsed = json::parse(response.body);
  if (parsed && parsed->is(json::Value::Kind::object)) return *std::move(parsed);
  return fail(Errc::unavailable, host + " does not sign in with a browser (it answers with the status " +
                                     std::to_string(response.status) + "); use a user name and a password");
}

}  // namespace

Result<DeviceSignIn> begin_device_sign_in(const RegistryAddress& registry, const std::string& client_name,
                                          const std::string& ca_file) {
  BERTH_TRY(const auto response,
            post_form(registry.base + "/token/device", "client_id=" + http::percent_encode(client_name), ca_file));
  BERTH_TRY(const auto answer, object_of(response, registry.host));
  DeviceSignIn out;
  out.device_code = answer.text("device_code");
  out.user_code = answer.text("user_code");
  out.address = answer.text("verification_uri");
  out.address_with_code = answer.text("verification_uri_complete");
  out.life_s = number_of(answer, "expires_in", out.life_s);
  out.interval_s = std::clamp(number_of(answer, "interval", out.interval_s), std::int64_t{1}, kIntervalMaxS);
  if (!response.succeeded() || out.device_code.empty() || out.user_code.empty() || out.address.empty()) {
    return fail(Errc::unavailable, registry.host + " does not sign in with a browser (it answers with the status " +
                                       std::to_string(response.status) + "); use a user name and a password");
  }
  return out;
}

Result<std::optional<Credentials>> poll_device_sign_in(const RegistryAddress& registry, DeviceSignIn& waiting,
                                                       const std::string& ca_file) {
  constexpr std::int64_t kSlowerS = 5;  // RFC 8628 3.5
  BERTH_TRY(const auto response,
            post_form(registry.base + "/token",
                      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=berth&device_code=" +
                          http::percent_encode(waiting.device_code),
                      ca_file));
  BERTH_TRY(const auto answer, object_of(response, registry.host));
  const std::string error = answer.text("error");
  if (error == "authorization_pending") return std::optional<Credentials>();
  if (error == "slow_down") {
    waiting.interval_s = std::min(waiting.interval_s + kSlowerS, kIntervalMaxS);
    return std::optional<Credentials>();
  }
  Credentials out{.user = answer.text("username"), .secret = answer.text("access_token"), .is_identity_token = false};
  if (response.succeeded() && !out.user.empty() && !out.secret.empty()) return std::optional(std::move(out));
  const std::string why = answer.text("error_description");
  return fail(Errc::denied, why.empty() ? "the sign-in did not work" : why);
}

}  // namespace berth::client
