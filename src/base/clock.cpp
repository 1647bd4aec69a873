#include "base/clock.h"

#include <chrono>

namespace berth {

namespace {
template <class C>
std::int64_t read_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(C::now().time_since_epoch()).count();
}
}  // namespace

std::int64_t SystemClock::now_ms() const { return read_ms<std::chrono::system_clock>(); }
std::int64_t SystemClock::mono_ms() const { return read_ms<std::chrono::steady_clock>(); }

}  // namespace berth
