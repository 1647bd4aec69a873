#include "http/networks.h"

#include "http/chars.h"

#include <charconv>
#include <optional>

namespace berth::http {

namespace {

namespace ip = boost::asio::ip;

constexpr unsigned kMappedBits = 96;  // ::ffff:0:0/96 in front of an IPv4 address

ip::address_v6 as_v6(const ip::address& address) {
  return address.is_v6() ? address.to_v6() : ip::make_address_v6(ip::v4_mapped, address.to_v4());
}

std::optional<ip::address> parse_address(std::string_view text) {
  boost::system::error_code invalid;
  const auto address = ip::make_address(std::string(text), invalid);
  if (invalid || text.contains('\0')) return std::nullopt;
  return address;
}

/// "192.0.2.1:80" → "192.0.2.1", "[::1]:80" → "::1"; an address alone stays.
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return text;
  return text.substr(0, colon);
}

}  // namespace

Result<Networks> Networks::parse(const std::vector<std::string>& texts) {
  Networks networks;
  for (const std::string& text : texts) {
    if (text == "unix") {
      networks.unix_ = true;
      continue;
    }
    const std::size_t slash = text.find('/');
    const auto address = parse_address(std::string_view(text).substr(0, slash));
    if (!address)
      return fail(Errc::parameter_invalid, "'" + text + "' is not an address or a network such as 10.0.0.0/8");
    const unsigned all = address->is_v4() ? 32 : 128;
    unsigned bits = all;
    if (slash != std::string::npos) {
      const char* end = text.data() + text.size();
      const auto [at, error] = std::from_chars(text.data() + slash + 1, end, bits);
      if (error != std::errc{} || at != end || bits > all)
        return fail(Errc::parameter_invalid, "'" + text + "': the part behind '/' must be 0 to " + std::to_string(all));
    }
    networks.rows_.push_back({as_v6(*address), address->is_v4() ? bits + kMappedBits : bits});
  }
  return networks;
}

bool Networks::contains(const ip::address& address) const {
  const auto wanted = as_v6(address).to_bytes();
  for (const Row& row : rows_) {
    const auto base = row.base.to_bytes();
    unsigned equal = 0;
    while (equal < row.bits && ((wanted[equal / 8] ^ base[equal / 8]) & (0x80U >> (equal % 8))) == 0) ++equal;
    if (equal == row.bits) return true;
  }
  return false;
}

bool Networks::contains_peer(std::string_view peer) const {
  if (peer == "unix") return unix_;
  const auto address = parse_address(without_port(peer));
  return address && contains(*address);
}

std::string client_address(const Request& request, std::string_view peer, const Networks& trusted) {
  std::string client(without_port(peer));
  if (trusted.empty() || !trusted.contains_peer(peer)) return client;
  // From the right: each proxy appends whom it heard from, and what stands left of the first stranger is hearsay.
  const std::string forwarded = request.joined("X-Forwarded-For");
  std::string_view rest = forwarded;
  while (!rest.empty()) {
    const std::size_t comma = rest.rfind(',');
    const std::string_view last = without_port(trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1)));
    const auto address = parse_address(last);
    if (!address) break;
    client = address->to_string();
    if (!trusted.contains(*address) || comma == std::string_view::npos) break;
    rest = rest.substr(0, comma);
  }
  return client;
}

}  // namespace berth::http
