#include "io/periodic.h"

#include "io/runtime.h"
#include "io/worker.h"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>

namespace berth::io {
namespace {

constexpr std::int64_t kNeverMs = 24LL * 60 * 60 * 1000;

TEST(Periodic, CallsAfterEachInterval) {
  std::latch three(3);
  std::atomic<int> calls{0};
  Periodic periodic("test", 1, [&](Periodic&) {
    if (++calls <= 3) three.count_down();
  });
  three.wait();
  periodic.stop();
  const int so_far = calls;
  EXPECT_GE(so_far, 3);
  EXPECT_TRUE(periodic.stopping());
}

TEST(Periodic, WakeDoesNotWaitForTheInterval) {
  std::promise<void> called;
  Periodic periodic("test", kNeverMs, [&](Periodic&) { called.set_value(); });
  periodic.wake();
  called.get_future().wait();
}

TEST(Periodic, AWakeDuringACallMeansOneMoreCallAndNeverTwoAtOnce) {
  std::latch inside(1);
  std::latch go_on(1);
  std::promise<void> again;
  std::atomic<int> calls{0};
  std::atomic<int> running{0};
  Periodic periodic("test", kNeverMs, [&](Periodic&) {
    EXPECT_EQ(++running, 1);
    const int call = ++calls;
    if (call == 1) {
      inside.count_down();
      go_on.wait();
    } else {
      again.set_value();
    }
    --running;
  });
  periodic.wake();
  inside.wait();
  periodic.wake();
  periodic.wake();
  go_on.count_down();
  again.get_future().wait();
  periodic.stop();
  EXPECT_EQ(calls, 2);
}

TEST(Periodic, StopWaitsForTheCallUnderWayAndInterruptsItsPauses) {
  std::latch inside(1);
  bool finished = false;
  bool slept_through = true;
  Periodic periodic("test", kNeverMs, [&](Periodic& self) {
    EXPECT_FALSE(self.stopping());
    inside.count_down();
    slept_through = self.pause_ms(kNeverMs);
    EXPECT_TRUE(self.stopping());
    finished = true;
  });
  periodic.wake();
  inside.wait();
  periodic.stop();
  EXPECT_TRUE(finished);
  EXPECT_FALSE(slept_through);
  periodic.stop();  // idempotent
}

TEST(Periodic, AShortPauseIsSleptThrough) {
  std::promise<bool> slept;
  Periodic periodic("test", kNeverMs, [&](Periodic& self) { slept.set_value(self.pause_ms(1)); });
  periodic.wake();
  EXPECT_TRUE(slept.get_future().get());
}

TEST(Worker, RunsItsLoopAndJoinsOnce) {
  bool ran = false;
  Worker worker;
  worker.join();  // never started
  worker.start("test", [&] { ran = true; });
  worker.join();
  worker.join();
  EXPECT_TRUE(ran);
}

TEST(Runtime, EachCoreRunsOnItsOwnThreadAndDrainFinishesWhatIsQueued) {
  Runtime runtime(2);
  ASSERT_EQ(runtime.cores(), 2U);
  std::array<std::thread::id, 2> ids;
  for (unsigned core = 0; core < 2; ++core) {
    asio::post(runtime.context(core), [&ids, core] { ids[core] = std::this_thread::get_id(); });
  }
  runtime.start();
  runtime.drain();
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_NE(ids[0], std::thread::id());
  EXPECT_NE(ids[0], std::this_thread::get_id());
}

TEST(Runtime, StopAbandonsWhatWaits) {
  Runtime runtime(1);
  runtime.start();
  std::latch inside(1);
  std::atomic<bool> abandoned_ran{false};
  std::latch go_on(1);
  asio::post(runtime.context(0), [&] {
    inside.count_down();
    go_on.wait();
    runtime.context(0).stop();
  });
  inside.wait();
  asio::post(runtime.context(0), [&] { abandoned_ran = true; });
  go_on.count_down();
  runtime.stop();
  EXPECT_FALSE(abandoned_ran);
}

}  // namespace
}  // namespace berth::io
