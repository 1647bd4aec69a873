#pragma once
// One io_context per core, each run by one thread. A connection belongs to one of them for life.

#include "io/task.h"

#include <boost/asio/executor_work_guard.hpp>

#include <memory>
#include <thread>
#include <vector>

namespace berth::io {

class Runtime {
 public:
  /// cores ≥ 1. Nothing runs before start().
  explicit Runtime(unsigned cores);
  ~Runtime();  // stop()
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  unsigned cores() const { return static_cast<unsigned>(contexts_.size()); }
  asio::io_context& context(unsigned core) { return *contexts_[core]; }
  void start();
  /// Lets the contexts run out of work and joins the threads: call it when every connection and timer is closed.
  void drain();
  /// Abandons what is left and joins.
  void stop();

 private:
  using Guard = asio::executor_work_guard<Executor>;
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<Guard> guards_;
  std::vector<std::thread> threads_;
};

}  // namespace berth::io
