#pragma once
// BERTH_ASSERT(condition, "I3: …"): a broken invariant of our own ends the process, in release too. What the world does
// wrong is never asserted; it is an Error.

namespace berth {
[[noreturn]] void assert_failed(const char* condition, const char* what, const char* file, int line) noexcept;
}

#define BERTH_ASSERT(condition, what) \
  (static_cast<bool>(condition) ? void(0) : ::berth::assert_failed(#condition, what, __FILE__, __LINE__))
