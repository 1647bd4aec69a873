#include "response_reader.h"

#include <gtest/gtest.h>

namespace berth::load {
namespace {

using State = ResponseReader::State;

// Feeds the text in pieces of `step` bytes; `body` collects, the return value is what was used.
std::size_t feed(ResponseReader& reader, std::string_view text, std::size_t step, std::string& body) {
  std::size_t used = 0;
  while (used < text.size() && (reader.state() == State::head || reader.state() == State::body)) {
    std::string_view piece;
    used += reader.consume(text.substr(used, step), piece);
    body += piece;
  }
  return used;
}

struct Case {
  std::string_view text;
  bool is_head;
  State state;
  int status;
  std::string_view body;
  std::string_view why;
};

constexpr Case kCases[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, State::done, 200, "hello", "length"},
    {"HTTP/1.1 200 OK\r\ncontent-LENGTH:  0 \r\n\r\n", false, State::done, 200, "",
     "names ignore case, values are trimmed"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, State::done, 200, "", "no body after HEAD"},
    {"HTTP/1.1 304 Not Modified\r\n\r\n", false, State::done, 304, "", "304 has none"},
    {"HTTP/1.1 204\r\n\r\n", false, State::done, 204, "", "a reason is optional"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", false, State::done, 201, "",
     "interim"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nT: 1\r\n\r\n", false,
     State::done, 200, "abc0123456789", "chunks with extension and trailer"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", false, State::body, 200, "hello", "unfinished"},
    {"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n", false, State::bad, 200, "", "no number"},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, State::bad, 200, "", "negative"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false, State::bad, 200, "", "two lengths"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", false, State::bad, 200, "", "unknown coding"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false, State::bad, 200, "", "chunk size"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc", false, State::bad, 200, "",
     "chunk line without CR"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", false, State::bad, 200, "a",
     "more than the chunk"},
    {"HTTP/1.1 2x0 OK\r\n\r\n", false, State::bad, 0, "", "status"},
    {"HTTP/1.1 2000 OK\r\n\r\n", false, State::bad, 200, "", "four digits"},
    {"garbage\r\n\r\n", false, State::bad, 0, "", "no status line"},
    {"\r\n\r\n", false, State::bad, 0, "", "nothing"},
    {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", false, State::bad, 200, "", "no field"},
};

TEST(ResponseReader, EveryPieceSizeGivesTheSame) {
  for (const Case& c : kCases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, c.text.size()}) {
      ResponseReader reader;
      reader.start(c.is_head);
      std::string body;
      feed(reader, c.text, step, body);
      EXPECT_EQ(reader.state(), c.state) << c.why << ", step " << step << ": " << reader.why();
      EXPECT_EQ(body, c.body) << c.why << ", step " << step;
      if (c.state == State::done) {
        EXPECT_EQ(reader.head().status, c.status) << c.why;
        EXPECT_EQ(reader.body_bytes(), c.body.size()) << c.why;
      }
    }
  }
}

TEST(ResponseReader, StopsAtTheEndOfAResponse) {
  ResponseReader reader;
  reader.start(false);
  std::string body;
  EXPECT_EQ(feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1", 100, body), 40U);
  EXPECT_EQ(body, "ok");
}

TEST(ResponseReader, ABodyWithoutLengthLastsUntilTheEnd) {
  ResponseReader reader;
  reader.start(false);
  std::string body;
  feed(reader, "HTTP/1.1 200 OK\r\n\r\nabc", 5, body);
  EXPECT_EQ(reader.state(), State::body);
  EXPECT_EQ(reader.surely_left(), 0U);
  reader.end_of_stream();
  EXPECT_EQ(reader.state(), State::done);
  EXPECT_TRUE(reader.head().close);
}

TEST(ResponseReader, AnEndInsideAResponseIsBad) {
  for (const std::string_view text : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"}) {
    ResponseReader reader;
    reader.start(false);
    std::string body;
    feed(reader, text, 100, body);
    reader.end_of_stream();
    EXPECT_EQ(reader.state(), State::bad) << text;
  }
}

TEST(ResponseReader, SkippedBytesCount) {
  ResponseReader reader;
  reader.start(false);
  std::string body;
  feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 100, body);
  EXPECT_EQ(reader.surely_left(), 7U);
  reader.skip(7);
  EXPECT_EQ(reader.state(), State::done);
  EXPECT_EQ(reader.body_bytes(), 10U);
}

TEST(ResponseReader, AHeadWithoutEndIsBad) {
  ResponseReader reader;
  reader.start(false);
  std::string body;
  feed(reader, "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), 4096, body);
  EXPECT_EQ(reader.state(), State::bad);
}

TEST(ResponseReader, FieldsOfInterest) {
  ResponseReader reader;
  reader.start(true);
  std::string body;
  feed(reader,
       "HTTP/1.1 202 Accepted\r\nLocation: /v2/a\r\nDocker-Content-Digest: sha256:00\r\nLink: <x>\r\nConnection: "
       "close\r\n\r\n",
       3, body);
  EXPECT_EQ(reader.head().location, "/v2/a");
  EXPECT_EQ(reader.head().digest, "sha256:00");
  EXPECT_EQ(reader.head().link, "<x>");
  EXPECT_TRUE(reader.head().close);
}

}  // namespace
}  // namespace berth::load
