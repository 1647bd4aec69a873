#include "http/proxy_protocol.h"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace berth::http {

namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kLine1BytesMax = 107;  // §2.1
constexpr std::size_t kHead2Bytes = 16;

std::unexpected<Error> malformed() { return fail(Errc::request_malformed, "malformed PROXY protocol header"); }

std::string text_of(const ip::address& address, std::uint16_t port) {
  const bool v6 = address.is_v6();
  return (v6 ? "[" : "") + address.to_string() + (v6 ? "]:" : ":") + std::to_string(port);
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t space = line.find(' ');
    words.push_back(line.substr(0, space));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

/// "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", or "PROXY UNKNOWN …\r\n".
Result<ProxyHeader> parse_line(std::string_view received) {
  const std::size_t end = received.substr(0, kLine1BytesMax).find("\r\n");
  if (end == std::string_view::npos) {
    if (received.size() >= kLine1BytesMax) return malformed();
    return ProxyHeader{};
  }
  const auto words = split(received.substr(0, end));
  ProxyHeader header{.bytes = end + 2, .source = {}};
  if (words.size() >= 2 && words[1] == "UNKNOWN") return header;
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return malformed();
  boost::system::error_code invalid;
  const auto source = ip::make_address(std::string(words[2]), invalid);
  const auto port = parse_port(words[4]);
  if (invalid || !port || !parse_port(words[5]) || source.is_v4() != (words[1] == "TCP4")) return malformed();
  header.source = text_of(source, *port);
  return header;
}

std::uint16_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(bytes[at]) << 8U) |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

template <class Address>
std::string address_at(std::span<const std::byte> bytes, std::size_t at, std::size_t port_at) {
  typename Address::bytes_type raw;
  std::memcpy(raw.data(), bytes.data() + at, raw.size());
  return text_of(ip::address(Address(raw)), number_at(bytes, port_at));
}

Result<ProxyHeader> parse_binary(std::span<const std::byte> received) {
  if (received.size() < kHead2Bytes) return ProxyHeader{};
  const auto version_command = std::to_integer<unsigned>(received[12]);
  const auto family = std::to_integer<unsigned>(received[13]);
  const std::size_t length = number_at(received, 14);
  if (version_command >> 4U != 2 || (version_command & 0xFU) > 1) return malformed();
  if (kHead2Bytes + length > kProxyHeaderBytesMax) return malformed();
  if (received.size() < kHead2Bytes + length) return ProxyHeader{};
  ProxyHeader header{.bytes = kHead2Bytes + length, .source = {}};
  if ((version_command & 0xFU) == 0) return header;  // LOCAL: the proxy itself
  constexpr unsigned kTcp4 = 0x11;
  constexpr unsigned kTcp6 = 0x21;
  if (family == kTcp4) {
    if (length < 12) return malformed();
    header.source = address_at<ip::address_v4>(received, kHead2Bytes, kHead2Bytes + 8);
  } else if (family == kTcp6) {
    if (length < 36) return malformed();
    header.source = address_at<ip::address_v6>(received, kHead2Bytes, kHead2Bytes + 32);
  }
  return header;
}

}  // namespace

Result<ProxyHeader> parse_proxy_header(std::span<const std::byte> received) {
  const std::string_view text(reinterpret_cast<const char*>(received.data()), received.size());
  if (text.starts_with(kSignature2)) return parse_binary(received);
  if (text.starts_with(kSignature1)) return parse_line(text);
  // A beginning of either: the rest is on its way.
  if (kSignature1.starts_with(text) || kSignature2.starts_with(text)) return ProxyHeader{};
  return malformed();
}

}  // namespace berth::http
