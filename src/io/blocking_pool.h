#pragma once
// Threads for what blocks: file I/O, database reads that may reach the disk, hashing of large buffers. Nothing of that
// kind may run on an I/O thread.

#include "base/result.h"
#include "io/suspend.h"
#include "io/task.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace berth::io {

class BlockingPool {
 public:
  using Job = std::move_only_function<void()>;

  /// threads ≥ 1; queue_max bounds the jobs that wait, beyond it post() refuses.
  BlockingPool(std::string name, unsigned threads, std::size_t queue_max);
  ~BlockingPool();  // stop()
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// False if the queue is full or the pool is stopping; the job was then dropped without running. Thread-safe.
  bool post(Job job);
  /// Jobs that wait for a thread.
  std::size_t queue_depth() const;
  /// Refuses new jobs, runs those queued, joins. Idempotent.
  void stop();

 private:
  void work();

  std::string name_;
  std::size_t queue_max_;
  mutable std::mutex mutex_;  // guards: queue_, stopping_
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

/// Runs fn() on the pool and continues on the home core with its result. fn returns a Result<T>; a full queue is
/// Errc::unavailable. fn must own or outlive everything it touches: it runs even if the client is gone.
template <class F>
Task<std::invoke_result_t<F&>> offload(BlockingPool& pool, F fn) {
  using R = std::invoke_result_t<F&>;
  co_return co_await suspend<R>([&pool, &fn](std::move_only_function<void(R)> done) {
    // The callback is shared between the job and the refusal path: exactly one of them calls it.
    auto shared = std::make_shared<std::move_only_function<void(R)>>(std::move(done));
    if (!pool.post([shared, fn = std::move(fn)]() mutable { (*shared)(fn()); })) {
      (*shared)(R(fail(Errc::unavailable, "the server is busy; try again")));
    }
  });
}

}  // namespace berth::io
