#pragma once
// The bytes of one connection below HTTP: a TCP or Unix socket, with TLS on top where the listener asks for it. Calls
// named try_* never wait; the connection waits for readiness itself, because only it knows the deadlines.

#include "crypto/tls.h"
#include "io/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace berth::http {

namespace asio = boost::asio;

/// TCP over IPv4 and IPv6, and Unix sockets, as one type.
using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, io::Executor>;

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

class Stream {
 public:
  enum class Outcome : std::uint8_t {
    moved,        // `count` bytes; 0 from a receive is the peer's end of stream; of a handshake: it is done
    would_block,  // until the socket is ready in `direction`
    failed,       // the connection is gone
    plain_http,   // of a handshake: the peer does not speak TLS; the stream is plain from here on
  };
  struct Moved {
    Outcome outcome = Outcome::failed;
    std::size_t count = 0;
    Socket::wait_type direction = Socket::wait_read;
  };

  explicit Stream(Socket socket) : socket_(std::move(socket)) {}
  /// No Nagle, no blocking.
  void configure();

  Socket& socket() { return socket_; }
  /// From here on everything is encrypted; try_handshake() comes first.
  Result<void> start_tls(const crypto::TlsContext& context);
  bool is_encrypted() const { return tls_ != nullptr; }
  const crypto::TlsSession* tls() const { return tls_.get(); }
  Moved try_handshake();

  /// What has arrived, without taking it: before TLS only.
  Moved try_peek(std::span<std::byte> out);
  /// Readable means from now on that at least so many bytes are there.
  void set_low_water(int bytes);

  Moved try_receive(Slices slices);
  /// One that would block must be repeated with the same bytes first.
  Moved try_send(Slices slices, More more);
  /// Not encrypted streams only. `count` 0 with `moved`: the file ends before `offset`.
  Moved try_send_file(int file, std::uint64_t offset_bytes, std::size_t length_bytes);
  /// Ends the waits in flight with an error.
  void cancel();
  void shutdown_send();
  /// Ends both directions: the peer sees the end of the stream at once.
  void shutdown();
  void close();

 private:
  Moved try_receive_encrypted(Slices slices);
  Moved try_send_encrypted(const Slices& slices);

  Socket socket_;
  std::unique_ptr<crypto::TlsSession> tls_;
};

/// "address:port" ("[address]:port" for IPv6), "unix" for a Unix socket: for the log.
std::string to_text(const Protocol::endpoint& endpoint);

}  // namespace berth::http
