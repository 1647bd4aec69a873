#pragma once
// Runs coroutines in a test: on an io_context of their own, pumped by the calling thread until they are done. What they
// start on pools comes back through the same context.

#include "io/task.h"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace berth::test {

namespace detail {

template <class T>
io::Task<void> keep(io::Task<T> task, std::optional<T>* out) {  // borrows: run_tasks outlives the coroutine
  out->emplace(co_await std::move(task));
}

inline void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace detail

/// Starts all tasks in order on one thread and returns their results in the same order.
template <class T>
std::vector<T> run_tasks(std::vector<io::Task<T>> tasks) {
  io::asio::io_context context(1);
  std::vector<std::optional<T>> slots(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    io::asio::co_spawn(context, detail::keep(std::move(tasks[i]), &slots[i]), detail::rethrow);
  }
  context.run();
  std::vector<T> results;
  results.reserve(slots.size());
  for (auto& slot : slots) results.push_back(std::move(slot).value());
  return results;
}

template <class T>
T run_task(io::Task<T> task) {
  std::vector<io::Task<T>> tasks;
  tasks.push_back(std::move(task));
  return std::move(run_tasks(std::move(tasks)).front());
}

inline void run_task(io::Task<void> task) {
  io::asio::io_context context(1);
  io::asio::co_spawn(context, std::move(task), detail::rethrow);
  context.run();
}

}  // namespace berth::test
