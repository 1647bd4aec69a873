#include "io/address_group.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace berth::io {

std::string address_group(std::string_view address) {
  if (!address.contains(':')) return std::string(address);
  const std::string text(address.substr(0, address.find('%')));  // without the interface it came by
  in6_addr bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), &bytes) != 1) return std::string(address);
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) return ::inet_ntop(AF_INET, &bytes.s6_addr[12], out.data(), out.size());
  std::fill(std::begin(bytes.s6_addr) + 8, std::end(bytes.s6_addr), std::uint8_t{0});
  return std::string(::inet_ntop(AF_INET6, &bytes, out.data(), out.size())) + "/64";
}

}  // namespace berth::io
