#include "support/test_server_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace berth::test {

namespace {

constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr int kPatienceSeconds = 20;  // so that a failing test ends

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool has(const Fields& fields, std::string_view name) { return !field_values(fields, name).empty(); }

bool is_bodyless(int status) { return status / 100 == 1 || status == 204 || status == 304; }

}  // namespace

std::vector<std::string> field_values(const Fields& fields, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields) {
    if (same_name(key, name)) values.push_back(value);
  }
  return values;
}

std::optional<std::string> WireResponse::field(std::string_view name) const {
  const auto values = field_values(fields, name);
  return values.empty() ? std::nullopt : std::optional(values.front());
}

std::string head_bytes(const WireRequest& request) {
  std::string out = request.method + " " + request.target + " HTTP/1.1\r\n";
  if (!has(request.fields, "Host")) out += "Host: " + std::string(kTestHost) + "\r\n";
  for (const auto& [name, value] : request.fields) out += name + ": " + value + "\r\n";
  if (request.chunk_bytes > 0) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (!request.body.empty() && !has(request.fields, "Content-Length")) {
    out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return out + "\r\n";
}

std::string body_bytes(const WireRequest& request) {
  if (request.chunk_bytes == 0) return request.body;
  std::string out;
  for (std::size_t at = 0; at < request.body.size(); at += request.chunk_bytes) {
    const std::string_view chunk = std::string_view(request.body).substr(at, request.chunk_bytes);
    out += concat(std::hex, chunk.size(), "\r\n");
    out += chunk;
    out += "\r\n";
  }
  return out + "0\r\n\r\n";
}

WireResponse WireClient::ask(const WireRequest& request) {
  open();
  if (!buffer_.empty()) {
    WireResponse stray;
    stray.problem = concat(buffer_.size(), " bytes came behind the previous answer");
    close();
    return stray;
  }
  std::string bytes = head_bytes(request);
  WireResponse response;
  if (has(request.fields, "Expect")) {
    send(bytes);
    WireResponse interim = read_response(request.method);
    if (interim.status != 100) return interim;
    send(body_bytes(request));
    response = read_response(request.method);
    response.was_continued = true;
    return response;
  }
  bytes += body_bytes(request);
  const bool is_sent = send(bytes);
  response = read_response(request.method);
  if (!is_sent) close();  // refused early and not read to its end: what the connection is worth now nobody knows
  return response;
}

WireResponse WireClient::ask(std::string method, std::string target, std::string body, Fields fields) {
  return ask(
      WireRequest{.method = std::move(method), .target = std::move(target), .fields = std::move(fields), .body = body});
}

void WireClient::open() {
  if (fd_ >= 0) return;
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const ::timeval limit{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ++opened_;
  if (::connect(fd_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) close();
}

bool WireClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ::ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void WireClient::finish_sending() { ::shutdown(fd_, SHUT_WR); }

void WireClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  buffer_.clear();
}

void WireClient::reset() {
  const ::linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

bool WireClient::is_readable_within(int timeout_ms) const {
  ::pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
  return !buffer_.empty() || ::poll(&entry, 1, timeout_ms) > 0;
}

bool WireClient::receive() {
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReceiveBytes);
  const ::ssize_t count = fd_ < 0 ? -1 : ::recv(fd_, buffer_.data() + before, kReceiveBytes, 0);
  buffer_.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
  return count > 0;
}

bool WireClient::read_head(WireResponse& response) {
  std::size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive()) {
      response.problem = buffer_.empty() ? "the connection ended without an answer" : "the answer's head is cut off";
      return false;
    }
  }
  std::string_view rest = std::string_view(buffer_).substr(0, end + 2);
  const std::string_view line = rest.substr(0, rest.find("\r\n"));
  rest.remove_prefix(line.size() + 2);
  if (!line.starts_with("HTTP/1.1 ") || line.size() < 12 ||
      std::from_chars(line.data() + 9, line.data() + 12, response.status).ec != std::errc{}) {
    response.problem = "not a status line: " + std::string(line.substr(0, 200));
    return false;
  }
  while (!rest.empty()) {
    const std::string_view field = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(field.size() + 2);
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) response.problem = "not a field: " + std::string(field.substr(0, 200));
    response.fields.emplace_back(field.substr(0, colon), trim(field.substr(std::min(colon, field.size() - 1) + 1)));
  }
  buffer_.erase(0, end + 4);
  return true;
}

void WireClient::read_body(WireResponse& response) {
  const auto lengths = field_values(response.fields, "Content-Length");
  std::size_t length = 0;
  if (lengths.size() != 1 ||
      std::from_chars(lengths[0].data(), lengths[0].data() + lengths[0].size(), length).ec != std::errc{}) {
    response.problem = "no single Content-Length";
    return;
  }
  while (buffer_.size() < length) {
    if (receive()) continue;
    response.problem = concat("the body ended after ", buffer_.size(), " of ", length, " bytes");
    length = buffer_.size();
  }
  response.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
}

WireResponse WireClient::read_response(std::string_view method) {
  WireResponse response;
  const bool complete = read_head(response);
  if (complete && method != "HEAD" && !is_bodyless(response.status)) read_body(response);
  const auto connection = field_values(response.fields, "Connection");
  const bool ends = std::ranges::any_of(connection, [](const auto& value) { return same_name(value, "close"); });
  if (!complete || !response.problem.empty() || ends) {
    if (ends && !buffer_.empty()) response.problem = "bytes came behind the last answer";
    close();
  }
  return response;
}

}  // namespace berth::test
