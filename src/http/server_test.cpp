// Life of connections: keep-alive, pipelining, refusals, limits, stopping.
#include "http/server.h"

#include "http/test_server.h"

#include <sys/resource.h>

namespace berth::http::test {
namespace {

TEST(Server, AnswersAndKeepsTheConnection) {  // H6
  TestServer server;
  RawClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    const RawResponse response = client.ask(get("/a?n=" + std::to_string(i)));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "/a?n=" + std::to_string(i));
    EXPECT_EQ(response.field("Connection"), std::nullopt);
    EXPECT_TRUE(response.field("Date"));
  }
  EXPECT_EQ(server.server.connection_count(), 1u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  RawClient client = server.connect();
  client.send(get("/1") + put("/echo", "two") + "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
              chunked("three", 2) + put("/deny", "unread") + get("/5"));
  for (const char* body : {"/1", "two", "three", "denied", "/5"}) EXPECT_EQ(client.read_response().body, body);
}

TEST(Server, ManyPipelinedRequests) {
  TestServer server;
  RawClient client = server.connect();
  std::string bytes;
  for (int i = 0; i < 2'000; ++i) bytes += get("/" + std::to_string(i));
  std::thread sender([&] { client.send(bytes); });
  for (int i = 0; i < 2'000; ++i) ASSERT_EQ(client.read_response().body, "/" + std::to_string(i));
  sender.join();
}

TEST(Server, RequestsArriveByteByByte) {
  TestServer server;
  RawClient client = server.connect();
  for (const char c : put("/echo", "hello")) client.send(std::string(1, c));
  EXPECT_EQ(client.read_response().body, "hello");
}

TEST(Server, ToleratesAnEmptyLineBetweenRequests) {  // RFC 9112 §2.2
  TestServer server;
  RawClient client = server.connect();
  EXPECT_EQ(client.ask("\r\n" + get("/1")).body, "/1");
  EXPECT_EQ(client.ask("\r\n" + get("/2")).body, "/2");
}

TEST(Server, ClosesWhenAskedTo) {
  TestServer server;
  RawClient client = server.connect();
  const RawResponse response = client.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response.field("Connection"), "close");
  EXPECT_TRUE(client.is_at_end());
}

TEST(Server, SpeaksHttp10) {
  TestServer server;
  RawClient plain = server.connect();
  const RawResponse closed = plain.ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(closed.status, 200);
  EXPECT_EQ(closed.field("Connection"), "close");
  EXPECT_TRUE(plain.is_at_end());

  RawClient kept = server.connect();
  for (int i = 0; i < 2; ++i) {
    const RawResponse response = kept.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(response.field("Connection"), "keep-alive");
  }
}

TEST(Server, HeadCarriesTheLengthOfGetAndNoBody) {  // H2
  TestServer server;
  RawClient client = server.connect();
  const RawResponse head = client.ask("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n", Body::none);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "4");
  const RawResponse known = client.ask("HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n", Body::none);
  EXPECT_EQ(known.field("Content-Length"), "12345");
  EXPECT_EQ(client.ask(get("/next")).body, "/next") << "no body was in between";
}

TEST(Server, BodylessStatuses) {  // H2
  TestServer server;
  RawClient client = server.connect();
  for (const char* status : {"204", "304"}) {
    const RawResponse response = client.ask(get("/status?" + std::string(status)));
    EXPECT_EQ(std::to_string(response.status), status);
    EXPECT_EQ(response.field("Content-Length"), std::nullopt);
  }
  EXPECT_EQ(client.ask(get("/next")).body, "/next");
}

TEST(Server, HandlerFailuresBecome500) {
  TestServer server;
  for (const char* path : {"/throw", "/silent"}) {
    RawClient client = server.connect();
    EXPECT_EQ(client.ask(get(path)).status, 500) << path;
  }
  RawClient thrown = server.connect();
  EXPECT_EQ(thrown.ask(get("/throw")).field("Connection"), "close");
  EXPECT_TRUE(thrown.is_at_end());

  RawClient late = server.connect();
  EXPECT_EQ(late.ask(get("/throw-late")).body, "answered");
  EXPECT_TRUE(late.is_at_end()) << "what the handler did half is not to be trusted";

  RawClient twice = server.connect();
  EXPECT_EQ(twice.ask(get("/twice")).body, "first");
  EXPECT_EQ(server.toy.journal.line(0), "send: internal");
  EXPECT_EQ(twice.ask(get("/next")).body, "/next") << "the second answer was never sent";
}

TEST(Server, HeadLimitsOnTheWire) {  // G8
  TestServer server;
  const struct {
    std::string bytes;
    int status;
  } rows[] = {
      {"GET /" + std::string(16 * 1024 - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"GET /" + std::string(16 * 1024, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET /" + std::string(100 * 1024, 'a'), 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: " + std::string(60 * 1024, 'a') + "\r\n\r\n", 200},
      {"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: " + std::string(64 * 1024, 'a') + "\r\n\r\n", 431},
      {"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: " + std::string(200 * 1024, 'a'), 431},
  };
  for (const auto& row : rows) {
    RawClient client = server.connect();
    const RawResponse response = client.ask(row.bytes);
    EXPECT_EQ(response.status, row.status) << row.bytes.size();
    if (row.status != 200) {
      EXPECT_EQ(response.field("Connection"), "close");
      EXPECT_TRUE(client.is_at_end());
    }
  }
}

TEST(Server, BigHeadsDoNotDisturbTheNextRequest) {
  TestServer server;
  RawClient client = server.connect();
  const std::string big = "PUT /echo HTTP/1.1\r\nHost: a\r\nX: " + std::string(40 * 1024, 'a') +
                          "\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("hello", 1);
  client.send(big + big + get("/next"));
  EXPECT_EQ(client.read_response().body, "hello");
  EXPECT_EQ(client.read_response().body, "hello");
  EXPECT_EQ(client.read_response().body, "/next");
}

TEST(Server, RefusesConnectionsBeyondTheLimit) {  // S22
  ServerLimits limits = test_limits();
  limits.connections_max = 2;
  TestServer server(limits);
  RawClient first = server.connect();
  RawClient second = server.connect();
  EXPECT_EQ(first.ask(get("/")).status, 200);
  EXPECT_EQ(second.ask(get("/")).status, 200);

  RawClient third = server.connect();
  const RawResponse refused = third.ask(get("/"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("Retry-After"), "1");
  EXPECT_EQ(refused.field("Connection"), "close");
  EXPECT_TRUE(third.is_at_end());
  EXPECT_EQ(server.server.connection_count(), 2u);

  first.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(first.is_at_end());
  int status = 0;
  for (int i = 0; i < 1'000 && status != 200; ++i) {  // the count drops a moment after the close
    RawClient retry = server.connect();
    status = retry.ask(get("/")).status;
  }
  EXPECT_EQ(status, 200);
}

TEST(Server, ServesManyConnectionsAtOnce) {
  TestServer server;
  std::vector<RawClient> clients;
  clients.reserve(200);
  for (int i = 0; i < 200; ++i) clients.push_back(server.connect());
  for (int round = 0; round < 5; ++round) {
    for (RawClient& client : clients) client.send(put("/echo", "round " + std::to_string(round)));
    for (RawClient& client : clients) ASSERT_EQ(client.read_response().body, "round " + std::to_string(round));
  }
  EXPECT_EQ(server.server.connection_count(), 200u);
}

TEST(Server, SurvivesRunningOutOfDescriptors) {
  TestServer server;
  ::rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  RawClient warm = server.connect();
  EXPECT_EQ(warm.ask(get("/")).status, 200);

  RawClient client = server.connect();  // its peer below may or may not have been accepted yet
  const int next = ::memfd_create("next", 0);
  ::close(next);
  ::rlimit tight = before;
  tight.rlim_cur = static_cast<::rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  client.send(get("/later"));
  client.is_readable_within(150);  // long enough for an accept that fails, if it has to
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.read_response().body, "/later");
}

TEST(Server, TellsThatTheAddressIsInUse) {
  TestServer server;
  const ServerLimits limits = test_limits();
  Server other(
      {.runtime = server.runtime, .clock = server.clock, .log = server.log}, limits,
      [&](Exchange& exchange) { return server.toy.handle(exchange); }, respond_to_error);
  const auto taken = other.listen({.host = "127.0.0.1", .port = server.server.port()});
  ASSERT_FALSE(taken) << "SO_REUSEPORT must not let two servers share a port";
  EXPECT_EQ(taken.error().code, Errc::unavailable);
  EXPECT_NE(taken.error().message.find("in use"), std::string::npos) << taken.error().message;

  const auto nonsense = other.listen({.host = "not an address"});
  ASSERT_FALSE(nonsense);
  EXPECT_EQ(nonsense.error().code, Errc::parameter_invalid);
  EXPECT_TRUE(other.listen({.host = "localhost"}));
  EXPECT_NE(other.port(), server.server.port());
}

TEST(ServerStop, ClosesIdleConnectionsAndFinishesRunningExchanges) {
  TestServer server;
  RawClient idle = server.connect();
  EXPECT_EQ(idle.ask(get("/")).status, 200);
  RawClient untouched = server.connect();
  RawClient busy = server.connect();
  busy.send(get("/gate"));
  server.toy.gate.wait_for_arrivals(1);

  std::thread stopper([&] { server.server.stop(20'000); });
  EXPECT_TRUE(idle.is_at_end());
  EXPECT_TRUE(untouched.is_at_end());
  bool is_listening = true;
  for (int i = 0; i < 10'000 && is_listening; ++i) is_listening = server.connect().is_connected();
  EXPECT_FALSE(is_listening) << "the listeners are closed first, core by core";
  server.toy.gate.open();
  const RawResponse response = busy.read_response();
  EXPECT_EQ(response.body, "passed");
  EXPECT_EQ(response.field("Connection"), "close");
  EXPECT_TRUE(busy.is_at_end());
  stopper.join();
  EXPECT_EQ(server.server.connection_count(), 0u);
}

TEST(ServerStop, CutsOffWhatDoesNotFinish) {
  TestServer server;
  RawClient waiting = server.connect();  // for a body that never comes
  waiting.send("PUT /count HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(waiting.read_response(Body::none).status, 100);
  RawClient half = server.connect();
  half.send("GET / HT");
  RawClient reading = server.connect(4096);  // never reads its answer
  reading.send(get("/big"));
  server.server.stop(0);
  EXPECT_EQ(waiting.read_all(), "");
  EXPECT_EQ(half.read_all(), "");
  EXPECT_EQ(server.server.connection_count(), 0u);
}

TEST(ServerStop, WaitsForHandlersThatCannotBeInterrupted) {
  TestServer server;
  RawClient busy = server.connect();
  busy.send(get("/gate"));
  server.toy.gate.wait_for_arrivals(1);
  std::thread stopper([&] { server.server.stop(0); });
  EXPECT_TRUE(busy.is_at_end());
  EXPECT_EQ(server.server.connection_count(), 1u) << "the handler is still at work";
  server.toy.gate.open();
  stopper.join();
  EXPECT_EQ(server.toy.journal.line(0), "send: disconnected");
}

TEST(ServerStop, IsHarmlessWithoutListening) {
  io::Runtime runtime(1);
  const ManualClock clock;
  const Log log(LogLevel::off);
  const ServerLimits limits = test_limits();
  Server server({.runtime = runtime, .clock = clock, .log = log}, limits, Handler(), respond_to_error);
  server.stop(10'000);
}

}  // namespace
}  // namespace berth::http::test
