#pragma once
// The PROXY protocol, versions 1 and 2: what a load balancer says, before the first byte of a connection, about whom it
// speaks for (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). Only read from peers that are trusted.

#include "base/result.h"

#include <cstddef>
#include <span>
#include <string>

namespace berth::http {

struct ProxyHeader {
  std::size_t bytes = 0;  // of the header; 0: more is needed
  /// "address:port" of the client; empty if the proxy speaks for itself (health checks) or for something that is not
  /// IP.
  std::string source;
};

/// The longest header that is read: version 2 with room for its extensions.
inline constexpr std::size_t kProxyHeaderBytesMax = 4096;

/// `received`: the first bytes of the connection. Errors: request_malformed.
Result<ProxyHeader> parse_proxy_header(std::span<const std::byte> received);

}  // namespace berth::http
