// Timeouts, on a clock that the test moves (S22).
#include "http/test_server.h"

namespace berth::http::test {
namespace {

constexpr std::int64_t kHours = 3'600'000;

/// Every limit out of reach but the one under test.
ServerLimits patient_limits() {
  ServerLimits limits = test_limits();
  limits.head_timeout_ms = limits.idle_timeout_ms = limits.io_timeout_ms = limits.drain_timeout_ms = 1'000 * kHours;
  return limits;
}

TEST(ServerTimeout, IdleConnectionsAreClosedSilently) {
  ServerLimits limits = patient_limits();
  limits.idle_timeout_ms = 120'000;
  TestServer server(limits);
  RawClient fresh = server.connect();
  RawClient kept = server.connect();
  EXPECT_EQ(kept.ask(get("/")).status, 200);
  server.clock.advance_ms(100'000);
  EXPECT_EQ(kept.ask(get("/")).status, 200) << "not yet";
  server.advance_until_readable(kept, 60'000);
  EXPECT_TRUE(kept.is_at_end());
  server.advance_until_readable(fresh, 60'000);
  EXPECT_TRUE(fresh.is_at_end());
}

TEST(ServerTimeout, SlowHeadsAreAnsweredAndClosed) {
  ServerLimits limits = patient_limits();
  limits.head_timeout_ms = 30'000;
  TestServer server(limits);
  RawClient client = server.connect();
  client.send("GET / HTTP/1.1\r\n");
  server.advance_until_readable(client, 10'000);
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(response.field("Connection"), "close");
  EXPECT_TRUE(client.is_at_end());
}

TEST(ServerTimeout, APeerThatStaysAfterItsLastAnswerIsCountedOnce) {
  ServerLimits limits = patient_limits();
  limits.head_timeout_ms = 30'000;
  limits.drain_timeout_ms = 2'000;
  TestServer server(limits);
  RawClient late = server.connect();
  late.send("GET / HTTP/1.1\r\n");
  server.advance_until_readable(late, 10'000);
  EXPECT_EQ(late.read_response().status, 408);
  RawClient malformed = server.connect();
  EXPECT_EQ(malformed.ask("nonsense\r\n\r\n").status, 400);
  // Neither closes: both are ended when the time for that is up.
  RawClient other = server.connect();
  for (int i = 0; i < 1'000 && server.server.connection_count() > 1; ++i) {
    server.clock.advance_ms(1'000);
    other.ask(get("/"));
  }
  EXPECT_EQ(server.server.connection_count(), 1u);
  EXPECT_EQ(server.server.counts().timed_out, 1u);
  EXPECT_EQ(server.server.counts().malformed, 1u);
}

TEST(ServerTimeout, TricklingAHeadDoesNotHelp) {
  ServerLimits limits = patient_limits();
  limits.head_timeout_ms = 30'000;
  TestServer server(limits);
  RawClient client = server.connect();
  client.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 1'000 && !client.is_readable_within(5); ++i) {
    client.send("X: y\r\n");
    server.clock.advance_ms(1'000);
  }
  EXPECT_EQ(client.read_response().status, 408);
}

TEST(ServerTimeout, StandstillOfABodyIsATimeout) {
  ServerLimits limits = patient_limits();
  limits.io_timeout_ms = 60'000;
  TestServer server(limits);
  RawClient client = server.connect();
  client.send("PUT /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  server.advance_until_readable(client, 10'000);
  EXPECT_EQ(client.read_response().body, to_string(Errc::timeout)) << "the handler may still answer";
  EXPECT_TRUE(client.is_at_end());
  EXPECT_EQ(server.toy.journal.line(0), "timeout after 5");
}

TEST(ServerTimeout, TricklingABodyDoesNotHelp) {
  ServerLimits limits = patient_limits();
  limits.io_timeout_ms = 60'000;
  TestServer server(limits);
  RawClient client = server.connect();
  client.send("PUT /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  for (int i = 0; i < 1'000 && !client.is_readable_within(5); ++i) {
    client.send("x");
    server.clock.advance_ms(1'000);
  }
  EXPECT_EQ(client.read_response().body, to_string(Errc::timeout));
}

TEST(ServerTimeout, SteadyBodiesTakeAsLongAsTheyNeed) {
  ServerLimits limits = patient_limits();
  limits.io_timeout_ms = 60'000;
  limits.progress_bytes_min = 1'000;
  TestServer server(limits);
  RawClient client = server.connect();
  client.send("PUT /count?aloud HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n");
  for (int i = 1; i <= 30; ++i) {
    client.send(std::string(1'000, 'x'));
    ASSERT_TRUE(server.toy.journal.has(std::to_string(i * 1'000)));
    server.clock.advance_ms(40'000);
    client.is_readable_within(15);  // a few ticks, each of which could end it
  }
  EXPECT_EQ(client.read_response().body, "30000");
}

TEST(ServerTimeout, ANewLimitHoldsOnAConnectionThatIsOpen) {
  TestServer server(patient_limits());
  RawClient client = server.connect();
  EXPECT_EQ(client.ask(get("/")).status, 200);
  server.limits.io_timeout_ms = 60'000;
  EXPECT_EQ(client.ask(get("/")).status, 200) << "in any case the next head is waited for with the new limits";
  client.send("PUT /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  server.advance_until_readable(client, 10'000);
  EXPECT_EQ(client.read_response().body, to_string(Errc::timeout));
}

TEST(ServerTimeout, TheHandlersTimeIsNotThePeers) {
  ServerLimits limits = test_limits();
  TestServer server(limits);
  RawClient client = server.connect();
  client.send(get("/gate"));
  server.toy.gate.wait_for_arrivals(1);
  server.clock.advance_ms(kHours);
  EXPECT_FALSE(client.is_readable_within(30));
  server.toy.gate.open();
  EXPECT_EQ(client.read_response().body, "passed");
}

}  // namespace
}  // namespace berth::http::test
