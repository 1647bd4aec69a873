#include "http/stream.h"

#include "base/assert.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace berth::http {

namespace {

TcpStream::Moved to_moved(::ssize_t result) {
  if (result >= 0) return {TcpStream::Outcome::moved, static_cast<std::size_t>(result)};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {TcpStream::Outcome::would_block, 0};
  return {TcpStream::Outcome::failed, 0};
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

void TcpStream::configure() {
  boost::system::error_code ignored;  // a socket whose peer is already gone fails here, and again at the first read
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);  // sendfile has no flag for it
}

TcpStream::Moved TcpStream::try_receive(Slices slices) {
  ::msghdr message{};
  message.msg_iov = slices.parts.data();
  message.msg_iovlen = slices.parts.size();
  for (;;) {
    const ::ssize_t result = ::recvmsg(socket_.native_handle(), &message, MSG_DONTWAIT);
    if (result >= 0 || errno != EINTR) return to_moved(result);
  }
}

TcpStream::Moved TcpStream::try_send(Slices slices, More more) {
  ::msghdr message{};
  message.msg_iov = slices.parts.data();
  message.msg_iovlen = slices.parts.size();
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more == More::yes ? MSG_MORE : 0);
  for (;;) {
    const ::ssize_t result = ::sendmsg(socket_.native_handle(), &message, flags);
    if (result >= 0 || errno != EINTR) return to_moved(result);
  }
}

TcpStream::Moved TcpStream::try_send_file(int file, std::uint64_t offset_bytes, std::size_t length_bytes) {
  for (;;) {
    auto position = static_cast<::off_t>(offset_bytes);
    const ::ssize_t result = ::sendfile(socket_.native_handle(), file, &position, length_bytes);
    if (result >= 0 || errno != EINTR) return to_moved(result);
  }
}

void TcpStream::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void TcpStream::shutdown_send() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void TcpStream::shutdown() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
}

void TcpStream::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::string to_text(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  const std::string port = std::to_string(endpoint.port());
  if (address.is_v4()) return address.to_string() + ":" + port;
  if (address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string() + ":" + port;
  }
  return "[" + address.to_string() + "]:" + port;
}

}  // namespace berth::http
