// Request bodies: from the socket straight into the caller's buffer, first what came along with the head. A chunked
// body is received into two buffers at once: the rest of the current chunk into the caller's, what follows (framing and
// the start of the next chunk) into chunk_in_, so that a chunk of docker's usual 32 KiB costs about one system call.

#include "http/connection.h"

#include <algorithm>

namespace berth::http {

std::uint64_t Connection::length_hint() const {
  return request_.chunked ? UINT64_MAX : request_.content_length.value_or(0);
}

io::Task<Result<std::size_t>> Connection::read(std::span<std::byte> out) {
  if (body_state_ == BodyState::none) co_return std::size_t{0};
  if (body_state_ == BodyState::broken) co_return fail(body_error_);
  Result<std::size_t> count = std::size_t{0};
  if (is_expectation_pending_) {
    if (Result<void> sent = co_await answer_expectation(); !sent) count = fail(sent.error());
  }
  if (count) {
    if (body_state_ == BodyState::chunked) {
      count = co_await read_chunked(out);
    } else {
      count = co_await read_sized(out);
    }
  }
  if (!count) {
    body_state_ = BodyState::broken;
    body_error_ = count.error();
    must_close_ = true;
  }
  co_return count;
}

/// 100 tells the peer to start sending; one that has already started needs no permission (RFC 9110 §10.1.1).
io::Task<Result<void>> Connection::answer_expectation() {
  is_expectation_pending_ = false;
  if (answered() || !in_.empty()) co_return Result<void>();
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  co_return co_await transmit(Slices::readable(kContinue), More::no);
}

std::size_t Connection::copy_buffered(std::span<std::byte> out, std::uint64_t bytes_max) {
  InputBuffer& from = chunk_in_ ? *chunk_in_ : in_;
  const std::size_t count = std::min(
      {out.size(), from.unread().size(), static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, SIZE_MAX))});
  std::memcpy(out.data(), from.unread().data(), count);
  from.consume(count);
  traffic_.received_bytes += count;
  return count;
}

io::Task<Result<std::size_t>> Connection::read_sized(std::span<std::byte> out) {
  std::size_t count = copy_buffered(out, sized_left_);
  if (count == 0) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), sized_left_));
    BERTH_CO_TRY(count, co_await receive(Slices::writable(out.first(want))));
    traffic_.received_bytes += count;
    if (count == 0) co_return fail(Errc::size_invalid, "the body ended before its declared length");
  }
  sized_left_ -= count;
  if (sized_left_ == 0) body_state_ = BodyState::none;
  co_return count;
}

io::Task<Result<std::size_t>> Connection::read_chunked(std::span<std::byte> out) {
  if (!chunk_in_) {
    chunk_in_ = std::make_unique<InputBuffer>(std::max(limits_.connection_buffer_bytes.get(), in_.unread().size()));
    chunk_in_->append(in_.unread());
    in_.consume(in_.unread().size());
  }
  for (;;) {
    BERTH_CO_TRY(std::size_t count, take_buffered_chunks(out));
    if (count > 0 || body_state_ == BodyState::none) co_return count;

    // Nothing is buffered: what comes next is the rest of a chunk, then framing.
    chunk_in_->compact();
    const auto direct_max = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), chunks_.data_left()));
    BERTH_CO_TRY(const std::size_t received,
                 co_await receive(Slices::writable(out.first(direct_max), chunk_in_->room())));
    if (received == 0) co_return fail(Errc::size_invalid, "the body ended in the middle of a chunk");
    BERTH_CO_TRY(count, accept_chunk_data(received, direct_max));
    if (count == 0) continue;
    BERTH_CO_TRY(const std::size_t further, take_buffered_chunks(out.subspan(count)));
    co_return count + further;
  }
}

/// Decodes what is buffered, as far as it goes and `out` has room. Sets body_state_ to none at the end of the body.
Result<std::size_t> Connection::take_buffered_chunks(std::span<std::byte> out) {
  std::size_t count = 0;
  while (!chunk_in_->empty()) {
    if (chunks_.data_left() > 0) {
      if (count == out.size()) break;
      const std::size_t copied = copy_buffered(out.subspan(count), chunks_.data_left());
      chunks_.take(copied);
      count += copied;
      continue;
    }
    BERTH_TRY(const std::size_t used, chunks_.feed(chunk_in_->unread()));
    chunk_in_->consume(used);
    if (chunks_.done()) {
      body_state_ = BodyState::none;
      break;
    }
  }
  return count;
}

/// `received` bytes came: up to `direct_max` of them are chunk data in the caller's buffer, the rest is in chunk_in_.
Result<std::size_t> Connection::accept_chunk_data(std::size_t received, std::size_t direct_max) {
  const std::size_t direct = std::min(received, direct_max);
  traffic_.received_bytes += direct;
  chunks_.take(direct);
  chunk_in_->commit(received - direct);
  return direct;
}

/// At least one byte, or 0 at the end of the stream. Errors: timeout, disconnected.
io::Task<Result<std::size_t>> Connection::receive(Slices slices) {
  for (;;) {
    if (is_aborted_) co_return fail(Errc::disconnected, {}, "the server stops");
    const Stream::Moved moved = stream_.try_receive(slices);
    switch (moved.outcome) {
      case Stream::Outcome::moved:
        pace_.moved(moved.count);
        co_await give_way(moved.count);
        co_return moved.count;
      case Stream::Outcome::would_block: BERTH_CO_TRYV(co_await wait(moved.direction)); break;
      case Stream::Outcome::plain_http:
      case Stream::Outcome::failed: co_return fail(Errc::disconnected, "the peer closed the connection");
    }
  }
}

}  // namespace berth::http
