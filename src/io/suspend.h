#pragma once
// The bridge between coroutines and other threads: everything that finishes elsewhere (a pool, the database writer, a
// lock) comes back through here, on the core the coroutine lives on.

#include "io/task.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <utility>

namespace berth::io {

/// Suspends the coroutine and calls start(done) at once, on this thread. `done(value)` must be called exactly once,
/// from any thread; the coroutine then continues with the value on its own core. Neither can be cancelled: what was
/// started runs to its end (commit steps rely on it).
template <class R, class Start>
Task<R> suspend(Start start) {
  const Executor home = co_await asio::this_coro::executor;
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>&, void(R)>(
      [&start, home](auto handler) {
        auto done = [home, guard = asio::make_work_guard(home), handler = std::move(handler)](R value) mutable {
          asio::post(home, [handler = std::move(handler), value = std::move(value)]() mutable {
            std::move(handler)(std::move(value));
          });
        };
        start(std::move_only_function<void(R)>(std::move(done)));
      },
      asio::use_awaitable_t<Executor>{});
}

}  // namespace berth::io
