#pragma once
// The HTTP/1.1 server: listeners, connections, timeouts, limits. It knows nothing of registries. One acceptor and one
// set of connections per core (SO_REUSEPORT); a connection never changes core.

#include "base/clock.h"
#include "base/live.h"
#include "base/log.h"
#include "base/result.h"
#include "crypto/tls.h"
#include "http/exchange.h"
#include "http/listen_address.h"
#include "http/networks.h"
#include "io/runtime.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace berth::http {

struct ServerLimits {
  Live<std::size_t> target_bytes_max = 16 * 1024;  // G8: ≥ 8 KiB accepted; longer: 414
  Live<std::size_t> head_bytes_max = 64 * 1024;    // G8: ≥ 32 KiB of headers accepted; longer: 431
  Live<std::size_t> fields_max = 200;
  Live<std::size_t> connections_max = 20'000;          // over all cores; beyond: 503 with Retry-After, closed
  Live<std::int64_t> head_timeout_ms = 30'000;         // from the first byte of a request head to its end (S22)
  Live<std::int64_t> idle_timeout_ms = 120'000;        // keep-alive between requests
  Live<std::int64_t> io_timeout_ms = 60'000;           // a read or write of the body that makes no progress at all
  Live<std::uint64_t> progress_bytes_min = 16 * 1024;  // what counts as progress within io_timeout_ms (S22)
  Live<std::uint64_t> drain_bytes_max = 1024 * 1024;   // H7
  Live<std::int64_t> drain_timeout_ms = 2'000;         // H7
  Live<std::size_t> connection_buffer_bytes = 16 * 1024;
  Networks trusted_proxies;                     // whose PROXY header and X-Forwarded-For are believed
  Live<std::int64_t> tick_interval_ms = 1'000;  // how often timeouts are looked at, hence their precision
};

/// Must answer the exchange. Runs on the connection's core; whatever it throws becomes a 500 and the end of the
/// connection.
using Handler = std::function<io::Task<void>(Exchange&)>;
/// Turns a failure the server itself found (malformed, 414, 431, 408, 503…) into a response. The same error bodies as
/// the rest of the API come from here.
using ErrorResponder = std::function<std::pair<Response, std::string>(const Error&)>;

class Server {
 public:
  struct Deps {
    io::Runtime& runtime;
    const Clock& clock;
    const Log& log;
  };
  /// `limits` must outlive the server, and may change while it runs.
  Server(Deps deps, const ServerLimits& limits, Handler handler, ErrorResponder on_error);
  Server(Deps deps, const ServerLimits&& limits, Handler handler, ErrorResponder on_error) = delete;
  ~Server();  // stop(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds one listener per core. May be called again for further addresses. The port, 0 where there is none.
  /// Errors: unavailable with a sentence (address in use, not permitted), parameter_invalid.
  Result<std::uint16_t> listen(const ListenAddress& address);
  /// Of the first TCP address.
  std::uint16_t port() const;
  /// What encrypted listeners use from now on; connections keep what they began with. Before the first of them listens,
  /// and again at any time, from any thread.
  void set_tls(std::shared_ptr<const crypto::TlsContext> tls);
  /// Stops accepting, lets running exchanges finish for at most drain_ms, then closes every connection. Blocks the
  /// caller (not an I/O thread) until all are gone.
  void stop(std::int64_t drain_ms);
  std::size_t connection_count() const;
  /// Since the start.
  struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t malformed = 0;  // requests that never became one
    std::uint64_t tls_full = 0;
    std::uint64_t tls_resumed = 0;
    std::uint64_t tls_failed = 0;
    std::uint64_t accept_failed = 0;  // for want of descriptors or memory
    std::uint64_t proxy_invalid = 0;
  };
  Counts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::http
