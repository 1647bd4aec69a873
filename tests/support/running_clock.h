#pragma once
// A manual clock that runs by itself, a hundred times as fast as the real one: for tests in which something has to give
// up after a while and nobody is free to move the clock meanwhile.

#include "base/clock.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace berth::test {

class RunningClock {
 public:
  explicit RunningClock(ManualClock& clock)
      : thread_([&clock](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any stopped;
          std::unique_lock lock(mutex);
          while (!stopped.wait_for(lock, stop, std::chrono::milliseconds(1), [&] { return stop.stop_requested(); })) {
            clock.advance_ms(100);
          }
        }) {}
  RunningClock(const RunningClock&) = delete;
  RunningClock& operator=(const RunningClock&) = delete;

 private:
  std::jthread thread_;
};

}  // namespace berth::test
