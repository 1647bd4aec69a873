#pragma once
// Bytes to a Request head, strictly (S23). Three steps: scan() finds the end of the head while it arrives and refuses
// bytes and lines that no HTTP/1.1 head has; the lines are then cut into names and values, which is little work once
// every byte of them is known to be clean; last, what the fields say about framing is applied, and every head that two
// readers could understand differently is refused.

#include "base/result.h"
#include "http/message.h"

#include <cstddef>
#include <string_view>

namespace berth::http {

class HeadParser {
 public:
  struct Limits {
    std::size_t target_bytes_max = 16 * 1024;
    std::size_t head_bytes_max = 64 * 1024;
    std::size_t fields_max = 200;
  };

  explicit HeadParser(Limits limits) : limits_(limits) {}

  /// `bytes` starts at the request line and holds at least what it held at the last call; the buffer may have moved.
  /// Returns the length of the head with `out` filled (views point into `bytes`), or 0 if more bytes are needed.
  /// Errors: request_malformed; request_too_large with number 414 (target) or 431 (fields).
  Result<std::size_t> feed(std::string_view bytes, Request& out);
  /// Ready for the next head.
  void reset(Limits limits) { *this = HeadParser(limits); }
  /// No head can be longer than this and still be accepted.
  std::size_t bytes_max() const;

 private:
  Result<std::size_t> scan(std::string_view bytes);
  Result<void> check_line(std::string_view line);
  Result<void> check_limits() const;

  Limits limits_;
  std::size_t position_ = 0;  // everything before it has been looked at
  std::size_t line_start_ = 0;
  std::size_t fields_start_ = 0;  // 0 while in the request line
  std::size_t field_count_ = 0;
};

}  // namespace berth::http
