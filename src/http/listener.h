#pragma once
// Binding: from what the user wrote to listening sockets.

#include "base/result.h"
#include "http/listen_address.h"
#include "http/stream.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <string>

namespace berth::http {

using Acceptor = asio::basic_socket_acceptor<Protocol, io::Executor>;

/// A literal IPv4 or IPv6 address, or "localhost", which is 127.0.0.1. Errors: parameter_invalid.
Result<asio::ip::address> parse_host(const std::string& host);

/// Fails if something already listens there: our own sockets share a port (SO_REUSEPORT), so binding them would succeed
/// beside another Berth of the same user, and the kernel would deal connections to both. Port 0 is always free.
/// Errors: unavailable with a sentence.
Result<void> check_free(asio::io_context& context, const Protocol::endpoint& endpoint);

/// A listening socket that shares its port with the other cores'. Errors: unavailable with a sentence.
Result<Acceptor> open_acceptor(asio::io_context& context, const Protocol::endpoint& endpoint);

/// A Unix socket at the path, for the owner and the group. A socket that a dead server left there is replaced.
/// Errors: unavailable with a sentence. Returns the descriptor.
Result<int> open_unix_socket(const std::string& path);

/// A second acceptor over a listening socket that exists: cores share its queue. Errors: unavailable.
Result<Acceptor> share_acceptor(asio::io_context& context, int descriptor);

std::uint16_t port_of(const Protocol::endpoint& endpoint);

}  // namespace berth::http
