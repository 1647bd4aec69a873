#include "http/stream.h"

#include "base/assert.h"

#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/ip/address.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace berth::http {

namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;  // the most that TLS puts into one record

Stream::Moved to_moved(::ssize_t result, Socket::wait_type direction) {
  if (result >= 0) return {Stream::Outcome::moved, static_cast<std::size_t>(result), direction};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {Stream::Outcome::would_block, 0, direction};
  return {Stream::Outcome::failed, 0, direction};
}

Stream::Moved to_moved(crypto::TlsSession::Moved moved) {
  using Outcome = crypto::TlsSession::Outcome;
  switch (moved.outcome) {
    case Outcome::done: return {Stream::Outcome::moved, moved.count, Socket::wait_read};
    case Outcome::want_read: return {Stream::Outcome::would_block, 0, Socket::wait_read};
    case Outcome::want_write: return {Stream::Outcome::would_block, 0, Socket::wait_write};
    case Outcome::closed: return {Stream::Outcome::moved, 0, Socket::wait_read};
    case Outcome::plain_http: return {Stream::Outcome::plain_http, 0, Socket::wait_read};
    case Outcome::failed: break;
  }
  return {Stream::Outcome::failed, 0, Socket::wait_read};
}

std::span<std::byte> bytes_of(const ::iovec& part) { return {static_cast<std::byte*>(part.iov_base), part.iov_len}; }

std::string address_text(const asio::ip::address& address, std::uint16_t port) {
  const std::string suffix = ":" + std::to_string(port);
  if (address.is_v4()) return address.to_string() + suffix;
  if (address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string() + suffix;
  }
  return "[" + address.to_string() + "]" + suffix;
}

::iovec to_iovec(const void* data, std::size_t size) {
  return {const_cast<void*>(data), size};  // iovec has no const form; sendmsg only reads
}

}  // namespace

Slices Slices::writable(std::span<std::byte> first, std::span<std::byte> second) {
  return {{to_iovec(first.data(), first.size()), to_iovec(second.data(), second.size())}};
}

Slices Slices::readable(std::span<const char> first, std::span<const char> second) {
  return {{to_iovec(first.data(), first.size()), to_iovec(second.data(), second.size())}};
}

void Slices::advance(std::size_t count) {
  BERTH_ASSERT(count <= size(), "no more is moved than was there");
  for (::iovec& part : parts) {
    const std::size_t step = std::min(count, part.iov_len);
    part.iov_base = static_cast<char*>(part.iov_base) + step;
    part.iov_len -= step;
    count -= step;
  }
}

void Stream::configure() {
  boost::system::error_code ignored;  // a socket whose peer is already gone fails here, and again at the first read
  using NoDelay = asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_NODELAY>;
  socket_.set_option(NoDelay(true), ignored);  // a Unix socket has none
  socket_.native_non_blocking(true, ignored);  // sendfile has no flag for it
}

Result<void> Stream::start_tls(const crypto::TlsContext& context) {
  BERTH_TRY(tls_, context.accept(socket_.native_handle()));
  return {};
}

Stream::Moved Stream::try_handshake() {
  const Moved moved = to_moved(crypto::TlsSession::Moved{tls_->handshake(), 0});
  if (moved.outcome == Outcome::plain_http) tls_.reset();
  return moved;
}

Stream::Moved Stream::try_peek(std::span<std::byte> out) {
  for (;;) {
    const ::ssize_t result = ::recv(socket_.native_handle(), out.data(), out.size(), MSG_DONTWAIT | MSG_PEEK);
    if (result >= 0 || errno != EINTR) return to_moved(result, Socket::wait_read);
  }
}

void Stream::set_low_water(int bytes) {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::receive_low_watermark(bytes), ignored);
}

