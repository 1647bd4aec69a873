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

}  // namespace

Result<std::string> fetch_from_issuer(const std::string& url, std::size_t bytes_max, const http::Networks& networks) {
  if (!may_be_asked(url, networks)) {
    return fail(Errc::denied, url + " is not encrypted; that is for literal addresses in auth.trusted_networks only");
  }
  http::FetchRequest request;
  request.url = url;
  request.headers = {{"Accept", "application/json"}};
  request.reach = http::Reach::public_only;
  request.allowed = &networks;
  request.timeout_ms = kTimeoutMs;
  request.bytes_max = bytes_max;
  BERTH_TRY(auto response, http::fetch(request));
  if (!response.succeeded())
    return fail(Errc::unavailable, url + " answered with the status " + std::to_string(response.status));
  return std::move(response.body);
}

}  // namespace berth::app
