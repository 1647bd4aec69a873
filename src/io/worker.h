#pragma once
// One named thread that does one thing until it is told to stop by whoever owns it. The owner's loop decides when to
// return; join() waits for that.

#include <functional>
#include <string>
#include <thread>

namespace berth::io {

class Worker {
 public:
  Worker() = default;
  ~Worker() { join(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start(const std::string& name, std::function<void()> loop);
  /// Idempotent; a worker that was never started joins at once.
  void join();

 private:
  std::thread thread_;
};

}  // namespace berth::io
