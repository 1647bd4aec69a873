#pragma once
// A background thread that does one thing every so often: placing files, expiring sessions, scrubbing. It blocks
// freely, because it is nobody's I/O thread, and is stopped and joined before what it uses goes away.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace berth::io {

class Periodic {
 public:
  /// Calls work() every interval_ms, first after one interval; never twice at once.
  Periodic(std::string name, std::int64_t interval_ms, std::function<void(Periodic&)> work);
  ~Periodic();  // stop()
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

  /// Runs work() once more as soon as possible. Thread-safe.
  void wake();
  /// Waits for the running call and joins. Idempotent.
  void stop();
  bool stopping();
  /// For work that paces itself: sleeps, false if stop() came meanwhile.
  bool pause_ms(std::int64_t duration_ms);

 private:
  void run();

  std::int64_t interval_ms_;
  std::function<void(Periodic&)> work_;
  std::mutex mutex_;  // guards: stopping_, woken_
  std::condition_variable signal_;
  bool stopping_ = false;
  bool woken_ = false;
  std::thread thread_;
};

}  // namespace berth::io
