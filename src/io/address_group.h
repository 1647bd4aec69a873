#pragma once
// Whom an address stands for where callers are counted by it.

#include <string>
#include <string_view>

namespace berth::io {

/// Of an IPv6 address the network of its subscriber, "2001:db8:1:2::/64": whoever has one address of it has them all.
/// An IPv4 address stands for itself, also where it comes as an IPv6 one. What is no address stays as it is.
std::string address_group(std::string_view address);

}  // namespace berth::io
