// Answers from stored bytes: whole, in ranges, with and without a descriptor, to slow and vanishing readers.
#include "http/multipart.h"
#include "http/test_server.h"

namespace berth::http::test {
namespace {

constexpr std::size_t kSize = 5'000'000;  // several windows and an odd rest

class ServerSend : public ::testing::TestWithParam<const char*> {
 protected:
  ServerSend() : content_(make_content(kSize)) {
    if (std::string_view(GetParam()) == "file") {
      server_.toy.source = std::make_shared<FileSource>(content_);
    } else {
      server_.toy.source = std::make_shared<MemorySource>(content_);
    }
  }
  std::string slice(std::uint64_t first, std::uint64_t length) const { return content_.substr(first, length); }

  std::string content_;
  TestServer server_;
};

INSTANTIATE_TEST_SUITE_P(Sources, ServerSend, ::testing::Values("file", "memory"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(ServerSend, Slices) {  // P1, P2
  RawClient client = server_.connect();
  const struct {
    std::uint64_t first;
    std::uint64_t length;
  } rows[] = {{0, kSize},    {0, 0}, {0, 1}, {kSize - 1, 1}, {1, 32 * 1024}, {7, 32 * 1024 + 1}, {999'999, 1024 * 1024},
              {3, kSize - 3}};
  for (const auto& row : rows) {
    server_.toy.parts = {{"", row.first, row.length}};
    const RawResponse response = client.ask(get("/source"));
    EXPECT_EQ(response.field("Content-Length"), std::to_string(row.length));
    EXPECT_TRUE(response.body == slice(row.first, row.length)) << row.first << "+" << row.length;
  }
}

TEST_P(ServerSend, Multipart) {  // P3
  std::vector<ByteRange> ranges;
  ranges.reserve(302);
  for (std::uint64_t i = 0; i < 300; ++i) ranges.push_back({i * 1'000, i * 1'000 + 10 * i});
  ranges.push_back({1'000'000, 3'999'999});
  ranges.push_back({5, 5});
  server_.toy.parts = make_multipart("BOUNDARY", ranges, kSize).parts;
  std::string expected;
  for (const BodyPart& part : server_.toy.parts) expected += part.text + slice(part.offset_bytes, part.length_bytes);

  RawClient client = server_.connect();
  const RawResponse response = client.ask(get("/source"));
  EXPECT_EQ(response.field("Content-Length"), std::to_string(expected.size()));
  EXPECT_TRUE(response.body == expected);
  EXPECT_EQ(client.ask(get("/next")).body, "/next");
}

TEST_P(ServerSend, HeadSendsTheLengthOnly) {  // H2
  server_.toy.parts = {{"text", 0, kSize}};
  RawClient client = server_.connect();
  const RawResponse response = client.ask("HEAD /source HTTP/1.1\r\nHost: a\r\n\r\n", Body::none);
  EXPECT_EQ(response.field("Content-Length"), std::to_string(kSize + 4));
  EXPECT_EQ(client.ask(get("/next")).body, "/next");
}

TEST_P(ServerSend, SlowReadersGetEverything) {
  server_.toy.parts = {{"", 0, kSize}};
  RawClient client = server_.connect(4096);  // a small window: the server has to wait many times
  EXPECT_TRUE(client.ask(get("/source")).body == content_);
}

TEST_P(ServerSend, ReadersThatStopAreCutOff) {  // S22
  server_.toy.parts = {{"", 0, kSize}};
  RawClient client = server_.connect(4096);
  client.send(get("/source"));
  ASSERT_TRUE(client.is_readable_within(20'000));
  std::thread ticker([&] {
    while (server_.server.connection_count() > 0) server_.clock.advance_ms(1'000);
  });
  EXPECT_EQ(server_.toy.journal.line(0), "send: disconnected");
  ticker.join();
  EXPECT_LT(client.read_all().size(), kSize);
}

TEST_P(ServerSend, VanishingReadersAreDisconnected) {
  server_.toy.parts = {{"", 0, kSize}};
  RawClient client = server_.connect(4096);
  client.send(get("/source"));
  ASSERT_TRUE(client.is_readable_within(20'000));
  client.reset();
  EXPECT_EQ(server_.toy.journal.line(0), "send: disconnected");
}

TEST_P(ServerSend, SeveralAtOnceOnOneCore) {
  server_.toy.parts = {{"", 0, kSize}};
  std::vector<RawClient> clients;
  clients.reserve(16);
  for (int i = 0; i < 16; ++i) clients.push_back(server_.connect());
  for (RawClient& client : clients) client.send(get("/source"));
  for (RawClient& client : clients) EXPECT_TRUE(client.read_response().body == content_);
}

TEST(ServerSendFailure, SourceErrorsCutTheAnswerShort) {
  TestServer server;
  const auto source = std::make_shared<MemorySource>(make_content(kSize));
  source->fail_beyond = 1'000'000;
  server.toy.source = source;
  server.toy.parts = {{"", 0, kSize}};
  RawClient client = server.connect();
  const RawResponse response = client.ask(get("/source"));
  EXPECT_LT(response.body.size(), kSize) << "the missing bytes are missed, not made up";
  EXPECT_TRUE(client.is_at_end());
  EXPECT_EQ(server.toy.journal.line(0), "send: io_failed");
}

TEST(ServerSendFailure, TruncatedFilesAreCorrupt) {
  TestServer server;
  const auto source = std::make_shared<FileSource>(make_content(kSize));
  server.toy.parts = {{"", 0, kSize}};
  source->truncate(2'000'000);
  server.toy.source = source;
  RawClient client = server.connect();
  EXPECT_EQ(client.ask(get("/source")).body.size(), 2'000'000u);
  EXPECT_TRUE(client.is_at_end());
  EXPECT_EQ(server.toy.journal.line(0), "send: corrupt");
}

TEST(ServerSendFailure, PromisedBodiesThatDoNotComeEndTheConnection) {
  TestServer server;
  RawClient client = server.connect();
  client.send(get("/head"));
  EXPECT_EQ(client.read_response(Body::none).field("Content-Length"), "12345");
  EXPECT_TRUE(client.is_at_end());
}

}  // namespace
}  // namespace berth::http::test
