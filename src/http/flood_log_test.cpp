// S22: a flood of connections is no flood of lines.
#include "http/flood_log.h"

#include "base/clock.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::http {
namespace {

std::string text(const std::vector<FloodLog::Line>& lines) {
  std::string out;
  for (const auto& line : lines) out += std::string(line.event) + "=" + std::to_string(line.count) + " ";
  return out;
}

TEST(FloodLog, TellsAtOnceThenOnceASecondWithTheCount) {
  ManualClock clock;
  FloodLog log;
  Server::Counts counts;
  EXPECT_EQ(text(log.due(counts, clock.mono_ms())), "");
  counts.refused = 3;
  EXPECT_EQ(text(log.due(counts, clock.mono_ms())), "http.refused=3 ");
  for (int i = 0; i < 9; ++i) {
    clock.advance_ms(100);
    counts.refused += 1'000;
    EXPECT_EQ(text(log.due(counts, clock.mono_ms())), "") << "less than a second";
  }
  clock.advance_ms(100);
  EXPECT_EQ(text(log.due(counts, clock.mono_ms())), "http.refused=9000 ");
  clock.advance_ms(1'000);
  EXPECT_EQ(text(log.due(counts, clock.mono_ms())), "") << "nothing new";
}

TEST(FloodLog, TellsEachThingThatHappened) {
  FloodLog log;
  const Server::Counts counts{.accepted = 100,
                              .refused = 1,
                              .timed_out = 2,
                              .malformed = 3,
                              .tls_full = 50,
                              .tls_resumed = 50,
                              .tls_failed = 4,
                              .accept_failed = 5,
                              .proxy_invalid = 6};
  EXPECT_EQ(text(log.due(counts, 0)),
            "http.refused=1 http.accept_failed=5 http.timed_out=2 http.malformed=3 http.handshakes_failed=4 "
            "http.proxy_header_invalid=6 ");
}

TEST(FloodLog, TellsTheRestAtTheEndWithoutWaiting) {
  FloodLog log;
  EXPECT_EQ(text(log.due({.timed_out = 1}, 0)), "http.timed_out=1 ");
  EXPECT_EQ(text(log.rest({.timed_out = 8})), "http.timed_out=7 ");
  EXPECT_EQ(text(log.rest({.timed_out = 8})), "");
}

TEST(FloodLog, TotalsThatAreOlderThanWhatWasToldAreNoNews) {
  FloodLog log;
  EXPECT_EQ(text(log.rest({.refused = 8})), "http.refused=8 ");
  EXPECT_EQ(text(log.rest({.refused = 5})), "");
  EXPECT_EQ(text(log.rest({.refused = 9})), "http.refused=1 ");
}

}  // namespace
}  // namespace berth::http
