#pragma once
// How patient we are with a peer while a body moves (S22): it may make us wait timeout_ms in all for every bytes_min
// bytes it moves. So a peer that stands still is cut off, and one that moves a byte now and then is too. Only our
// waiting for the peer counts, never the time the handler takes.

#include <cstdint>

namespace berth::http {

class Pace {
 public:
  Pace(std::int64_t timeout_ms, std::uint64_t bytes_min) : timeout_ms_(timeout_ms), bytes_min_(bytes_min) { reset(); }

  std::int64_t left_ms() const { return left_ms_; }
  void waited(std::int64_t duration_ms) { left_ms_ -= duration_ms; }
  void moved(std::uint64_t bytes) {
    window_bytes_ += bytes;
    if (window_bytes_ >= bytes_min_) reset();
  }
  void reset() {
    left_ms_ = timeout_ms_;
    window_bytes_ = 0;
  }

 private:
  std::int64_t timeout_ms_;
  std::uint64_t bytes_min_;
  std::int64_t left_ms_ = 0;
  std::uint64_t window_bytes_ = 0;
};

}  // namespace berth::http
