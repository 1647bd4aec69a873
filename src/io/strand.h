#pragma once
// Jobs on a pool that must follow each other: one at a time, in the order they were posted.

#include "io/blocking_pool.h"

#include <deque>
#include <memory>
#include <mutex>

namespace berth::io {

/// Lives in a shared_ptr: the pool's job holds it until the last of its jobs has run.
class Strand : public std::enable_shared_from_this<Strand> {
 public:
  explicit Strand(BlockingPool& pool) : pool_(pool) {}

  /// False: the pool refused, the job was dropped, and nothing of the strand is waiting or running. Thread-safe.
  bool post(BlockingPool::Job job) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    if (is_running_) return true;
    is_running_ = pool_.post([self = shared_from_this()] { self->run(); });
    if (!is_running_) queue_.clear();
    return is_running_;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!queue_.empty()) {
      BlockingPool::Job job = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      job();
      job = nullptr;  // what it owns dies outside the lock
      lock.lock();
    }
    is_running_ = false;
  }

  BlockingPool& pool_;
  std::mutex mutex_;  // guards: queue_, is_running_
  std::deque<BlockingPool::Job> queue_;
  bool is_running_ = false;
};

}  // namespace berth::io
