#pragma once
// Time as a parameter: nothing outside this file's .cpp asks the system what time it is.

#include <atomic>
#include <cstdint>

namespace berth {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, milliseconds since 1970 UTC. For records and due times; may jump.
  virtual std::int64_t now_ms() const = 0;
  /// Monotonic milliseconds. For deadlines and idle times; never jumps.
  virtual std::int64_t mono_ms() const = 0;
  /// The same in microseconds, as far as the clock tells them. For what is measured.
  virtual std::int64_t mono_us() const { return mono_ms() * 1000; }
};

class SystemClock final : public Clock {
 public:
  std::int64_t now_ms() const override;
  std::int64_t mono_ms() const override;
  std::int64_t mono_us() const override;
};

/// A clock the test moves. Both readings advance together; the wall clock can also be set alone (clock jumps).
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t start_ms = 1'700'000'000'000) : wall_(start_ms) {}
  std::int64_t now_ms() const override { return wall_.load(); }
  std::int64_t mono_ms() const override { return mono_.load(); }
  void advance_ms(std::int64_t by) {
    wall_ += by;
    mono_ += by;
  }
  void set_wall_ms(std::int64_t at) { wall_ = at; }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> mono_{1'000};
};

}  // namespace berth
