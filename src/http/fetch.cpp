#include "http/fetch.h"

#include "http/chars.h"
#include "http/public_address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace berth::http {

namespace {

namespace asio = boost::asio;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Progress {
  const FetchRequest& request;
  FetchResponse response;
  bool is_too_large = false;
  std::string refused;  // the address that may not be connected to
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  const std::size_t bytes = size * count;
  if (progress.response.body.size() + bytes > progress.request.bytes_max) {
    progress.is_too_large = true;
    return 0;
  }
  progress.response.body.append(data, bytes);
  return bytes;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) progress.response.headers.clear();  // of the last answer only, not of a 100
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
    value.remove_suffix(1);
  progress.response.headers.emplace_back(std::move(name), std::string(value));
  return line.size();
}

std::optional<asio::ip::address> address_of(const sockaddr& raw) {
  if (raw.sa_family == AF_INET) {
    return asio::ip::make_address_v4(ntohl(reinterpret_cast<const sockaddr_in&>(raw).sin_addr.s_addr));
  }
  if (raw.sa_family != AF_INET6) return std::nullopt;
  asio::ip::address_v6::bytes_type bytes;
  std::ranges::copy(reinterpret_cast<const sockaddr_in6&>(raw).sin6_addr.s6_addr, bytes.begin());
  const asio::ip::address_v6 v6(bytes);
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6);
  return v6;
}

curl_socket_t on_socket(void* user, curlsocktype, curl_sockaddr* wanted) {
  auto& progress = *static_cast<Progress*>(user);
  const auto address = address_of(wanted->addr);
  const bool is_listed = address && progress.request.allowed != nullptr && progress.request.allowed->contains(*address);
  if (!address || (!is_listed && !is_public(*address))) {
    progress.refused = address ? address->to_string() : "an address of an unknown kind";
    return CURL_SOCKET_BAD;
  }
  return ::socket(wanted->family, wanted->socktype | SOCK_CLOEXEC, wanted->protocol);
}

Error error_of(CURLcode code, const Progress& progress, const char* detail) {
  const std::string& url = progress.request.url;
  if (!progress.refused.empty()) {
    return Error(Errc::denied, url + " leads to " + progress.refused +
                                   ", which is not a public address; list its network if that is right");
  }
  if (progress.is_too_large) return Error(Errc::unavailable, "the answer of " + url + " is too long");
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return Error(Errc::parameter_invalid, "'" + url + "' is not an address of the form https://registry.example.com");
  const std::string_view said(detail);
  return Error(Errc::unavailable,
               "cannot reach " + url + ": " + std::string(said.empty() ? curl_easy_strerror(code) : said));
}

}  // namespace

std::string_view FetchResponse::find(std::string_view lower_case_name) const {
  const auto found =
      std::ranges::find(headers, lower_case_name, [](const auto& header) { return std::string_view(header.first); });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

Result<FetchResponse> fetch(const FetchRequest& request) {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, FreeHandle> handle(kReady == CURLE_OK ? curl_easy_init() : nullptr);
  if (!handle) return fail(Errc::internal, {}, "libcurl does not start");
  Progress progress{.request = request, .response = {}, .is_too_large = false, .refused = {}};
  std::array<char, CURL_ERROR_SIZE> detail{};
  std::unique_ptr<curl_slist, FreeList> headers;
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || value.find_first_of("\r\n") != std::string::npos)
      return fail(Errc::parameter_invalid, "a header that cannot be sent");
    headers.reset(curl_slist_append(headers.release(), (name + ": " + value).c_str()));
  }
  headers.reset(curl_slist_append(headers.release(), "Expect:"));
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (!request.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.secret.c_str());
  }
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  if (request.reach == Reach::public_only) {
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &progress);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // a proxy would connect where we may not
  }
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "berth");
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &progress);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &progress);
  const CURLcode done = curl_easy_perform(curl);
  if (done != CURLE_OK) return fail(error_of(done, progress, detail.data()));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  progress.response.status = static_cast<int>(status);
  return std::move(progress.response);
}

}  // namespace berth::http
