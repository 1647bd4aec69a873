#pragma once
// The bytes of one connection below HTTP: a TCP socket today, the place where TLS goes. Calls named try_* never wait;
// the connection waits for readiness itself, because only it knows the deadlines.

#include "io/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace berth::http {

namespace asio = boost::asio;

using Socket = asio::basic_stream_socket<asio::ip::tcp, io::Executor>;

/// Every asynchronous call here: the result as a tuple, on the concrete executor, no exceptions.
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<io::Executor>> kAwait{};

/// Up to two buffers that are sent or filled together.
struct Slices {
  std::array<::iovec, 2> parts{};

  static Slices writable(std::span<std::byte> first, std::span<std::byte> second = {});
  static Slices readable(std::span<const char> first, std::span<const char> second = {});
  std::size_t size() const { return parts[0].iov_len + parts[1].iov_len; }
  /// Drops `count` ≤ size() bytes from the front.
  void advance(std::size_t count);
};

enum class More : std::uint8_t {
  no,   // send it now
  yes,  // more follows at once: the kernel may wait to fill a packet
};

class TcpStream {
 public:
  enum class Outcome : std::uint8_t {
    moved,  // `count` bytes; 0 from a receive is the peer's end of stream
    would_block,
    failed,  // the connection is gone
  };
  struct Moved {
    Outcome outcome = Outcome::failed;
    std::size_t count = 0;
  };

  explicit TcpStream(Socket socket) : socket_(std::move(socket)) {}
  /// No Nagle, no blocking.
  void configure();

  Socket& socket() { return socket_; }
  Moved try_receive(Slices slices);
  Moved try_send(Slices slices, More more);
  /// `count` 0 with `moved`: the file ends before `offset`.
  Moved try_send_file(int file, std::uint64_t offset_bytes, std::size_t length_bytes);
  /// Ends the waits in flight with an error.
  void cancel();
  void shutdown_send();
  /// Ends both directions: the peer sees the end of the stream at once.
  void shutdown();
  void close();

 private:
  Socket socket_;
};

/// "address:port" ("[address]:port" for IPv6), for the log.
std::string to_text(const asio::ip::tcp::endpoint& endpoint);

}  // namespace berth::http
