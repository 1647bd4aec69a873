#include "app/issuer_fetch.h"

#include "http/fetch.h"

#include <string_view>

namespace berth::app {

namespace {

constexpr std::int64_t kTimeoutMs = 10'000;

/// "http://10.0.0.7:8080/x" → "10.0.0.7:8080". A name would be looked up in the clear, too.
std::string_view host_of(std::string_view url, std::string_view scheme) {
  const std::string_view rest = url.substr(scheme.size());
  return rest.substr(0, rest.find_first_of("/?#"));
}

bool may_be_asked(std::string_view url, const http::Networks& networks) {
  constexpr std::string_view kPlain = "http://";
  if (url.starts_with("https://")) return true;
  if (!url.starts_with(kPlain)) return false;
  const std::string_view host = host_of(url, kPlain);
  return host != "unix" && networks.contains_peer(host);
}

/// What goes for every request to an issuer. Errors: denied.
Result<http::FetchRequest> request_to(const std::string& url, const http::Networks& networks) {
  if (!may_be_asked(url, networks)) {
    return fail(Errc::denied, url + " is not encrypted; that is for literal addresses in auth.trusted_networks only");
  }
  http::FetchRequest request;
  request.url = url;
  request.headers = {{"Accept", "application/json"}};
  request.reach = http::Reach::public_only;
  request.allowed = &networks;
  request.timeout_ms = kTimeoutMs;
  return request;
}

std::string status_text(const std::string& url, const http::FetchResponse& response) {
  return url + " answered with the status " + std::to_string(response.status);
}

}  // namespace

Result<std::string> fetch_from_issuer(const std::string& url, std::size_t bytes_max, const http::Networks& networks) {
  BERTH_TRY(auto request, request_to(url, networks));
  request.bytes_max = bytes_max;
  BERTH_TRY(auto response, http::fetch(request));
  if (!response.succeeded()) return fail(Errc::unavailable, status_text(url, response));
  return std::move(response.body);
}

Result<std::string> ask_provider(const auth::Oidc::Question& question, const http::Networks& networks) {
  constexpr std::size_t kBytesMax = 256 * 1024;
  constexpr std::size_t kShownMax = 300;
  BERTH_TRY(auto request, request_to(question.url, networks));
  request.bytes_max = kBytesMax;
  request.user = question.user;
  request.secret = question.secret;
  if (!question.bearer.empty()) request.headers.emplace_back("Authorization", "Bearer " + question.bearer);
  if (!question.form.empty()) {
    request.method = "POST";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = question.form;
  }
  BERTH_TRY(auto response, http::fetch(request));
  if (response.succeeded()) return std::move(response.body);
  std::string why = status_text(question.url, response);
  if (response.status < 400 || response.status >= 500) return fail(Errc::unavailable, std::move(why));
  return fail(Errc::denied, std::string(auth::kSignInFailed), why + ": " + response.body.substr(0, kShownMax));
}

}  // namespace berth::app
