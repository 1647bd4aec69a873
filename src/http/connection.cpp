#include "http/connection.h"

#include <boost/asio/post.hpp>

#include <exception>

namespace berth::http {

namespace {

// A peer on a fast network always has data for us: let the other connections of the core run after this much.
constexpr std::size_t kTurnBytes = 1024 * 1024;

HeadParser::Limits head_limits(const ServerLimits& limits) {
  return {limits.target_bytes_max, limits.head_bytes_max, limits.fields_max};
}

}  // namespace

Connection::Connection(CoreContext& core, Socket socket, const Protocol::endpoint& peer, ListenerTraits traits,
                       Admission admission)
    : core_(core),
      limits_(core.server.limits),
      clock_(core.server.clock),
      stream_(std::move(socket)),
      peer_(to_text(peer)),
      traits_(traits),
      admission_(admission),
      in_(core.server.limits.connection_buffer_bytes),
      parser_(head_limits(core.server.limits)),
      pace_(core.server.limits.io_timeout_ms, core.server.limits.progress_bytes_min) {
  stream_.configure();
}

/// The usual request comes whole and is answered from memory: it costs no coroutine but the handler's own.
io::Task<void> Connection::serve() {
  if (!co_await open()) {
    // Everything that could be said has been.
  } else if (admission_ == Admission::refused) {
    co_await reject(Error(Errc::unavailable, "too many connections"));
  } else {
    for (bool is_first = true;; is_first = false) {
      begin_head();
      if (!is_first && in_.empty()) {
        co_await let_others_run();
        take_arrived();
      }
      const Result<bool> is_whole = parse_head();
      if (!is_whole) {
        co_await reject(is_whole.error());
        break;
      }
      if (!*is_whole && !co_await read_head()) break;
      // One of the two places that catch everything: whatever a handler throws ends its connection, not the process.
      std::optional<std::string> thrown;
      try {
        co_await core_.server.handler(*this);
      } catch (const std::exception& error) {
        thrown = error.what();
      } catch (...) {
        thrown = "unknown exception";
      }
      if (thrown || !answered()) co_await answer_failure(std::move(thrown));
      if (!is_ready_for_next() && !co_await finish_exchange()) break;
    }
  }
  stream_.close();
}

void Connection::expire(std::int64_t mono_ms) {
  if (mono_ms < deadline_ms_) return;
  if (!is_expired_ && !is_idle_ && !is_leaving_) ++core_.server.timed_out;
  is_expired_ = true;
  stream_.cancel();
}

void Connection::stop_if_idle() {
  if (is_idle_) abort();
}

void Connection::abort() {
  is_aborted_ = true;
  stream_.shutdown();
  stream_.cancel();
}

void Connection::begin_head() {
  in_.compact();
  if (in_.capacity() > limits_.connection_buffer_bytes) in_.reallocate(limits_.connection_buffer_bytes);
  parser_.reset(head_limits(limits_));
  pace_ = Pace(limits_.io_timeout_ms, limits_.progress_bytes_min);
  status_ = 0;
  hard_deadline_ms_ = in_.empty() ? kNever : clock_.mono_ms() + limits_.head_timeout_ms;
}

/// Of a busy core's many connections: after a turn of the others the next request is usually there, and reading it
/// costs one call. Reading at once would find nothing, and cost that call, a notice of the kernel, and another call.
io::Task<void> Connection::let_others_run() {
  return asio::post(stream_.socket().get_executor(), asio::use_awaitable_t<io::Executor>{});
}

/// Takes what is there, without waiting. The end of the stream and errors are met again by who waits.
void Connection::take_arrived() {
  if (is_aborted_ || core_.stopping) return;
  const std::span<std::byte> room = in_.room();
  const Stream::Moved moved = stream_.try_receive(Slices::writable(room));
  if (moved.outcome != Stream::Outcome::moved || moved.count == 0) return;
  hard_deadline_ms_ = clock_.mono_ms() + limits_.head_timeout_ms;
  in_.commit(moved.count);
}

/// True with request_ filled, false if more bytes are needed.
Result<bool> Connection::parse_head() {
  // A client may leave one empty line between two requests (RFC 9112 §2.2).
  if (in_.unread().starts_with("\r\n")) in_.consume(2);
  if (in_.empty()) return false;
  BERTH_TRY(const std::size_t head_bytes, parser_.feed(in_.unread(), request_));
  if (head_bytes == 0) return false;
  begin_exchange(head_bytes);
  return true;
}

/// True with request_ filled; false if there is none to come, everything that had to be said having been said.
io::Task<bool> Connection::read_head() {
  for (;;) {
    if (!co_await receive_head()) co_return false;
    const Result<bool> is_whole = parse_head();
    if (!is_whole) {
      co_await reject(is_whole.error());
      co_return false;
    }
    if (*is_whole) co_return true;
  }
}

/// Waits for more bytes of a head. False: the peer left, took too long (408 has been sent if it had begun), or we stop.
io::Task<bool> Connection::receive_head() {
  is_idle_ = in_.empty();
  if (is_aborted_ || (is_idle_ && core_.stopping)) co_return false;
  if (!make_room_for_head()) co_return false;
  deadline_ms_ = is_idle_ ? clock_.mono_ms() + limits_.idle_timeout_ms : hard_deadline_ms_;
  const std::span<std::byte> room = in_.room();
  boost::system::error_code error;
  std::size_t count = 0;
  if (stream_.is_encrypted()) {
    std::tie(error, count) = co_await receive_encrypted(room);
  } else {
    std::tie(error, count) = co_await stream_.socket().async_read_some(asio::buffer(room.data(), room.size()), kAwait);
  }
  deadline_ms_ = kNever;
  const bool was_idle = std::exchange(is_idle_, false);
  const bool is_late = std::exchange(is_expired_, false) && error;
  if (is_aborted_) co_return false;
  if (is_late && !was_idle) co_await reject(Error(Errc::timeout, "the request header took too long"));
  if (error) co_return false;
  if (was_idle) hard_deadline_ms_ = clock_.mono_ms() + limits_.head_timeout_ms;
  in_.commit(count);
  co_return true;
}

/// As async_read_some of a plain socket: what has been decrypted already comes first.
io::Task<std::tuple<boost::system::error_code, std::size_t>> Connection::receive_encrypted(std::span<std::byte> room) {
  for (;;) {
    const Stream::Moved moved = stream_.try_receive(Slices::writable(room));
    if (moved.outcome == Stream::Outcome::moved && moved.count > 0)
      co_return std::tuple(boost::system::error_code(), moved.count);
    if (moved.outcome != Stream::Outcome::would_block)
      co_return std::tuple(asio::error::make_error_code(asio::error::eof), 0);
    const auto [error] = co_await stream_.socket().async_wait(moved.direction, kAwait);
    if (error) co_return std::tuple(error, 0);
  }
}

bool Connection::make_room_for_head() {
  if (!in_.room().empty()) return true;
  in_.compact();
  if (!in_.room().empty()) return true;
  if (in_.capacity() > parser_.bytes_max()) return false;  // cannot be: the parser has refused before
  in_.reallocate(std::min(in_.capacity() * 2, parser_.bytes_max() + 1));
  return true;
}

void Connection::begin_exchange(std::size_t head_bytes) {
  in_.consume(head_bytes);
  traffic_ = {.received_bytes = head_bytes};
  hard_deadline_ms_ = kNever;
  pace_.reset();
  stays_open_ = false;
  is_expectation_pending_ = request_.expect_continue && request_.has_body();
  sized_left_ = request_.content_length.value_or(0);
  chunks_ = ChunkedDecoder();
  body_state_ = request_.chunked ? BodyState::chunked : sized_left_ > 0 ? BodyState::sized : BodyState::none;
}

/// After a handler that threw, or came back without an answer.
io::Task<void> Connection::answer_failure(std::optional<std::string> thrown) {
  if (thrown) {
    must_close_ = true;
    core_.server.log.error("http.handler_threw", {f("peer", peer_), f("err", *thrown)});
  }
  if (answered() || is_aborted_) co_return;
  if (!thrown && !must_close_) core_.server.log.error("http.not_answered", {f("peer", peer_)});
  auto [head, body] = core_.server.on_error(Error(Errc::internal));
  static_cast<void>(co_await send(std::move(head), std::move(body)));
}

/// Answers what never became an exchange, and ends the connection.
io::Task<void> Connection::reject(Error error) {
  if (error.code == Errc::request_malformed || error.code == Errc::request_too_large) ++core_.server.malformed;
  request_ = Request();  // whatever was half parsed does not shape the answer, but a HEAD has none (H4)
  if (in_.unread().starts_with("HEAD ")) request_.method = Method::head;
  request_.keep_alive = false;
  body_state_ = BodyState::none;
  is_expectation_pending_ = false;
  must_close_ = true;
  hard_deadline_ms_ = kNever;
  pace_.reset();
  core_.server.log.debug("http.rejected",
                         {f("peer", peer_), f("code", to_string(error.code)), f("err", error.message)});
  auto [head, body] = core_.server.on_error(error);
  const Result<void> sent = co_await send(std::move(head), std::move(body));
  if (sent) co_await drain_peer();
}

bool Connection::is_ready_for_next() const {
  return !must_close_ && stays_open_ && body_state_ == BodyState::none && !chunk_in_ &&
         out_.capacity() <= limits_.connection_buffer_bytes * 4;
}

/// After the answer: false if the connection ends. What the handler left unread is read away first, within limits, so
/// that the peer gets to see the answer instead of a reset (H7).
io::Task<bool> Connection::finish_exchange() {
  if (out_.capacity() > limits_.connection_buffer_bytes * 4) out_ = std::string();
  const bool is_body_open = body_state_ == BodyState::sized || body_state_ == BodyState::chunked;
  if (!must_close_ && stays_open_) {
    if (is_body_open && !co_await drain_body()) {
      // Longer than anybody could know before: the end is announced by the stream, not by a reset.
      if (body_state_ == BodyState::chunked && !is_aborted_) co_await drain_peer();
      co_return false;
    }
    if (chunk_in_) {  // what came behind the last chunk is the next request
      in_.consume(in_.unread().size());
      in_.compact();
      in_.append(chunk_in_->unread());
      chunk_in_.reset();
    }
    co_return true;
  }
  if (answered() && !is_aborted_ && (is_body_open || body_state_ == BodyState::broken)) co_await drain_peer();
  co_return false;
}

/// Reads the rest of the body and throws it away; false if it is too long, too slow or broken.
io::Task<bool> Connection::drain_body() {
  hard_deadline_ms_ = clock_.mono_ms() + limits_.drain_timeout_ms;
  std::uint64_t drained = 0;
  while (drained <= limits_.drain_bytes_max) {
    const Result<std::size_t> count = co_await read(core_.waste);
    if (!count) co_return false;
    if (*count == 0) {
      hard_deadline_ms_ = kNever;
      co_return true;
    }
    drained += *count;
  }
  co_return false;
}

/// Says goodbye and reads until the peer does the same, within the limits of H7. The connection's last act.
io::Task<void> Connection::drain_peer() {
  is_leaving_ = true;
  drop_buffers();
  stream_.shutdown_send();
  hard_deadline_ms_ = clock_.mono_ms() + limits_.drain_timeout_ms;
  std::uint64_t drained = 0;
  while (drained <= limits_.drain_bytes_max) {
    const Result<std::size_t> count = co_await receive(Slices::writable(core_.waste));
    if (!count || *count == 0) co_return;
    drained += *count;
  }
  // It sends and sends. Closing now would meet its next bytes with a reset, which may overtake our answer: no more is
  // read, which stops it, and the connection stays until it goes or the time is up.
  static_cast<void>(co_await wait(Socket::wait_error));
}

/// Peers that are let go may stay for seconds, and come in thousands: heads that were refused for their size go at
/// once.
void Connection::drop_buffers() {
  request_ = Request();
  in_ = InputBuffer(0);
  chunk_in_.reset();
  out_ = std::string();
}

/// Until the socket is ready in that direction. Errors: timeout, disconnected.
io::Task<Result<void>> Connection::wait(Socket::wait_type direction) {
  if (is_aborted_) co_return fail(Errc::disconnected);
  moved_since_pause_bytes_ = 0;
  const std::int64_t start_ms = clock_.mono_ms();
  deadline_ms_ = std::min(start_ms + pace_.left_ms(), hard_deadline_ms_);
  const auto [error] = co_await stream_.socket().async_wait(direction, kAwait);
  deadline_ms_ = kNever;
  pace_.waited(clock_.mono_ms() - start_ms);
  if (is_aborted_) co_return fail(Errc::disconnected, {}, "the server stops");
  if (std::exchange(is_expired_, false) && error) co_return fail(Errc::timeout, "the transfer stands still");
  if (error) co_return fail(Errc::disconnected, {}, error.message());
  co_return Result<void>();
}

/// Called after each move of bytes that did not have to wait.
io::Task<void> Connection::give_way(std::size_t moved_bytes) {
  moved_since_pause_bytes_ += moved_bytes;
  if (moved_since_pause_bytes_ < kTurnBytes) co_return;
  moved_since_pause_bytes_ = 0;
  co_await asio::post(stream_.socket().get_executor(), asio::use_awaitable_t<io::Executor>{});
}

}  // namespace berth::http
