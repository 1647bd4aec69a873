#include "http/listener.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace berth::http {

namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using Status = boost::system::error_code;

std::unexpected<Error> cannot_listen(const std::string& where, const Status& status) {
  const std::string start = "cannot listen on " + where + ": ";
  if (status == asio::error::address_in_use) return fail(Errc::unavailable, start + "the address is in use");
  if (status == asio::error::access_denied) return fail(Errc::unavailable, start + "not permitted");
  return fail(Errc::unavailable, start + status.message());
}

std::unexpected<Error> cannot_listen_unix(const std::string& path) {
  return cannot_listen("unix:" + path, Status(errno, boost::system::system_category()));
}

bool is_v6(const Protocol::endpoint& endpoint) { return endpoint.data()->sa_family == AF_INET6; }

/// "::" means every address of the machine, IPv4 included, whatever the system's default is.
bool is_unspecified_v6(const Protocol::endpoint& endpoint) {
  ::sockaddr_in6 v6{};
  std::memcpy(&v6, endpoint.data(), std::min(sizeof v6, endpoint.size()));
  return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
}

Status open_unbound(Acceptor& acceptor, const Protocol::endpoint& endpoint) {
  Status status;
  acceptor.open(endpoint.protocol(), status);
  if (!status) acceptor.set_option(asio::socket_base::reuse_address(true), status);
  if (!status && is_v6(endpoint)) acceptor.set_option(asio::ip::v6_only(!is_unspecified_v6(endpoint)), status);
  return status;
}

Result<::sockaddr_un> unix_address(const std::string& path) {
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(Errc::parameter_invalid, "cannot listen on unix:" + path + ": the path is empty or longer than " +
                                             std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// Whether a living server answers there.
bool is_answered(const ::sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return true;
  const int result = ::connect(probe, reinterpret_cast<const ::sockaddr*>(&address), sizeof address);
  const bool refused = result != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return !refused;
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

Result<void> check_free(asio::io_context& context, const Protocol::endpoint& endpoint) {
  if (port_of(endpoint) == 0) return {};
  Acceptor probe(context);
  Status status = open_unbound(probe, endpoint);
  if (!status) probe.bind(endpoint, status);
  if (status) return cannot_listen(to_text(endpoint), status);
  return {};
}

Result<Acceptor> open_acceptor(asio::io_context& context, const Protocol::endpoint& endpoint) {
  Acceptor acceptor(context);
  Status status = open_unbound(acceptor, endpoint);
  if (!status) acceptor.set_option(ReusePort(true), status);
  if (!status) acceptor.bind(endpoint, status);
  if (!status) acceptor.listen(asio::socket_base::max_listen_connections, status);
  if (status) return cannot_listen(to_text(endpoint), status);
  return acceptor;
}

Result<int> open_unix_socket(const std::string& path) {
  BERTH_TRY(const ::sockaddr_un address, unix_address(path));
  std::error_code ignored;
  const auto existing = std::filesystem::symlink_status(path, ignored);
  if (std::filesystem::exists(existing)) {
    if (!std::filesystem::is_socket(existing) || is_answered(address)) {
      errno = EADDRINUSE;
      return cannot_listen_unix(path);
    }
    ::unlink(path.c_str());
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return cannot_listen_unix(path);
  using std::filesystem::perms;
  constexpr auto kOwnerAndGroup = perms::owner_read | perms::owner_write | perms::group_read | perms::group_write;
  const auto* raw = reinterpret_cast<const ::sockaddr*>(&address);
  const bool done = ::bind(descriptor, raw, sizeof address) == 0;
  // Nobody can connect between the two: it does not listen yet.
  if (done) std::filesystem::permissions(path, kOwnerAndGroup, ignored);
  if (!done || ignored || ::listen(descriptor, SOMAXCONN) != 0) {
    auto failure = cannot_listen_unix(path);
    ::close(descriptor);
    return failure;
  }
  return descriptor;
}

Result<Acceptor> share_acceptor(asio::io_context& context, int descriptor) {
  ::sockaddr_storage address{};
  ::socklen_t length = sizeof address;
  int listening = 0;
  ::socklen_t listening_length = sizeof listening;
  const bool is_socket = ::getsockname(descriptor, reinterpret_cast<::sockaddr*>(&address), &length) == 0 &&
                         ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_length) == 0;
  if (!is_socket || listening == 0)
    return fail(Errc::unavailable, "descriptor " + std::to_string(descriptor) + " is not a listening stream socket");
  const int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return fail(Errc::unavailable, "cannot share a listening socket", std::strerror(errno));
  Acceptor acceptor(context);
  Status status;
  const Protocol protocol(address.ss_family, address.ss_family == AF_UNIX ? 0 : IPPROTO_TCP);
  acceptor.assign(protocol, own, status);
  if (!status) return acceptor;
  ::close(own);
  return fail(Errc::unavailable, "cannot share a listening socket", status.message());
}

std::uint16_t port_of(const Protocol::endpoint& endpoint) {
  const ::sockaddr* raw = endpoint.data();
  if (raw->sa_family == AF_INET) return ntohs(reinterpret_cast<const ::sockaddr_in*>(raw)->sin_port);
  if (raw->sa_family == AF_INET6) return ntohs(reinterpret_cast<const ::sockaddr_in6*>(raw)->sin6_port);
  return 0;
}

}  // namespace berth::http
