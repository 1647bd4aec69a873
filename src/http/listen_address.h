#pragma once
// Where a server listens, as a value.

#include <cstdint>
#include <string>

namespace berth::http {

/// Where to listen, and how: exactly one of host, unix_path and descriptor.
struct ListenAddress {
  std::string host;             // literal address or "localhost", IPv6 with or without brackets
  std::uint16_t port = 0;       // 0 picks a free one
  std::string unix_path;        // a Unix socket: absolute or relative path, at most 107 bytes
  int descriptor = -1;          // a listening socket that somebody else made (socket activation); owned from here on
  bool tls = false;             // see Server::set_tls
  bool proxy_protocol = false;  // trusted peers say first whom they speak for
};

/// What an accepted connection has to know of its listener.
struct ListenerTraits {
  bool tls = false;
  bool proxy_protocol = false;
};

}  // namespace berth::http
