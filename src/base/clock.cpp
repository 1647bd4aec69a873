#include "base/clock.h"

#include <chrono>

namespace berth {

namespace {
template <class C, class Unit = std::chrono::milliseconds>
std::int64_t read() {
  return std::chrono::duration_cast<Unit>(C::now().time_since_epoch()).count();
}
}  // namespace

std::int64_t SystemClock::now_ms() const { return read<std::chrono::system_clock>(); }
std::int64_t SystemClock::mono_ms() const { return read<std::chrono::steady_clock>(); }
std::int64_t SystemClock::mono_us() const { return read<std::chrono::steady_clock, std::chrono::microseconds>(); }

}  // namespace berth
