#pragma once
// One connection: reads heads, hands each request to the handler as an Exchange, sends the answers, decides whether to
// stay open. A single coroutine, serve(), does it all on the connection's core; nothing here is thread-safe.
//
// Waiting for the peer always goes through wait() or receive_head(), which set deadline_ms_ for the time of the wait;
// the core's tick calls expire() once it has passed. There is no timer per operation.
//
// connection_start.cpp: before the first request;  connection.cpp: life cycle;  connection_body.cpp: request bodies in;
// connection_send.cpp: answers out.

#include "http/chunked.h"
#include "http/exchange.h"
#include "http/flood_log.h"
#include "http/head_parser.h"
#include "http/input_buffer.h"
#include "http/listener.h"
#include "http/pace.h"
#include "http/response_writer.h"
#include "http/server.h"
#include "http/stream.h"

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace berth::http {

/// What all connections of a server share.
struct ServerContext {
  const Clock& clock;
  const Log& log;
  const ServerLimits& limits;
  Handler handler;
  ErrorResponder on_error;
  std::atomic<std::size_t> connection_count = 0;
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::uint64_t> timed_out = 0;
  std::atomic<std::uint64_t> malformed = 0;
  std::atomic<std::uint64_t> tls_full = 0;
  std::atomic<std::uint64_t> tls_resumed = 0;
  std::atomic<std::uint64_t> tls_failed = 0;
  std::atomic<std::uint64_t> accept_failed = 0;
  std::atomic<std::uint64_t> proxy_invalid = 0;
  FloodLog floods;

  Server::Counts counts() const;
  void write(const std::vector<FloodLog::Line>& lines) const;

  std::shared_ptr<const crypto::TlsContext> tls_now() const {
    const std::lock_guard lock(tls_mutex);
    return tls;
  }
  void set_tls(std::shared_ptr<const crypto::TlsContext> next) {
    const std::lock_guard lock(tls_mutex);
    tls = std::move(next);
  }

  mutable std::mutex tls_mutex;  // guards: tls
  // shared: sessions outlive a reload.
  std::shared_ptr<const crypto::TlsContext> tls;
};

/// What the connections of one core share; touched by that core only.
struct CoreContext {
  ServerContext& server;
  DateCache date;
  /// Where bytes go that are read only to be thrown away: one for all, since nobody looks at it.
  std::array<std::byte, 16 * 1024> waste{};
  bool stopping = false;
};

class Connection final : public Exchange {
 public:
  enum class Admission : std::uint8_t {
    served,
    refused,  // one connection too many: gets the answer for `unavailable` and is closed
  };

  Connection(CoreContext& core, Socket socket, const Protocol::endpoint& peer, ListenerTraits traits,
             Admission admission);

  /// The whole life of the connection. Runs once.
  io::Task<void> serve();

  // For the core, between the steps of serve().
  /// Called on every tick: ends a wait that has lasted too long.
  void expire(std::int64_t mono_ms);
  /// The server stops: ends the connection if it is between two requests.
  void stop_if_idle();
  /// Ends it whatever it does. A handler in the middle of something else learns at its next read or send.
  void abort();
  Admission admission() const { return admission_; }

  // Exchange
  const Request& request() const override { return request_; }
  std::string_view peer() const override { return peer_; }
  bool is_proxied() const override { return is_proxied_; }
  bool is_encrypted() const override { return stream_.is_encrypted(); }
  const crypto::ClientCertificate* client_certificate() const override {
    return stream_.tls() != nullptr ? stream_.tls()->client_certificate() : nullptr;
  }
  std::uint64_t length_hint() const override;
  io::Task<Result<std::size_t>> read(std::span<std::byte> out) override;
  Result<bool> begin_send(const Response& head, std::string_view body) override;
  io::Task<Result<void>> finish_send() override;
  io::Task<Result<void>> send(Response head, std::string body) override;
  io::Task<Result<void>> send(Response head, std::shared_ptr<const std::string> body) override;
  io::Task<Result<void>> send(Response head, io::RandomSource& source, std::vector<BodyPart> parts) override;
  io::Task<Result<void>> send_head(Response head, std::uint64_t content_length) override;
  bool answered() const override { return status_ != 0; }
  int status() const override { return status_; }
  Traffic traffic() const override { return traffic_; }

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  enum class BodyState : std::uint8_t {
    none,   // no body, or all of it has been read
    sized,  // sized_left_ bytes to come
    chunked,
    broken,  // it failed; body_error_ says how
  };
  enum class Linger : std::uint8_t { no, yes };

  // connection_start.cpp
  io::Task<bool> open();
  io::Task<bool> read_proxy_header();
  io::Task<bool> shake_hands();

  // connection.cpp
  void begin_head();
  io::Task<void> let_others_run();
  void take_arrived();
  Result<bool> parse_head();
  io::Task<bool> read_head();
  io::Task<bool> receive_head();
  io::Task<std::tuple<boost::system::error_code, std::size_t>> receive_encrypted(std::span<std::byte> room);
  bool make_room_for_head();
  void begin_exchange(std::size_t head_bytes);
  io::Task<void> answer_failure(std::optional<std::string> thrown);
  io::Task<void> reject(Error error);
  bool is_ready_for_next() const;
  io::Task<bool> finish_exchange();
  io::Task<bool> drain_body();
  io::Task<void> drain_peer();
  void drop_buffers();
  io::Task<Result<void>> wait(Socket::wait_type direction);
  io::Task<void> give_way(std::size_t moved_bytes);

  // connection_body.cpp
  io::Task<Result<void>> answer_expectation();
  io::Task<Result<std::size_t>> read_sized(std::span<std::byte> out);
  io::Task<Result<std::size_t>> read_chunked(std::span<std::byte> out);
  Result<std::size_t> take_buffered_chunks(std::span<std::byte> out);
  Result<std::size_t> accept_chunk_data(std::size_t received, std::size_t direct_max);
  io::Task<Result<std::size_t>> receive(Slices slices);
  std::size_t copy_buffered(std::span<std::byte> out, std::uint64_t bytes_max);
  bool is_body_left() const { return body_state_ != BodyState::none; }

  // connection_send.cpp
  Result<void> begin_answer(const Response& head, std::optional<std::uint64_t> content_length);
  bool can_stay_open() const;
  bool is_body_sent(const Response& head) const;
  io::Task<Result<void>> wait_to_send(Socket::wait_type direction);
  Result<Socket::wait_type> try_transmit(Slices& slices, More more);
  Result<bool> send_at_once();
  io::Task<Result<void>> transmit(Slices slices, More more);
  io::Task<Result<void>> flush_out(More more);
  io::Task<Result<void>> send_parts(io::RandomSource& source, std::vector<BodyPart> parts);
  io::Task<Result<void>> send_slice(io::RandomSource& source, BodyPart part);
  io::Task<Result<void>> send_file(io::RandomSource& source, BodyPart part);
  io::Task<Result<void>> send_copied(io::RandomSource& source, BodyPart part);
  bool append_cached(int file, const BodyPart& part);

  CoreContext& core_;
  const ServerLimits& limits_;
  const Clock& clock_;
  Stream stream_;
  std::string peer_;
  bool is_proxied_ = false;
  ListenerTraits traits_;
  Admission admission_;

  InputBuffer in_;
  HeadParser parser_;
  Request request_;
  std::string out_;  // the head being sent; keeps its memory between exchanges
  Slices unsent_;    // of an answer that is on its way

  BodyState body_state_ = BodyState::none;
  bool is_expectation_pending_ = false;
  std::uint64_t sized_left_ = 0;
  ChunkedDecoder chunks_;
  std::unique_ptr<InputBuffer> chunk_in_;  // received and not yet decoded; in_ holds the head, which must stay
  Error body_error_;

  Traffic traffic_;          // of the exchange
  int status_ = 0;           // of the answer, once its head is on its way
  bool stays_open_ = false;  // what that head told the peer
  bool must_close_ = false;  // the stream's position is lost, or the handler failed

  Pace pace_;
  std::int64_t deadline_ms_ = kNever;       // of the wait in flight
  std::int64_t hard_deadline_ms_ = kNever;  // of the phase (head, drain), whatever moves
  bool is_idle_ = false;                    // waiting for the first byte of a request
  bool is_leaving_ = false;                 // has its last answer; whether it takes leave is all the same
  bool is_expired_ = false;
  bool is_aborted_ = false;
  std::size_t moved_since_pause_bytes_ = 0;
};

}  // namespace berth::http
