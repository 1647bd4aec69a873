// What two readers could understand differently is refused, and the connection with it (S23).
#include "http/test_server.h"

namespace berth::http::test {
namespace {

using namespace std::string_literals;

TEST(ServerSmuggling, Table) {  // S23, H6
  const struct {
    std::string bytes;
    int status;
    const char* why;
  } rows[] = {
      // Framing.
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       "CL + TE"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400,
       "TE + CL"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, "two lengths"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400,
       "one length, twice"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello", 400, "list of lengths"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", 400, "sign"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello", 400, "negative"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello", 400, "hex"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nhello", 400, "two numbers"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhello", 400, "empty length"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nhello", 400, "beyond 64 bits"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, "another coding"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400, "identity"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "almost chunked"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400, "quoted"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, "twice chunked"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400, "two fields"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", 400, "empty coding"},
      {"PUT /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "chunked in HTTP/1.0"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "space before the colon"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b"
       "chunked\r\n\r\n0\r\n\r\n",
       400, "vertical tab"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n", 400, "folded field"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n", 400, "folded field, tab"},
      {"PUT /echo HTTP/1.1\r\n Host: a\r\n\r\n", 400, "folded request line"},
      // Line ends.
      {"GET / HTTP/1.1\nHost: a\n\n", 400, "bare line feeds"},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "one bare line feed"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400, "bare carriage return"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\r\n\r\n", 400, "two carriage returns"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\rX", 400, "carriage return at the end"},
      // Bytes.
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s, 400, "NUL in a value"},
      {"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, 400, "NUL in the target"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01"
       "b\r\n\r\n",
       400, "control byte in a value"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x7f\r\n\r\n", 400, "DEL in a value"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX\x80: a\r\n\r\n", 400, "byte beyond ASCII in a name"},
      {"GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n", 400, "field without a name"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400, "field without a colon"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX Y: a\r\n\r\n", 400, "space in a name"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX(: a\r\n\r\n", 400, "delimiter in a name"},
      // Host.
      {"GET / HTTP/1.1\r\n\r\n", 400, "no Host"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "two Hosts"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "space in Host"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "path in Host"},
      {"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", 400, "user info in Host"},
      // Other protocols.
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "HTTP/2 without TLS"},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400, "TLS on the plain port"},
      {"EHLO there\r\n", 400, "a mail client"},
      {"\r\n\r\n\r\n", 400, "empty lines without end"},
  };
  TestServer server;
  for (const auto& row : rows) {
    RawClient client = server.connect();
    const RawResponse response = client.ask(row.bytes);
    EXPECT_EQ(response.status, row.status) << row.why;
    EXPECT_EQ(response.field("Connection"), "close") << row.why;
    EXPECT_TRUE(client.is_at_end()) << row.why;
  }
}

TEST(ServerSmuggling, WhatIsUnusualButClearIsServed) {
  const struct {
    std::string bytes;
    std::string body;
    const char* why;
  } rows[] = {
      {"GET /x HTTP/1.1\r\nHost:\r\n\r\n", "/x", "empty Host (RFC 9112 §3.2)"},
      {"GET /x HTTP/1.1\r\nhOST:a\r\n\r\n", "/x", "no white space, odd case"},
      {"GET /x HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n", "/x", "IPv6 Host"},
      {"GET /x HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\r\n\r\n", "/x", "obs-text in a value"},
      {"GET http://other/x HTTP/1.1\r\nHost: a\r\n\r\n", "/x", "absolute form"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\ncontent-length: 005\r\n\r\nhello", "hello", "leading zeros"},
      {"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello",
       "case of the coding"},
      {"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "/x", "GET with a body"},
      {"DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n", "/x", "no body, no length"},
      {"FOO /x HTTP/1.1\r\nHost: a\r\n\r\n", "/x", "unknown methods are the handler's business"},
  };
  TestServer server;
  RawClient client = server.connect();
  for (const auto& row : rows) EXPECT_EQ(client.ask(row.bytes).body, row.body) << row.why;
}

}  // namespace
}  // namespace berth::http::test
