// Request bodies: framing, 100-continue, bodies that nobody reads, peers that go away.
#include "http/test_server.h"
#include "support/running_clock.h"

namespace berth::http::test {
namespace {

std::string put_chunked(std::string_view path, std::string_view body, std::size_t chunk_bytes) {
  return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
         chunked(body, chunk_bytes);
}

TEST(ServerBody, SizedBodies) {
  TestServer server;
  RawClient client = server.connect();
  for (const std::size_t size : {0u, 1u, 16'000u, 64u * 1024u, 3'000'000u}) {
    const std::string body = make_content(size);
    std::thread sender([&] { client.send(put("/echo", body)); });
    EXPECT_TRUE(client.read_response().body == body) << size;
    sender.join();
  }
}

TEST(ServerBody, ChunkedBodies) {  // H6
  TestServer server;
  RawClient client = server.connect();
  const struct {
    std::size_t size;
    std::size_t chunk;
  } rows[] = {{0, 1}, {1, 1}, {100, 7}, {70'000, 1}, {200'000, 4'096}, {3'000'000, 32 * 1024}, {3'000'000, 1'500'000}};
  for (const auto& row : rows) {
    const std::string body = make_content(row.size);
    std::thread sender([&] { client.send(put_chunked("/echo", body, row.chunk)); });
    EXPECT_TRUE(client.read_response().body == body) << row.size << " in chunks of " << row.chunk;
    sender.join();
  }
}

TEST(ServerBody, ChunkedBodiesInAwkwardPieces) {  // H6
  TestServer server;
  RawClient client = server.connect();
  const std::string body = make_content(50);
  const std::string bytes = put_chunked("/echo", body, 9) + get("/next");
  for (const std::size_t step : {1u, 2u, 3u, 5u, 7u, 11u, 64u}) {
    for (std::size_t at = 0; at < bytes.size(); at += step) client.send(bytes.substr(at, step));
    EXPECT_EQ(client.read_response().body, body) << step;
    EXPECT_EQ(client.read_response().body, "/next") << step;
  }
}

TEST(ServerBody, BrokenChunksEndTheBodyEarly) {  // M1, S23
  TestServer server;
  for (const char* body : {"5\r\nhelloX", "zz\r\n", "5\nhello", "-1\r\n"}) {
    RawClient client = server.connect();
    const RawResponse response =
        client.ask("PUT /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body));
    EXPECT_EQ(response.body, to_string(Errc::size_invalid)) << body;
    EXPECT_EQ(response.field("Connection"), "close") << body;
    EXPECT_TRUE(client.is_at_end()) << body;
  }
}

TEST(ServerBody, EndingEarlyIsSizeInvalid) {  // M1
  TestServer server;
  for (const char* framing : {"Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\na\r\nhello",
                              "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Content-Length: 10\r\n\r\n"}) {
    RawClient client = server.connect();
    client.send("PUT /count HTTP/1.1\r\nHost: a\r\n" + std::string(framing));
    client.finish_sending();
    EXPECT_EQ(client.read_response().body, to_string(Errc::size_invalid)) << framing;
    EXPECT_TRUE(client.is_at_end()) << framing;
  }
}

TEST(ServerBody, ResetIsDisconnected) {  // M1
  TestServer server;
  RawClient client = server.connect();
  client.send("PUT /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_response(Body::none).status, 100);
  client.reset();
  EXPECT_EQ(server.toy.journal.line(0), "disconnected after 0");
}

TEST(ServerBody, HalfClosedPeersGetTheirAnswer) {
  TestServer server;
  RawClient client = server.connect();
  client.send(put("/echo", "hello"));
  client.finish_sending();
  EXPECT_EQ(client.read_response().body, "hello");
  EXPECT_TRUE(client.is_at_end());
}

TEST(ServerBody, LimitsOfReadBody) {  // M2
  TestServer server;
  RawClient client = server.connect();
  const std::string exact = make_content(32 * 1024 * 1024);
  std::thread sender([&] { client.send(put_chunked("/echo", exact, 1 << 20)); });
  EXPECT_EQ(client.read_response().body.size(), exact.size()) << "the limit is inclusive";
  sender.join();

  RawClient declared = server.connect();
  const RawResponse refused = declared.ask("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 33554433\r\n\r\n");
  EXPECT_EQ(refused.body, to_string(Errc::manifest_too_large)) << "refused unread";

  RawClient streaming = server.connect();  // it hears nothing before it has sent all
  const berth::test::RunningClock soon(server.clock);
  std::thread streamer([&] { streaming.send(put_chunked("/echo", exact + exact, 1 << 20)); });
  EXPECT_EQ(streaming.read_response().body, to_string(Errc::manifest_too_large)) << "reading stopped at the limit";
  streamer.join();
}

TEST(ServerExpect, ContinuesOnTheFirstRead) {  // H6
  TestServer server;
  RawClient client = server.connect();
  for (int i = 0; i < 2; ++i) {
    const RawResponse interim =
        client.ask("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", Body::none);
    EXPECT_EQ(interim.status, 100);
    EXPECT_EQ(interim.head, "HTTP/1.1 100 Continue\r\n");
    EXPECT_EQ(client.ask("hello").body, "hello");
  }
  const RawResponse chunked_interim = client.ask(
      "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", Body::none);
  EXPECT_EQ(chunked_interim.status, 100);
  EXPECT_EQ(client.ask("5\r\nhello\r\n0\r\n\r\n").body, "hello");
}

TEST(ServerExpect, NoPermissionForABodyThatHasCome) {  // RFC 9110 §10.1.1
  TestServer server;
  RawClient client = server.connect();
  EXPECT_EQ(client.ask(put("/echo", "hello", "Expect: 100-continue\r\n")).body, "hello");
}

TEST(ServerExpect, FinalAnswerInsteadOfContinue) {  // H6, H7
  TestServer server;
  RawClient client = server.connect();
  const RawResponse response =
      client.ask("PUT /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(response.status, 401) << "no 100 before it";
  EXPECT_EQ(response.field("Connection"), "close") << "whether the body comes nobody knows";
  EXPECT_TRUE(client.is_at_end());
}

TEST(ServerExpect, MeansNothingWithoutABody) {
  TestServer server;
  RawClient client = server.connect();
  for (int i = 0; i < 2; ++i) {
    const RawResponse response =
        client.ask("PUT /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.field("Connection"), std::nullopt);
  }
}

TEST(ServerUnreadBody, SmallOnesAreReadAway) {  // H7
  TestServer server;
  RawClient client = server.connect();
  const std::string body = make_content(900'000);
  for (const std::string& request : {put("/deny", body), put_chunked("/deny", body, 10'000)}) {
    std::thread sender([&] { client.send(request); });
    const RawResponse response = client.read_response();
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.field("Connection"), std::nullopt);
    sender.join();
    EXPECT_EQ(client.ask(get("/next")).body, "/next") << "the connection goes on behind the body";
  }
}

TEST(ServerUnreadBody, LongOnesEndTheConnectionAfterTheAnswer) {  // H7
  TestServer server;
  RawClient client = server.connect();
  client.send("PUT /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n" + make_content(100'000));
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 401) << "the client sees the answer, not a reset";
  EXPECT_EQ(response.body, "denied");
  EXPECT_EQ(response.field("Connection"), "close");
  EXPECT_TRUE(client.is_at_end());
  client.send(make_content(500'000));
  client.send(make_content(1'000'000));  // beyond what is read away
  EXPECT_EQ(client.read_all(), "");
}

TEST(ServerUnreadBody, EndlessChunksEndTheConnectionAfterTheAnswer) {  // H7
  TestServer server;
  RawClient client = server.connect();
  std::atomic<bool> is_sending{true};
  std::thread sender([&] {
    client.send("PUT /deny HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + make_content(0x10000) + "\r\n";
    while (client.send(chunk)) {
    }
    is_sending = false;
  });
  EXPECT_EQ(client.read_response().status, 401);
  EXPECT_TRUE(client.is_at_end());
  EXPECT_TRUE(is_sending) << "or about to: it is stopped, not broken off";
  const berth::test::RunningClock soon(server.clock);
  sender.join();  // the server does not wait for ever
}

TEST(ServerUnreadBody, APeerThatGoesOnSendingSeesTheAnswerBeforeAReset) {  // H7
  TestServer server;
  for (const std::string_view framing : {"Content-Length: 100000000", "Transfer-Encoding: chunked"}) {
    RawClient client = server.connect();
    // More than is drained, so that bytes are left unread at the server.
    const std::string body = framing.starts_with("T") ? "2000000\r\n" : "";
    ASSERT_TRUE(client.send("PUT /deny HTTP/1.1\r\nHost: a\r\n" + std::string(framing) + "\r\n\r\n" + body +
                            make_content(1'500'000)));
    EXPECT_FALSE(client.is_reset_within(100)) << framing;
    EXPECT_EQ(client.read_response().status, 401) << framing;
    EXPECT_TRUE(client.is_at_end()) << framing << ": the server has said all it will";
    EXPECT_TRUE(client.send("and more")) << framing;
  }
}

TEST(ServerUnreadBody, DrainingTakesNoLongerThanItsLimit) {  // H7
  TestServer server;
  RawClient client = server.connect();
  EXPECT_EQ(client.ask("PUT /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello").status, 401);
  server.advance_until_readable(client, 500);
  EXPECT_TRUE(client.is_at_end());
}

}  // namespace
}  // namespace berth::http::test
