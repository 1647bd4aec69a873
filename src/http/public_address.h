#pragma once
// Which addresses belong to the public network: a request of ours to any other could reach what only we can (S17).

#include <boost/asio/ip/address.hpp>

namespace berth::http {

/// Not this machine, not private, shared, link-local, multicast, for documentation or reserved (the registries of
/// RFC 6890), and not where a cloud tells its machines about themselves. An IPv4 address inside an IPv6 one is judged
/// as that.
bool is_public(const boost::asio::ip::address& address);

}  // namespace berth::http
