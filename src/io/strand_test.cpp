#include "io/strand.h"

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <numeric>

namespace berth::io {
namespace {

TEST(Strand, RunsItsJobsInOrderAndOneAtATime) {
  BlockingPool pool("test", 4, 1'000);
  std::vector<int> order;
  std::atomic<int> inside = 0;
  std::latch done(500);
  const auto strand = std::make_shared<Strand>(pool);
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(strand->post([&, i] {
      EXPECT_EQ(inside.fetch_add(1), 0);
      order.push_back(i);
      --inside;
      done.count_down();
    }));
  }
  done.wait();
  std::vector<int> wanted(500);
  std::iota(wanted.begin(), wanted.end(), 0);
  EXPECT_EQ(order, wanted);
}

TEST(Strand, TwoOfThemRunSideBySide) {
  BlockingPool pool("test", 2, 10);
  std::latch both(2);
  const auto meet = [&both] { both.arrive_and_wait(); };
  const auto first = std::make_shared<Strand>(pool);
  const auto second = std::make_shared<Strand>(pool);
  EXPECT_TRUE(first->post(meet));
  EXPECT_TRUE(second->post(meet));
  pool.stop();
  EXPECT_TRUE(both.try_wait());
}

TEST(Strand, AFullPoolRefusesAnIdleStrandAndTakesItsNextJobOnceThereIsRoom) {
  BlockingPool pool("test", 1, 1);
  std::latch started(1);
  std::latch go_on(1);
  ASSERT_TRUE(pool.post([&] {
    started.count_down();
    go_on.wait();
  }));
  started.wait();
  std::latch queued(1);
  ASSERT_TRUE(pool.post([&] { queued.count_down(); }));
  const auto strand = std::make_shared<Strand>(pool);
  bool has_run = false;
  EXPECT_FALSE(strand->post([&] { has_run = true; }));
  go_on.count_down();
  queued.wait();
  std::atomic<int> count = 0;
  EXPECT_TRUE(strand->post([&] { ++count; }));
  pool.stop();
  EXPECT_FALSE(has_run);
  EXPECT_EQ(count, 1);
}

TEST(Strand, LivesUntilItsLastJobHasRun) {
  std::atomic<bool> has_run = false;
  {
    BlockingPool pool("test", 1, 10);
    EXPECT_TRUE(std::make_shared<Strand>(pool)->post([&] { has_run = true; }));
  }
  EXPECT_TRUE(has_run);
}

}  // namespace
}  // namespace berth::io
