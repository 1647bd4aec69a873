#include "io/ticket.h"

#include "support/run_task.h"

#include <gtest/gtest.h>

#include <latch>

namespace berth::io {
namespace {

TEST(Ticket, AwaitedAfterTheWorkIsDone) {
  BlockingPool pool("test", 1, 10);
  auto ticket = Ticket<std::string>::start(pool, []() -> Result<std::string> { return "done"; });
  pool.stop();  // the job has run
  EXPECT_TRUE(ticket.pending());
  EXPECT_EQ(test::run_task(ticket.get()).value(), "done");
  EXPECT_FALSE(ticket.pending());
}

TEST(Ticket, AwaitedBeforeTheWorkIsDone) {
  BlockingPool pool("test", 1, 10);
  std::latch awaited(1);
  auto ticket = Ticket<int>::start(pool, [&awaited]() -> Result<int> {
    awaited.wait();
    return 3;
  });
  std::vector<Task<Result<int>>> tasks;
  tasks.push_back(ticket.get());
  // Runs on the same thread after the first task is suspended in get().
  tasks.push_back([](std::latch& latch) -> Task<Result<int>> {  // borrows: the latch is the test's
    latch.count_down();
    co_return 0;
  }(awaited));
  EXPECT_EQ(test::run_tasks(std::move(tasks)).front().value(), 3);
}

TEST(Ticket, ARefusedJobIsAnUnavailableResult) {
  BlockingPool pool("test", 1, 0);
  auto ticket = Ticket<void>::start(pool, []() -> Result<void> { return {}; });
  EXPECT_TRUE(ticket.pending());
  const auto result = test::run_task(ticket.get());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::unavailable);
}

TEST(Ticket, OneThatNobodyAwaitsRunsToItsEnd) {
  BlockingPool pool("test", 1, 10);
  std::atomic<bool> ran{false};
  {
    const auto dropped = Ticket<void>::start(pool, [&ran]() -> Result<void> {
      ran = true;
      return {};
    });
  }
  pool.stop();
  EXPECT_TRUE(ran);
}

TEST(Ticket, WorkGoesOnWhileTheHolderDoesSomethingElse) {
  BlockingPool pool("test", 2, 10);
  std::latch both(2);
  const auto meet = [&both]() -> Result<void> {
    both.arrive_and_wait();
    return {};
  };
  auto first = Ticket<void>::start(pool, meet);
  auto second = Ticket<void>::start(pool, meet);
  EXPECT_TRUE(test::run_task(first.get()).has_value());
  EXPECT_TRUE(test::run_task(second.get()).has_value());
}

}  // namespace
}  // namespace berth::io
