#include "io/blocking_pool.h"

#include "support/run_task.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>

namespace berth::io {
namespace {

/// Occupies the only thread of a pool until released.
class Plug {
 public:
  explicit Plug(BlockingPool& pool) {
    EXPECT_TRUE(pool.post([this] {
      running_.count_down();
      release_.wait();
    }));
    running_.wait();
  }
  void release() { release_.count_down(); }

 private:
  std::latch running_{1};
  std::latch release_{1};
};

TEST(BlockingPool, AFullQueueRefusesAndTheJobIsDroppedWithoutRunning) {
  BlockingPool pool("test", 1, 2);
  Plug plug(pool);
  std::atomic<int> ran{0};
  EXPECT_TRUE(pool.post([&] { ++ran; }));
  EXPECT_TRUE(pool.post([&] { ++ran; }));
  EXPECT_FALSE(pool.post([&] { ran += 100; }));
  plug.release();
  pool.stop();
  EXPECT_EQ(ran, 2);
}

TEST(BlockingPool, StopRunsWhatIsQueuedThenRefuses) {
  BlockingPool pool("test", 1, 100);
  Plug plug(pool);
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(pool.post([&order, i] { order.push_back(i); }));
  plug.release();
  pool.stop();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_FALSE(pool.post([] {}));
  pool.stop();  // idempotent
}

TEST(BlockingPool, ThreadsWorkSideBySide) {
  BlockingPool pool("test", 3, 10);
  std::latch all(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.post([&all] { all.arrive_and_wait(); }));  // three at once, or never
  pool.stop();
}

TEST(BlockingPool, AJobMayOwnWhatItUses) {
  BlockingPool pool("test", 1, 10);
  auto owned = std::make_unique<int>(7);
  std::promise<int> seen;
  EXPECT_TRUE(pool.post([owned = std::move(owned), &seen] { seen.set_value(*owned); }));
  EXPECT_EQ(seen.get_future().get(), 7);
}

Task<Result<std::thread::id>> where_it_runs(BlockingPool& pool, std::thread::id* after) {  // borrows: the test waits
  auto id = co_await offload(pool, []() -> Result<std::thread::id> { return std::this_thread::get_id(); });
  *after = std::this_thread::get_id();
  co_return id;
}

TEST(Offload, RunsOnThePoolAndContinuesOnTheHomeThread) {
  BlockingPool pool("test", 1, 10);
  std::thread::id after;
  const auto inside = test::run_task(where_it_runs(pool, &after));
  ASSERT_TRUE(inside.has_value());
  EXPECT_NE(*inside, std::this_thread::get_id());
  EXPECT_EQ(after, std::this_thread::get_id());
}

TEST(Offload, CarriesMoveOnlyResultsAndErrors) {
  BlockingPool pool("test", 1, 10);
  auto value = test::run_task(offload(pool, []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); }));
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(**value, 5);
  const auto error = test::run_task(offload(pool, []() -> Result<int> { return fail(Errc::corrupt, "m", "c"); }));
  ASSERT_FALSE(error.has_value());
  EXPECT_EQ(error.error().code, Errc::corrupt);
}

TEST(Offload, AFullQueueIsUnavailableAndTheFunctionDoesNotRun) {
  BlockingPool pool("test", 1, 0);
  bool ran = false;
  const auto refused = test::run_task(offload(pool, [&ran]() -> Result<int> {
    ran = true;
    return 1;
  }));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  pool.stop();
  EXPECT_FALSE(ran);
}

TEST(Offload, AStoppedPoolIsUnavailable) {
  BlockingPool pool("test", 1, 10);
  pool.stop();
  const auto refused = test::run_task(offload(pool, []() -> Result<int> { return 1; }));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
}

TEST(Offload, ManyAtOnceEachGetTheirOwnResult) {
  BlockingPool pool("test", 4, 1000);
  std::vector<Task<Result<int>>> tasks;
  for (int i = 0; i < 500; ++i) tasks.push_back(offload(pool, [i]() -> Result<int> { return i; }));
  const auto results = test::run_tasks(std::move(tasks));
  for (int i = 0; i < 500; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)].value(), i);
}

}  // namespace
}  // namespace berth::io
