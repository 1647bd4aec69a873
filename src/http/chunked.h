#pragma once
// The framing of a chunked body (RFC 9112 §7.1), incrementally and strictly. It never sees chunk data: the caller moves
// that itself, straight from the socket to where it is wanted, and tells how much it moved.

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::http {

class ChunkedDecoder {
 public:
  /// Consumes framing bytes from the front of `bytes` until data comes next, the body is over, or `bytes` runs out.
  /// Returns how many were consumed. Call it only while data_left() is 0 and the body is not done.
  /// Errors: size_invalid (anything but the exact grammar; extensions and trailers beyond their limits).
  Result<std::size_t> feed(std::string_view bytes);
  /// Bytes of the current chunk still to come.
  std::uint64_t data_left() const { return data_left_; }
  /// The caller moved `count` ≤ data_left() bytes of data.
  void take(std::uint64_t count);
  /// The last chunk and the trailers have been read.
  bool done() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t {
    size_start,  // the first digit of a size
    size,        // further digits, or the end of the size
    extension,   // ignored up to the end of the line
    size_lf,
    data,  // not ours
    data_cr,
    data_lf,
    trailer_start,  // first byte of a trailer line, or of the final empty line
    trailer,
    trailer_lf,
    final_lf,
    done,
  };

  Result<void> step(char c);
  Result<void> on_size(char c);
  void on_size_line_end();

  State state_ = State::size_start;
  std::uint64_t size_ = 0;
  unsigned digit_count_ = 0;
  std::uint64_t data_left_ = 0;
  std::uint64_t overhead_bytes_ = 0;  // framing beyond what a sensible sender needs
  std::size_t trailer_bytes_ = 0;
};

}  // namespace berth::http
