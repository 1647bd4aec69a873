#pragma once
// One thread, one epoll: coroutines that wait for a socket or for a moment.

#include "task.h"

#include <coroutine>
#include <cstdint>
#include <queue>
#include <vector>

namespace berth::load {

/// Nanoseconds of the monotonic clock.
std::uint64_t now_ns();

class Loop {
 public:
  /// Woken by anything that happens on its socket; an event that came before the wait is not lost.
  class Waiter {
   public:
    bool await_ready() noexcept { return std::exchange(pending_, false); }
    void await_suspend(std::coroutine_handle<> handle) noexcept { handle_ = handle; }
    void await_resume() const noexcept {}

   private:
    friend class Loop;
    std::coroutine_handle<> handle_;
    bool pending_ = false;
  };

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Edge-triggered, both directions, until the descriptor is closed.
  void watch(int fd, Waiter& waiter);

  auto wait_until(std::uint64_t when_ns) {
    struct Sleep {
      Loop& loop;
      std::uint64_t when;
      bool await_ready() const { return when <= now_ns(); }
      void await_suspend(std::coroutine_handle<> handle) { loop.timers_.push({when, handle}); }
      void await_resume() const noexcept {}
    };
    return Sleep{*this, when_ns};
  }

  /// Runs the task beside the others; run() lasts until all are done.
  void spawn(Task<> task);

  /// Returns the number of tasks still unfinished at the deadline: 0 is a good run.
  std::size_t run(std::uint64_t deadline_ns);

 private:
  struct Timer {
    std::uint64_t when;
    std::coroutine_handle<> handle;
    bool operator>(const Timer& other) const { return when > other.when; }
  };
  Spawned start(Task<> task);
  void fire_timers();
  bool wait_for_events(std::uint64_t deadline_ns);

  int epoll_ = -1;
  std::size_t active_ = 0;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

}  // namespace berth::load
