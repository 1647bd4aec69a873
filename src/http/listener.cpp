#include "http/listener.h"

#include <boost/asio/ip/v6_only.hpp>
#include <sys/socket.h>

namespace berth::http {

namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using Status = boost::system::error_code;

std::unexpected<Error> cannot_listen(const asio::ip::tcp::endpoint& endpoint, const Status& status) {
  const std::string where = "cannot listen on " + to_text(endpoint) + ": ";
  if (status == asio::error::address_in_use) return fail(Errc::unavailable, where + "the address is in use");
  if (status == asio::error::access_denied) return fail(Errc::unavailable, where + "not permitted");
  return fail(Errc::unavailable, where + status.message());
}

Status open_unbound(Acceptor& acceptor, const asio::ip::tcp::endpoint& endpoint) {
  Status status;
  acceptor.open(endpoint.protocol(), status);
  if (!status) acceptor.set_option(asio::socket_base::reuse_address(true), status);
  if (!status && endpoint.address().is_v6()) {
    // "::" means every address of the machine, IPv4 included, whatever the system's default is.
    acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), status);
  }
  return status;
}

}  // namespace

Result<asio::ip::address> parse_host(const std::string& host) {
  if (host == "localhost") return asio::ip::address(asio::ip::address_v4::loopback());
  Status status;
  const std::string_view text = host;
  const bool is_bracketed = text.starts_with('[') && text.ends_with(']');
  auto address = asio::ip::make_address(is_bracketed ? host.substr(1, host.size() - 2) : host, status);
  if (status) return fail(Errc::parameter_invalid, "not an address to listen on: " + host);
  return address;
}

Result<void> check_free(asio::io_context& context, const asio::ip::tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return {};
  Acceptor probe(context);
  Status status = open_unbound(probe, endpoint);
  if (!status) probe.bind(endpoint, status);
  if (status) return cannot_listen(endpoint, status);
  return {};
}

Result<Acceptor> open_acceptor(asio::io_context& context, const asio::ip::tcp::endpoint& endpoint) {
  Acceptor acceptor(context);
  Status status = open_unbound(acceptor, endpoint);
  if (!status) acceptor.set_option(ReusePort(true), status);
  if (!status) acceptor.bind(endpoint, status);
  if (!status) acceptor.listen(asio::socket_base::max_listen_connections, status);
  if (status) return cannot_listen(endpoint, status);
  return acceptor;
}

}  // namespace berth::http
