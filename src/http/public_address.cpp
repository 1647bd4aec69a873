#include "http/public_address.h"

#include "http/networks.h"

#include <algorithm>
#include <optional>

namespace berth::http {

namespace {

namespace ip = boost::asio::ip;

const Networks& reserved_v4() {
  static const Networks kNetworks =
      *Networks::parse({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
                        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
                        "168.63.129.16"});  // Azure's own to each of its machines, though of a public range
  return kNetworks;
}

/// What is handed out to the Internet. Loopback, private, link-local and multicast addresses are all outside, and so is
/// what is invented next.
const Networks& unicast_v6() {
  static const Networks kNetworks = *Networks::parse({"2000::/3"});
  return kNetworks;
}

/// Of those: Teredo and other protocols' own, documentation, and 6to4, which leads to any IPv4 address.
const Networks& reserved_v6() {
  static const Networks kNetworks = *Networks::parse({"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"});
  return kNetworks;
}

/// Where a translator takes the last 32 bits for an IPv4 address (RFC 6052): the way out of a network without IPv4.
const Networks& translated() {
  static const Networks kNetworks = *Networks::parse({"64:ff9b::/96"});
  return kNetworks;
}

std::optional<ip::address_v4> inner_v4(const ip::address_v6& address) {
  if (!address.is_v4_mapped() && !translated().contains(address)) return std::nullopt;
  const auto bytes = address.to_bytes();
  ip::address_v4::bytes_type last;
  std::copy(bytes.end() - last.size(), bytes.end(), last.begin());
  return ip::address_v4(last);
}

}  // namespace

bool is_public(const ip::address& address) {
  if (address.is_v4()) return !reserved_v4().contains(address);
  if (const auto inner = inner_v4(address.to_v6())) return is_public(*inner);
  return unicast_v6().contains(address) && !reserved_v6().contains(address);
}

}  // namespace berth::http