Stream::Moved Stream::try_receive(Slices slices) {
  if (tls_) return try_receive_encrypted(slices);
  const ::iovec& first = slices.parts[0];
  const bool is_single = slices.parts[1].iov_len == 0;  // its own call is the cheaper one
  ::msghdr message{};
  message.msg_iov = slices.parts.data();
  message.msg_iovlen = slices.parts.size();
  for (;;) {
    const ::ssize_t result = is_single ? ::recv(socket_.native_handle(), first.iov_base, first.iov_len, MSG_DONTWAIT)
                                       : ::recvmsg(socket_.native_handle(), &message, MSG_DONTWAIT);
    if (result >= 0 || errno != EINTR) return to_moved(result, Socket::wait_read);
  }
}

Stream::Moved Stream::try_send(Slices slices, More more) {
  if (tls_) return try_send_encrypted(slices);
  const ::iovec& first = slices.parts[0];
  const bool is_single = slices.parts[1].iov_len == 0;
  ::msghdr message{};
  message.msg_iov = slices.parts.data();
  message.msg_iovlen = slices.parts.size();
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more == More::yes ? MSG_MORE : 0);
  for (;;) {
    const ::ssize_t result = is_single ? ::send(socket_.native_handle(), first.iov_base, first.iov_len, flags)
                                       : ::sendmsg(socket_.native_handle(), &message, flags);
    if (result >= 0 || errno != EINTR) return to_moved(result, Socket::wait_write);
  }
}

Stream::Moved Stream::try_send_file(int file, std::uint64_t offset_bytes, std::size_t length_bytes) {
  for (;;) {
    auto position = static_cast<::off_t>(offset_bytes);
    const ::ssize_t result = ::sendfile(socket_.native_handle(), file, &position, length_bytes);
    if (result >= 0 || errno != EINTR) return to_moved(result, Socket::wait_write);
  }
}

/// As much as there is, a record at a time: one call here for many of them.
Stream::Moved Stream::try_receive_encrypted(Slices slices) {
  std::size_t total = 0;
  while (slices.size() > 0) {
    const ::iovec& part = slices.parts[slices.parts[0].iov_len > 0 ? 0 : 1];
    const Moved moved = to_moved(tls_->read(bytes_of(part)));
    if (moved.outcome != Outcome::moved || moved.count == 0) {
      if (total > 0) return {Outcome::moved, total, Socket::wait_read};  // the rest will be told again
      return moved;
    }
    slices.advance(moved.count);
    total += moved.count;
  }
  return {Outcome::moved, total, Socket::wait_read};
}

/// A head and a small body share a record: two would be two packets.
Stream::Moved Stream::try_send_encrypted(const Slices& slices) {
  const std::span<const std::byte> first = bytes_of(slices.parts[0]);
  const std::span<const std::byte> second = bytes_of(slices.parts[1]);
  if (first.empty() || second.empty() || first.size() >= kRecordBytes)
    return to_moved(tls_->write(first.empty() ? second : first));
  std::array<std::byte, kRecordBytes> record;
  const std::size_t of_second = std::min(second.size(), record.size() - first.size());
  std::memcpy(record.data(), first.data(), first.size());
  std::memcpy(record.data() + first.size(), second.data(), of_second);
  return to_moved(tls_->write(std::span(record).first(first.size() + of_second)));
}

void Stream::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Stream::shutdown_send() {
  if (tls_) tls_->close_notify();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::shutdown() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
}

void Stream::close() {
  if (tls_) tls_->close_notify();
  tls_.reset();  // before the descriptor it writes to becomes another's
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::string to_text(const Protocol::endpoint& endpoint) {
  const ::sockaddr* raw = endpoint.data();
  if (raw->sa_family == AF_INET && endpoint.size() >= sizeof(::sockaddr_in)) {
    ::sockaddr_in v4{};
    std::memcpy(&v4, raw, sizeof v4);
    return address_text(asio::ip::address_v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port));
  }
  if (raw->sa_family == AF_INET6 && endpoint.size() >= sizeof(::sockaddr_in6)) {
    ::sockaddr_in6 v6{};
    std::memcpy(&v6, raw, sizeof v6);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return address_text(asio::ip::address_v6(bytes), ntohs(v6.sin6_port));
  }
  return "unix";
}

}  // namespace berth::http
