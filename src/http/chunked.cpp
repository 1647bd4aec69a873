#include "http/chunked.h"

#include "base/assert.h"
#include "http/chars.h"

#include <algorithm>

namespace berth::http {

namespace {

constexpr unsigned kSizeDigitsMax = 16;  // 64 bits
constexpr std::size_t kTrailerBytesMax = 8 * 1024;
// Framing is paid for by data: each chunk earns this many bytes plus twice its size. A body of one-byte chunks with
// long extensions would otherwise make us read gigabytes to receive megabytes.
constexpr std::uint64_t kOverheadPerChunk = 16;
constexpr std::uint64_t kOverheadBytesMax = 16 * 1024;

/// A body whose end cannot be known, as one that is cut short (M1).
std::unexpected<Error> malformed(const char* what) { return fail(Errc::size_invalid, what); }

}  // namespace

Result<std::size_t> ChunkedDecoder::feed(std::string_view bytes) {
  BERTH_ASSERT(data_left_ == 0 && state_ != State::done, "chunk data belongs to the caller");
  std::size_t used = 0;
  while (used < bytes.size() && state_ != State::data && state_ != State::done) {
    BERTH_TRYV(step(bytes[used]));
    ++used;
  }
  return used;
}

void ChunkedDecoder::take(std::uint64_t count) {
  BERTH_ASSERT(count <= data_left_, "a chunk holds what its size says");
  data_left_ -= count;
  if (data_left_ == 0 && state_ == State::data) state_ = State::data_cr;
}

Result<void> ChunkedDecoder::step(char c) {
  if (++overhead_bytes_ > kOverheadBytesMax) return malformed("too much chunk framing");
  switch (state_) {
    case State::size_start:
    case State::size: return on_size(c);
    case State::extension:
      if (c == '\r')
        state_ = State::size_lf;
      else if (!is_class(c, CharClass::field_byte))
        return malformed("control byte in a chunk extension");
      return {};
    case State::size_lf:
      if (c != '\n') return malformed("malformed end of a chunk size");
      on_size_line_end();
      return {};
    case State::data_cr:
      if (c != '\r') return malformed("chunk data longer than its size");
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return malformed("malformed end of a chunk");
      state_ = State::size_start;
      return {};
    case State::trailer_start:
      if (c == '\r')
        state_ = State::final_lf;
      else if (!is_class(c, CharClass::tchar))
        return malformed("malformed trailer");
      else
        state_ = State::trailer;
      return ++trailer_bytes_ > kTrailerBytesMax ? malformed("trailers too large") : Result<void>();
    case State::trailer:
      if (c == '\r')
        state_ = State::trailer_lf;
      else if (!is_class(c, CharClass::field_byte))
        return malformed("control byte in a trailer");
      return ++trailer_bytes_ > kTrailerBytesMax ? malformed("trailers too large") : Result<void>();
    case State::trailer_lf:
      if (c != '\n') return malformed("malformed end of a trailer");
      state_ = State::trailer_start;
      return {};
    case State::final_lf:
      if (c != '\n') return malformed("malformed end of a chunked body");
      state_ = State::done;
      return {};
    case State::data:
    case State::done: break;
  }
  return malformed("not chunk framing");
}

Result<void> ChunkedDecoder::on_size(char c) {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (state_ == State::size_start) size_ = digit_count_ = 0;
    if (++digit_count_ > kSizeDigitsMax) return malformed("chunk size out of range");
    size_ = size_ * 16 + static_cast<unsigned>(digit);
    state_ = State::size;
    return {};
  }
  if (state_ == State::size_start) return malformed("malformed chunk size");
  if (c == '\r')
    state_ = State::size_lf;
  else if (c == ';')
    state_ = State::extension;
  else
    return malformed("malformed chunk size");
  return {};
}

void ChunkedDecoder::on_size_line_end() {
  if (size_ == 0) {
    state_ = State::trailer_start;
    return;
  }
  data_left_ = size_;
  state_ = State::data;
  const std::uint64_t earned = kOverheadPerChunk + 2 * std::min(size_, kOverheadBytesMax);
  overhead_bytes_ -= std::min(overhead_bytes_, earned);
}

}  // namespace berth::http
