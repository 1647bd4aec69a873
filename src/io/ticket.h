#pragma once
// Ticket<T>: work started on a pool now and awaited later, so that reading from the socket and hashing to the disk
// overlap. One coroutine holds the ticket; it must await it (or let it run out) before the buffers it lent go away.

#include "io/blocking_pool.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace berth::io {

template <class T>
class Ticket {
  struct State;

 public:
  using R = Result<T>;

  Ticket() = default;
  bool pending() const { return state_ != nullptr; }

  /// Starts fn on the pool. A full queue becomes the result Errc::unavailable.
  template <class F>
  static Ticket start(BlockingPool& pool, F fn) {
    Ticket ticket;
    ticket.state_ = std::make_shared<State>();
    const bool posted = pool.post([state = ticket.state_, fn = std::move(fn)]() mutable { state->finish(fn()); });
    if (!posted) ticket.state_->finish(R(fail(Errc::unavailable, "the server is busy; try again")));
    return ticket;
  }

  /// The end that brings the result, for work of several parts. Whoever holds it must call finish(), once.
  class Promise {
   public:
    void finish(R result) { state_->finish(std::move(result)); }

   private:
    friend class Ticket;
    std::shared_ptr<State> state_;
  };
  static std::pair<Ticket, Promise> open() {
    std::pair<Ticket, Promise> both;
    both.first.state_ = both.second.state_ = std::make_shared<State>();
    return both;
  }

  /// Waits for the result, once.
  Task<R> get() {
    auto state = std::move(state_);
    state_ = nullptr;
    co_return co_await suspend<R>(
        [state](std::move_only_function<void(R)> done) { state->when_done(std::move(done)); });
  }

 private:
  friend class Promise;
  // shared: the pool's job and the coroutine each hold it, whichever lives longer.
  struct State {
    std::mutex mutex;  // guards: value, waiter
    std::optional<R> value;
    std::move_only_function<void(R)> waiter;

    void finish(R result) {
      std::unique_lock lock(mutex);
      if (waiter) {
        auto call = std::move(waiter);
        lock.unlock();
        call(std::move(result));
      } else {
        value = std::move(result);
      }
    }
    void when_done(std::move_only_function<void(R)> done) {
      std::unique_lock lock(mutex);
      if (value) {
        R result = std::move(*value);
        lock.unlock();
        done(std::move(result));
      } else {
        waiter = std::move(done);
      }
    }
  };
  std::shared_ptr<State> state_;
};

}  // namespace berth::io
