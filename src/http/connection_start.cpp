// Before the first request: whom a proxy speaks for, then TLS.

#include "http/connection.h"
#include "http/proxy_protocol.h"

namespace berth::http {

/// False if there is nothing to serve; what could be said to the peer has been.
io::Task<bool> Connection::open() {
  if (!traits_.tls && !traits_.proxy_protocol) co_return true;
  hard_deadline_ms_ = clock_.mono_ms() + limits_.head_timeout_ms;
  if (traits_.proxy_protocol && limits_.trusted_proxies.contains_peer(peer_) && !co_await read_proxy_header())
    co_return false;
  if (traits_.tls && !co_await shake_hands()) co_return false;
  hard_deadline_ms_ = kNever;
  pace_.reset();
  co_return true;
}

/// Looks before it takes: what follows the header is the handshake's or the first request's. A header that comes in
/// pieces is waited for by its length, since what was left in the socket would end every other wait at once.
io::Task<bool> Connection::read_proxy_header() {
  std::array<std::byte, kProxyHeaderBytesMax> bytes;
  for (;;) {
    const Stream::Moved seen = stream_.try_peek(bytes);
    if (seen.outcome == Stream::Outcome::failed) co_return false;
    if (seen.outcome == Stream::Outcome::moved) {
      if (seen.count == 0) co_return false;
      const auto header = parse_proxy_header(std::span(bytes).first(seen.count));
      if (!header) {
        ++core_.server.proxy_invalid;
        core_.server.log.debug("http.proxy_header_refused", {f("peer", peer_)});
        co_return false;
      }
      if (header->bytes > 0) {
        const Stream::Moved taken = stream_.try_receive(Slices::writable(std::span(bytes).first(header->bytes)));
        if (taken.count != header->bytes) co_return false;
        stream_.set_low_water(1);
        is_proxied_ = true;
        if (!header->source.empty()) peer_ = header->source;
        co_return true;
      }
      stream_.set_low_water(static_cast<int>(seen.count) + 1);
    }
    if (!co_await wait(Socket::wait_read)) co_return false;
  }
}

io::Task<bool> Connection::shake_hands() {
  const auto tls = core_.server.tls_now();
  if (const auto started = stream_.start_tls(*tls); !started) {
    core_.server.log.error("http.tls_failed", {f("peer", peer_), f("err", started.error().cause)});
    co_return false;
  }
  for (;;) {
    const Stream::Moved moved = stream_.try_handshake();
    switch (moved.outcome) {
      case Stream::Outcome::moved:
        ++(stream_.tls()->is_resumed() ? core_.server.tls_resumed : core_.server.tls_full);
        co_return true;
      case Stream::Outcome::would_block: break;
      case Stream::Outcome::plain_http:
        ++core_.server.tls_failed;
        // Somebody forgot the s. The bytes of the request are gone with the handshake; the answer helps all the same.
        co_await reject(Error(Errc::request_malformed, "this port speaks HTTPS: use https://"));
        co_return false;
      case Stream::Outcome::failed:
        ++core_.server.tls_failed;
        core_.server.log.debug("http.handshake_failed", {f("peer", peer_), f("err", stream_.tls()->failure())});
        co_return false;
    }
    if (!co_await wait(moved.direction)) co_return false;
  }
}

}  // namespace berth::http
