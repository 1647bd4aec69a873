#pragma once
// For this room's tests: a client that speaks raw bytes, and requests as text.

#include "http/chars.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace berth::http::test {

/// Repeatable content with no short period, so that a shifted or swapped piece shows.
inline std::string make_content(std::size_t size) {
  std::string text(size, '\0');
  std::uint64_t state = 1;
  for (char& c : text) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(state >> 56u);
  }
  return text;
}

struct RawResponse {
  int status = 0;  // 0: the connection ended before a whole head
  std::string head;
  std::string body;

  std::optional<std::string> field(std::string_view name) const {
    std::string_view rest = head;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(std::min(rest.size(), line.size() + 2));
      const std::size_t colon = line.find(':');
      if (colon != std::string_view::npos && iequals(line.substr(0, colon), name)) {
        return std::string(trim(line.substr(colon + 1)));
      }
    }
    return std::nullopt;
  }
};

enum class Body : std::uint8_t { expected, none };

/// Blocking, with a generous time limit so that a failing test ends.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    const ::timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(fd_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)), is_connected_(other.is_connected_) {}
  ~RawClient() { close(); }

  bool is_connected() const { return is_connected_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// Ends with a reset instead of a goodbye.
  void reset() {
    const ::linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  /// False if the peer does not take it all.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ::ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  RawResponse read_response(Body body = Body::expected) {
    RawResponse response;
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return response;
    }
    response.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    response.status = std::stoi(response.head.substr(9, 3));
    const std::size_t length = std::stoul(response.field("content-length").value_or("0"));
    if (body == Body::none) return response;
    while (buffer_.size() < length && receive()) {
    }
    response.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return response;
  }
  RawResponse ask(std::string_view bytes, Body body = Body::expected) {
    send(bytes);
    return read_response(body);
  }
  /// Everything up to the end of the stream, or to a reset.
  std::string read_all() {
    while (receive()) {
    }
    return std::exchange(buffer_, {});
  }
  /// Waits for the end of the stream; false if bytes come instead, or nothing for very long.
  bool is_at_end() {
    if (!buffer_.empty()) return false;
    char byte = 0;
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): no lock is held here
    const ::ssize_t count = ::recv(fd_, &byte, 1, 0);
    return count == 0 || (count < 0 && errno == ECONNRESET);
  }
  /// Whether the peer has broken the connection off: what it had said before may be lost.
  bool is_reset_within(int timeout_ms) {
    ::pollfd entry{.fd = fd_, .events = 0, .revents = 0};
    return ::poll(&entry, 1, timeout_ms) > 0 && (entry.revents & POLLERR) != 0;
  }
  bool is_readable_within(int timeout_ms) {
    ::pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
    return !buffer_.empty() || ::poll(&entry, 1, timeout_ms) > 0;
  }

 private:
  bool receive() {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + 64 * 1024);
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): no lock is held here
    const ::ssize_t count = ::recv(fd_, buffer_.data() + before, 64 * 1024, 0);
    buffer_.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
    return count > 0;
  }

  int fd_;
  bool is_connected_ = false;
  std::string buffer_;
};

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n\r\n";
}

inline std::string put(std::string_view target, std::string_view body, std::string_view extra_fields = {}) {
  return "PUT " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(extra_fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// The body in chunks of `chunk_bytes`.
inline std::string chunked(std::string_view body, std::size_t chunk_bytes) {
  std::string out;
  char size[32];
  for (std::size_t at = 0; at < body.size(); at += chunk_bytes) {
    const std::string_view chunk = body.substr(at, chunk_bytes);
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    out += size;
    out += chunk;
    out += "\r\n";
  }
  return out + "0\r\n\r\n";
}

}  // namespace berth::http::test
