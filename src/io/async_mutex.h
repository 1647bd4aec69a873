#pragma once
// A lock that coroutines of any core may hold across co_await: a waiter is a suspended coroutine, not a blocked thread.
// First come, first served.

#include "io/suspend.h"

#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace berth::io {

class AsyncMutex {
 public:
  class Guard {
   public:
    Guard() = default;
    explicit Guard(AsyncMutex* owner) : owner_(owner) {}
    Guard(Guard&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Guard& operator=(Guard&& other) noexcept {
      if (this != &other) {
        release();
        owner_ = std::exchange(other.owner_, nullptr);
      }
      return *this;
    }
    ~Guard() { release(); }
    void release() {
      if (owner_ != nullptr) std::exchange(owner_, nullptr)->unlock();
    }

   private:
    AsyncMutex* owner_ = nullptr;
  };

  /// The guard keeps a plain pointer: whoever locks keeps the mutex alive.
  Task<Guard> lock() {
    co_return co_await suspend<Guard>([this](std::move_only_function<void(Guard)> done) {
      std::unique_lock lock(mutex_);
      if (held_) {
        waiters_.push_back(std::move(done));
        return;
      }
      held_ = true;
      lock.unlock();
      done(Guard(this));
    });
  }

  /// The lock if it is free this moment, for housekeeping that must not wait.
  bool try_lock(Guard& out) {
    const std::lock_guard lock(mutex_);
    if (held_) return false;
    held_ = true;
    out = Guard(this);
    return true;
  }

 private:
  void unlock() {
    std::unique_lock lock(mutex_);
    if (waiters_.empty()) {
      held_ = false;
      return;
    }
    auto next = std::move(waiters_.front());
    waiters_.pop_front();
    lock.unlock();
    next(Guard(this));
  }

  std::mutex mutex_;  // guards: held_, waiters_
  bool held_ = false;
  std::deque<std::move_only_function<void(Guard)>> waiters_;
};

}  // namespace berth::io
