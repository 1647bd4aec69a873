// Answers. Head and small bodies leave in one system call. Stored bytes go by sendfile in windows, each brought into
// memory first by whoever owns the bytes, so that the core never waits for the disk; small slices that are in memory
// already are copied behind the head, which is cheaper than a call of their own.

#include "http/connection.h"

#include <sys/uio.h>

#include <algorithm>

namespace berth::http {

namespace {

constexpr std::size_t kWindowBytes = 1024 * 1024;    // sendfile: one residency check, one turn of the core
constexpr std::size_t kCopyBytes = 256 * 1024;       // per read of a source without descriptor
constexpr std::size_t kSmallSliceBytes = 32 * 1024;  // below: copied, not sent by sendfile
constexpr std::size_t kOutBytesMax = 128 * 1024;     // collected before a call is made

std::unexpected<Error> peer_is_gone() { return fail(Errc::disconnected, "the connection is closed"); }

/// Fills `out` if that needs no disk; false otherwise.
bool read_cached(int file, std::uint64_t offset, std::span<char> out) {
  if (file < 0) return false;
  ::iovec part{out.data(), out.size()};
  return ::preadv2(file, &part, 1, static_cast<::off_t>(offset), RWF_NOWAIT) == static_cast<::ssize_t>(out.size());
}

/// Whether the byte at `offset` is in the page cache: then a read of it does not wait for the disk.
bool is_cached(int file, std::uint64_t offset) {
  char byte = 0;
  ::iovec part{&byte, 1};
  return ::preadv2(file, &part, 1, static_cast<::off_t>(offset), RWF_NOWAIT) == 1;
}

}  // namespace

Result<bool> Connection::begin_send(const Response& head, std::string_view body) {
  BERTH_TRYV(begin_answer(head, body.size()));
  unsent_ = Slices::readable(out_, is_body_sent(head) ? body : std::string_view());
  return send_at_once();
}

io::Task<Result<void>> Connection::finish_send() {
  Result<void> sent = co_await transmit(unsent_, More::no);
  if (!sent) must_close_ = true;
  co_return sent;
}

io::Task<Result<void>> Connection::send(Response head, std::string body) {
  BERTH_CO_TRY(const bool is_sent, begin_send(head, body));
  if (!is_sent) co_return co_await finish_send();
  co_return Result<void>();
}

io::Task<Result<void>> Connection::send(Response head, std::shared_ptr<const std::string> body) {
  BERTH_CO_TRY(const bool is_sent, begin_send(head, *body));
  if (!is_sent) co_return co_await finish_send();
  co_return Result<void>();
}

io::Task<Result<void>> Connection::send_head(Response head, std::uint64_t content_length) {
  BERTH_CO_TRYV(begin_answer(head, content_length));
  if (is_body_sent(head) && content_length > 0) must_close_ = true;  // nothing will follow what was promised
  unsent_ = Slices::readable(out_);
  BERTH_CO_TRY(const bool is_sent, send_at_once());
  if (!is_sent) co_return co_await finish_send();
  co_return Result<void>();
}

io::Task<Result<void>> Connection::send(Response head, io::RandomSource& source, std::vector<BodyPart> parts) {
  std::uint64_t length = 0;
  for (const BodyPart& part : parts) length += part.text.size() + part.length_bytes;
  BERTH_CO_TRYV(begin_answer(head, length));
  if (!is_body_sent(head)) parts.clear();
  // The usual case without a coroutine a layer: one small slice that is in memory.
  const bool is_small = parts.size() == 1 && parts[0].text.empty() && source.descriptor() >= 0 &&
                        append_cached(source.descriptor(), parts[0]);
  if (is_small) {
    unsent_ = Slices::readable(out_);
    BERTH_CO_TRY(const bool is_sent, send_at_once());
    if (!is_sent) co_return co_await finish_send();
    co_return Result<void>();
  }
  Result<void> sent = co_await send_parts(source, std::move(parts));
  if (!sent) must_close_ = true;  // part of the promised length is missing
  co_return sent;
}

/// Serialises the head to out_ and decides what becomes of the connection.
Result<void> Connection::begin_answer(const Response& head, std::optional<std::uint64_t> content_length) {
  if (answered()) return fail(Errc::internal, {}, "the exchange was answered twice");
  if (is_aborted_) return fail(Errc::disconnected, {}, "the server stops");
  status_ = head.status;
  stays_open_ = can_stay_open();
  pace_.reset();

  HeadFrame frame{.date = core_.date.at(clock_.now_ms()), .content_length = content_length};
  if (!stays_open_) {
    frame.connection = HeadFrame::Connection::close;
  } else if (request_.version_minor == 0) {
    frame.connection = HeadFrame::Connection::keep_alive;
  }
  out_.clear();
  append_head(out_, head, frame);
  if (head.left_out_count > 0) {
    core_.server.log.error("http.field_dropped",
                           {f("peer", peer_), f("status", head.status), f("count", head.left_out_count)});
  }
  return {};
}

/// A body that nobody has asked for yet (100-continue), or is too long to be read away, ends the connection (H7).
bool Connection::can_stay_open() const {
  if (must_close_ || core_.stopping || !request_.keep_alive) return false;
  if (!is_body_left()) return true;
  return !is_expectation_pending_ && (body_state_ == BodyState::chunked || sized_left_ <= limits_.drain_bytes_max);
}

bool Connection::is_body_sent(const Response& head) const {
  return request_.method != Method::head && !is_bodyless(head.status);
}

/// A peer that does not take what we send is as good as gone: to the handler both are `disconnected`.
io::Task<Result<void>> Connection::wait_to_send(Socket::wait_type direction) {
  Result<void> ready = co_await wait(direction);
  if (!ready) co_return fail(Errc::disconnected, ready.error().message, ready.error().cause);
  co_return ready;
}

/// As much of `slices` as the peer takes at once; drops it from their front. What to wait for before the rest.
Result<Socket::wait_type> Connection::try_transmit(Slices& slices, More more) {
  while (slices.size() > 0) {
    if (is_aborted_) return peer_is_gone();
    const Stream::Moved moved = stream_.try_send(slices, more);
    if (moved.outcome == Stream::Outcome::would_block) return moved.direction;
    if (moved.outcome != Stream::Outcome::moved) return peer_is_gone();
    slices.advance(moved.count);
    pace_.moved(moved.count);
    traffic_.sent_bytes += moved.count;
  }
  return Socket::wait_write;
}

/// Most answers leave whole, and then cost no coroutine: true. Else finish_send() sends the rest.
Result<bool> Connection::send_at_once() {
  if (const auto tried = try_transmit(unsent_, More::no); !tried) {
    must_close_ = true;  // part of the promised length is missing
    return fail(Error(tried.error()));
  }
  return unsent_.size() == 0;
}

io::Task<Result<void>> Connection::transmit(Slices slices, More more) {
  for (;;) {
    BERTH_CO_TRY(const Socket::wait_type direction, try_transmit(slices, more));
    if (slices.size() == 0) co_return Result<void>();
    BERTH_CO_TRYV(co_await wait_to_send(direction));
  }
}

io::Task<Result<void>> Connection::flush_out(More more) {
  Result<void> sent = co_await transmit(Slices::readable(out_), more);
  out_.clear();
  co_return sent;
}

io::Task<Result<void>> Connection::send_parts(io::RandomSource& source, std::vector<BodyPart> parts) {
  for (BodyPart& part : parts) {
    out_ += part.text;
    if (part.length_bytes > 0) BERTH_CO_TRYV(co_await send_slice(source, std::move(part)));
    if (out_.size() > kOutBytesMax) BERTH_CO_TRYV(co_await flush_out(More::yes));
  }
  co_return co_await flush_out(More::no);
}

io::Task<Result<void>> Connection::send_slice(io::RandomSource& source, BodyPart part) {
  const int file = source.descriptor();
  if (file < 0) co_return co_await send_copied(source, std::move(part));
  if (append_cached(file, part)) co_return Result<void>();
  if (stream_.is_encrypted()) co_return co_await send_copied(source, std::move(part));
  BERTH_CO_TRYV(co_await flush_out(More::yes));
  co_return co_await send_file(source, std::move(part));
}

/// Copies a small slice behind out_ if that needs no disk; false without effect otherwise.
bool Connection::append_cached(int file, const BodyPart& part) {
  if (part.length_bytes > kSmallSliceBytes) return false;
  const auto length = static_cast<std::size_t>(part.length_bytes);
  const std::size_t before = out_.size();
  bool is_whole = false;
  // The size handed to the callback is not used: libstdc++ 12 passes the grown capacity, not what was asked for.
  out_.resize_and_overwrite(before + length, [&](char* data, std::size_t) {
    ::iovec buffer{data + before, length};
    const ::ssize_t count = ::preadv2(file, &buffer, 1, static_cast<::off_t>(part.offset_bytes), RWF_NOWAIT);
    is_whole = count >= 0 && static_cast<std::size_t>(count) == length;
    return is_whole ? before + length : before;
  });
  return is_whole;
}

io::Task<Result<void>> Connection::send_file(io::RandomSource& source, BodyPart part) {
  const int file = source.descriptor();
  std::uint64_t offset = part.offset_bytes;
  const std::uint64_t end = part.offset_bytes + part.length_bytes;
  std::uint64_t window_end = offset;
  while (offset < end) {
    if (is_aborted_) co_return peer_is_gone();
    if (offset == window_end) {
      window_end += std::min<std::uint64_t>(kWindowBytes, end - offset);
      if (!is_cached(file, window_end - 1)) BERTH_CO_TRYV(co_await source.prefetch(offset, window_end - offset));
    }
    const Stream::Moved moved = stream_.try_send_file(file, offset, static_cast<std::size_t>(window_end - offset));
    if (moved.outcome == Stream::Outcome::failed) co_return peer_is_gone();
    if (moved.outcome == Stream::Outcome::would_block) {
      BERTH_CO_TRYV(co_await wait_to_send(moved.direction));
      continue;
    }
    if (moved.count == 0) co_return fail(Errc::corrupt, {}, "a stored file is shorter than its recorded size");
    offset += moved.count;
    pace_.moved(moved.count);
    traffic_.sent_bytes += moved.count;
    co_await give_way(moved.count);
  }
  co_return Result<void>();
}

io::Task<Result<void>> Connection::send_copied(io::RandomSource& source, BodyPart part) {
  std::string buffer;
  std::uint64_t offset = part.offset_bytes;
  std::uint64_t left = part.length_bytes;
  while (left > 0) {
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyBytes, left)));
    if (!read_cached(source.descriptor(), offset, buffer))
      BERTH_CO_TRYV(co_await source.read_at(offset, std::as_writable_bytes(std::span(buffer))));
    BERTH_CO_TRYV(co_await transmit(Slices::readable(out_, buffer), More::no));
    out_.clear();
    offset += buffer.size();
    left -= buffer.size();
    co_await give_way(buffer.size());
  }
  co_return Result<void>();
}

}  // namespace berth::http
