#pragma once
// A value of a setting that may change while it is read: a reload writes it, requests read it, and neither waits.

#include <atomic>
#include <type_traits>

namespace berth {

/// Reads and writes are relaxed: a setting stands alone, nothing else is published with it.
template <class T>
class Live {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);

 public:
  // NOLINTNEXTLINE(google-explicit-constructor): stands for the value wherever one is given
  constexpr Live(T value) : value_(value) {}
  Live(const Live& other) : value_(other.get()) {}
  Live& operator=(const Live& other) {
    value_.store(other.get(), std::memory_order_relaxed);
    return *this;
  }
  Live& operator=(T value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }

  T get() const { return value_.load(std::memory_order_relaxed); }
  // NOLINTNEXTLINE(google-explicit-constructor): and wherever one is asked for
  operator T() const { return get(); }

 private:
  std::atomic<T> value_;
};

}  // namespace berth
