#include "http/response_writer.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

std::string head_of(const Response& response, const HeadFrame& frame) {
  std::string out;
  append_head(out, response, frame);
  return out;
}

TEST(ResponseWriter, Head) {
  Response response{.status = 201};
  response.add("Location", "/v2/a/blobs/sha256:ab").add("Docker-Upload-UUID", "1");
  EXPECT_EQ(head_of(response, {.date = "D", .content_length = 0}),
            "HTTP/1.1 201 Created\r\nDate: D\r\nLocation: /v2/a/blobs/sha256:ab\r\nDocker-Upload-UUID: 1\r\n"
            "Content-Length: 0\r\n\r\n")
      << "H2: an explicit zero";
  EXPECT_EQ(head_of(Response{}, {.date = "D", .content_length = 7, .connection = HeadFrame::Connection::close}),
            "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 7\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(head_of(Response{}, {.date = "D", .content_length = 7, .connection = HeadFrame::Connection::keep_alive}),
            "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseWriter, AReasonOfOnesOwnIsSentIfItFitsOnAStatusLine) {  // S23
  const struct {
    std::string reason;
    std::string_view line;
  } rows[] = {{"", "HTTP/1.1 503 Service Unavailable\r\n"},
              {"the disk is full: wait", "HTTP/1.1 503 the disk is full: wait\r\n"},
              {"a\r\nX: b", "HTTP/1.1 503 Service Unavailable\r\n"},
              {std::string("a\0b", 3), "HTTP/1.1 503 Service Unavailable\r\n"}};
  for (const auto& row : rows) {
    const std::string head = head_of({.status = 503, .reason = row.reason, .field_lines = {}}, {.date = "D"});
    EXPECT_TRUE(head.starts_with(row.line)) << head;
  }
}

TEST(ResponseWriter, NoLengthWhereNoBodyCanBe) {  // H2
  for (const int status : {100, 204, 304}) {
    EXPECT_TRUE(is_bodyless(status));
    EXPECT_EQ(head_of(Response{.status = status}, {.date = "D", .content_length = 5}).find("Content-Length"),
              std::string::npos)
        << status;
  }
  for (const int status : {200, 201, 202, 206, 307, 401, 404, 416, 500}) EXPECT_FALSE(is_bodyless(status)) << status;
}

TEST(ResponseWriter, UnsafeFieldsAreLeftOut) {  // S23
  const struct {
    std::string name;
    std::string value;
    const char* why;
  } rows[] = {
      {"X", "a\r\nSet-Cookie: b", "response splitting"},
      {"X", "a\nb", "line feed"},
      {"X", std::string("a\0b", 3), "NUL"},
      {"X", "a\x7f", "DEL"},
      {"X\r\nY", "a", "line end in the name"},
      {"X Y", "a", "space in the name"},
      {"", "a", "no name"},
      {"content-length", "5", "the server's own"},
      {"Transfer-Encoding", "chunked", "the server's own"},
      {"Connection", "upgrade", "the server's own"},
  };
  for (const auto& row : rows) {
    Response response;
    response.add(row.name, row.value).add("Kept", "yes");
    EXPECT_EQ(response.left_out_count, 1u) << row.why;
    EXPECT_EQ(head_of(response, {.date = "D", .content_length = 0}),
              "HTTP/1.1 200 OK\r\nDate: D\r\nKept: yes\r\nContent-Length: 0\r\n\r\n")
        << row.why;
  }
}

TEST(DateCache, FormatsTheSecond) {
  DateCache cache;
  EXPECT_EQ(cache.at(784'111'777'000), "Sun, 06 Nov 1994 08:49:37 GMT") << "RFC 9110's example";
  EXPECT_EQ(cache.at(784'111'777'999), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cache.at(784'111'778'000), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(cache.at(1'709'164'800'000), "Thu, 29 Feb 2024 00:00:00 GMT");
  EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace berth::http
