#include "io/async_mutex.h"

#include "io/blocking_pool.h"
#include "io/runtime.h"
#include "support/run_task.h"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <latch>

namespace berth::io {
namespace {

/// What the coroutines of one test share.
struct Shared {
  AsyncMutex mutex;
  BlockingPool pool{"test", 2, 1000};
  std::vector<int> order;  // not atomic on purpose: the lock is what protects it
};

Task<Result<void>> take_turn(Shared* shared, int id) {  // borrows: the test waits for all of them
  const auto guard = co_await shared->mutex.lock();
  shared->order.push_back(id);
  // Held over a suspension, during which all the others run into the lock.
  (void)co_await offload(shared->pool, []() -> Result<void> { return {}; });
  shared->order.push_back(id);
  co_return Result<void>{};
}

TEST(AsyncMutex, WaitersGoFirstComeFirstServedAndNeverOverlap) {
  Shared shared;
  std::vector<Task<Result<void>>> tasks;
  std::vector<int> expected;
  for (int i = 0; i < 50; ++i) {
    tasks.push_back(take_turn(&shared, i));
    expected.insert(expected.end(), {i, i});
  }
  test::run_tasks(std::move(tasks));
  EXPECT_EQ(shared.order, expected);
}

TEST(AsyncMutex, TryLockNeverWaits) {
  AsyncMutex mutex;
  AsyncMutex::Guard first;
  AsyncMutex::Guard second;
  EXPECT_TRUE(mutex.try_lock(first));
  EXPECT_FALSE(mutex.try_lock(second));
  first.release();
  EXPECT_TRUE(mutex.try_lock(second));
}

TEST(AsyncMutex, AMovedGuardHoldsTheLockAndTheEmptyOneReleasesNothing) {
  AsyncMutex mutex;
  AsyncMutex::Guard other;
  {
    AsyncMutex::Guard first;
    ASSERT_TRUE(mutex.try_lock(first));
    other = std::move(first);
  }
  AsyncMutex::Guard third;
  EXPECT_FALSE(mutex.try_lock(third));
  other.release();
  other.release();  // once only
  EXPECT_TRUE(mutex.try_lock(third));
}

Task<void> count_up(AsyncMutex* mutex, int* counter, std::latch* done) {  // borrows: the test waits on the latch
  for (int i = 0; i < 1000; ++i) {
    const auto guard = co_await mutex->lock();
    ++*counter;
  }
  done->count_down();
}

TEST(AsyncMutex, ProtectsAcrossCores) {
  constexpr unsigned kCores = 3;
  AsyncMutex mutex;
  int counter = 0;
  std::latch done(kCores * 2);
  Runtime runtime(kCores);
  for (unsigned core = 0; core < kCores; ++core) {
    for (int i = 0; i < 2; ++i) {
      asio::co_spawn(runtime.context(core), count_up(&mutex, &counter, &done), test::detail::rethrow);
    }
  }
  runtime.start();
  done.wait();
  runtime.drain();
  EXPECT_EQ(counter, 1000 * 2 * static_cast<int>(kCores));
}

TEST(Suspend, ContinuesOnTheHomeThreadWhoeverFinishes) {
  BlockingPool pool("test", 1, 10);
  const auto home = std::this_thread::get_id();
  const auto back = [](BlockingPool& p) -> Task<Result<std::thread::id>> {
    const int value = co_await suspend<int>([&p](std::move_only_function<void(int)> done) {
      (void)p.post([done = std::move(done)]() mutable { done(4); });
    });
    EXPECT_EQ(value, 4);
    co_return std::this_thread::get_id();
  };
  EXPECT_EQ(test::run_task(back(pool)).value(), home);
}

TEST(Suspend, MayBeFinishedAtOnceOnTheSameThread) {
  const auto at_once = []() -> Task<Result<int>> {
    co_return co_await suspend<int>([](std::move_only_function<void(int)> done) { done(9); });
  };
  EXPECT_EQ(test::run_task(at_once()).value(), 9);
}

}  // namespace
}  // namespace berth::io
