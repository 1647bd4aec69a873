#pragma once
// A coroutine from a thread that may block: commands, start-up. Never on an I/O thread.

#include "io/task.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <optional>
#include <utility>

namespace berth::io {

/// Runs the task on an event loop of its own until it is done; what it starts on pools comes back through the same.
template <class T>
T run_blocking(Task<T> task) {
  asio::io_context context(1);
  std::optional<T> result;
  auto keep = [](Task<T> inner, std::optional<T>* out) -> Task<void> {  // borrows: run() ends after it
    out->emplace(co_await std::move(inner));
  };
  asio::co_spawn(context, keep(std::move(task), &result), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  context.run();
  return std::move(result).value();
}

}  // namespace berth::io
