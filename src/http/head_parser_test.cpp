#include "http/head_parser.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

Result<Request> parse(std::string_view bytes, HeadParser::Limits limits = {}) {
  HeadParser parser(limits);
  Request request;
  BERTH_TRY(const std::size_t length, parser.feed(bytes, request));
  EXPECT_EQ(length, bytes.size()) << bytes;
  return request;
}

TEST(HeadParser, Request) {
  const std::string bytes =
      "PATCH /v2/a/blobs/uploads/1?_state=x%3D HTTP/1.1\r\nHost: reg:5000\r\nContent-Range:  0-1 \t\r\n"
      "Accept: a\r\naccept: b\r\nX-Empty:\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
  const Result<Request> request = parse(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, Method::patch);
  EXPECT_EQ(request->method_text, "PATCH");
  EXPECT_EQ(request->target, "/v2/a/blobs/uploads/1?_state=x%3D");
  EXPECT_EQ(request->path, "/v2/a/blobs/uploads/1");
  EXPECT_EQ(request->query, "_state=x%3D");
  EXPECT_EQ(request->find("content-range"), "0-1") << "white space around a value is not part of it";
  EXPECT_EQ(request->find("x-empty"), "");
  EXPECT_EQ(request->find("x-none"), std::nullopt);
  EXPECT_EQ(request->joined("ACCEPT"), "a, b");
  EXPECT_EQ(request->joined("x-none"), "");
  EXPECT_EQ(request->content_length, 2u);
  EXPECT_TRUE(request->expect_continue);
  EXPECT_TRUE(request->keep_alive);
  EXPECT_TRUE(request->has_body());
  EXPECT_EQ(request->version_minor, 1);
}

TEST(HeadParser, ResumesAtEveryByte) {
  const std::string bytes = "GET /v2/ HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n";
  for (std::size_t step = 1; step < bytes.size(); ++step) {
    HeadParser parser({});
    Request request;
    for (std::size_t end = step; end < bytes.size(); end += step) {
      // Another buffer each time, as when the connection's grows.
      const std::string moved = bytes.substr(0, end);
      const Result<std::size_t> length = parser.feed(moved, request);
      ASSERT_TRUE(length) << step;
      ASSERT_EQ(*length, 0u) << step;
    }
    const std::string with_rest = bytes + "rest";
    const Result<std::size_t> length = parser.feed(with_rest, request);
    ASSERT_TRUE(length) << step;
    EXPECT_EQ(*length, bytes.size()) << step;
    EXPECT_EQ(request.path, "/v2/") << step;
    EXPECT_EQ(request.find("x"), "1") << step;
  }
}

struct TargetRow {
  const char* line;
  const char* target;  // nullptr: refused
  const char* why;
};

TEST(HeadParser, Targets) {  // G6, S23
  const TargetRow rows[] = {
      {"GET / HTTP/1.1", "/", "root"},
      {"GET //a HTTP/1.1", "//a", "never normalised"},
      {"GET /a?b?c HTTP/1.1", "/a?b?c", "a question mark in the query"},
      {"GET http://reg.example.com:5000/v2/?n=1 HTTP/1.1", "/v2/?n=1", "absolute form"},
      {"GET HTTPS://reg.example.com/v2/ HTTP/1.1", "/v2/", "absolute form, scheme in any case"},
      {"GET http://reg.example.com HTTP/1.1", "/", "absolute form without a path"},
      {"GET http://[::1]:5000/x HTTP/1.1", "/x", "absolute form with an IPv6 address"},
      {"OPTIONS * HTTP/1.1", "*", "asterisk form"},
      {"GET * HTTP/1.1", nullptr, "asterisk form is for OPTIONS"},
      {"GET v2/ HTTP/1.1", nullptr, "no leading slash"},
      {"GET ftp://a/b HTTP/1.1", nullptr, "another scheme"},
      {"GET http:///v2/ HTTP/1.1", nullptr, "empty authority"},
      {"GET http://user@a/v2/ HTTP/1.1", nullptr, "user info"},
      {"GET http://a?n=1 HTTP/1.1", nullptr, "query without a path"},
      {"CONNECT a:443 HTTP/1.1", nullptr, "authority form"},
      {"GET /a b HTTP/1.1", nullptr, "space"},
      {"GET /a\tb HTTP/1.1", nullptr, "tab"},
      {"GET /a#b HTTP/1.1", nullptr, "fragment"},
      {"GET /\xc3\xa9 HTTP/1.1", nullptr, "raw bytes beyond ASCII"},
      {"GET  / HTTP/1.1", nullptr, "two spaces"},
      {"GET /  HTTP/1.1", nullptr, "two spaces"},
      {"GET\t/ HTTP/1.1", nullptr, "tab as a separator"},
      {" GET / HTTP/1.1", nullptr, "leading space"},
      {"GET /", nullptr, "HTTP/0.9"},
      {"GET / HTTP/1.1 ", nullptr, "trailing space"},
      {"GET / HTTP/1.2", nullptr, "unknown version"},
      {"GET / HTTP/2.0", nullptr, "unknown version"},
      {"GET / http/1.1", nullptr, "lowercase version"},
      {"GET / HTTP/1.10", nullptr, "long version"},
      {"G@T / HTTP/1.1", nullptr, "method is no token"},
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ / HTTP/1.1", nullptr, "endless method"},
  };
  for (const TargetRow& row : rows) {
    const std::string bytes = std::string(row.line) + "\r\nHost: a\r\n\r\n";
    const Result<Request> request = parse(bytes);
    ASSERT_EQ(request.has_value(), row.target != nullptr) << row.line << ": " << row.why;
    if (request) {
      EXPECT_EQ(request->target, row.target) << row.line << ": " << row.why;
    } else {
      EXPECT_EQ(request.error().code, Errc::request_malformed) << row.line << ": " << row.why;
    }
  }
}

TEST(HeadParser, Fields) {  // S23
  const struct {
    const char* line;
    const char* value;  // of "X"; nullptr: refused
    const char* why;
  } rows[] = {
      {"X: a", "a", "the usual"},
      {"X:a", "a", "no space is needed"},
      {"x:\t a b\t", "a b", "white space around, not within"},
      {"X:", "", "empty"},
      {"X: a:b", "a:b", "a colon in the value"},
      {"X: \xff", "\xff", "obs-text"},
      {"X : a", nullptr, "space in front of the colon"},
      {"X\t: a", nullptr, "tab in front of the colon"},
      {"X y: a", nullptr, "space in the name"},
      {"X", nullptr, "no colon"},
      {": a", nullptr, "no name"},
      {"X\x80: a", nullptr, "a name beyond ASCII"},
      {"(X): a", nullptr, "a name that is no token"},
      {"X: a\x7f", nullptr, "control byte"},
      {"X: \x01", nullptr, "control byte"},
      {"Connection: a b", nullptr, "options are tokens"},
      {"Connection: close, \"a\"", nullptr, "options are tokens"},
  };
  for (const auto& row : rows) {
    const std::string bytes = std::string("GET / HTTP/1.1\r\nHost: a\r\n") + row.line + "\r\n\r\n";
    const Result<Request> request = parse(bytes);
    ASSERT_EQ(request.has_value(), row.value != nullptr) << row.line << ": " << row.why;
    if (request) {
      EXPECT_EQ(request->find("X"), row.value) << row.line << ": " << row.why;
    } else {
      EXPECT_EQ(request.error().code, Errc::request_malformed) << row.line << ": " << row.why;
    }
  }
}

TEST(HeadParser, Methods) {
  const struct {
    const char* text;
    Method method;
  } rows[] = {{"GET", Method::get},         {"HEAD", Method::head},   {"POST", Method::post},
              {"PUT", Method::put},         {"PATCH", Method::patch}, {"DELETE", Method::delete_},
              {"OPTIONS", Method::options}, {"TRACE", Method::other}, {"get", Method::other},
              {"M-SEARCH", Method::other},  {"FOO", Method::other}};
  for (const auto& row : rows) {
    const std::string bytes = std::string(row.text) + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    const Result<Request> request = parse(bytes);
    ASSERT_TRUE(request) << row.text;
    EXPECT_EQ(request->method, row.method) << row.text;
    EXPECT_EQ(request->method_text, row.text);
  }
}

TEST(HeadParser, KeepAlive) {  // H6
  const struct {
    const char* version;
    const char* connection;
    bool keep_alive;
  } rows[] = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: Foo, CLOSE\r\n", false},
      {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.1", "Connection: keep-alive\r\n", true},
      {"1.0", "", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const auto& row : rows) {
    const std::string bytes = std::string("GET / HTTP/") + row.version + "\r\nHost: a\r\n" + row.connection + "\r\n";
    const Result<Request> request = parse(bytes);
    ASSERT_TRUE(request) << bytes;
    EXPECT_EQ(request->keep_alive, row.keep_alive) << bytes;
  }
}

TEST(HeadParser, OldClients) {
  const Result<Request> request = parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(request) << "HTTP/1.0 needs no Host";
  EXPECT_FALSE(request->expect_continue) << "HTTP/1.0 knows no 100 (RFC 9110 §10.1.1)";
  EXPECT_EQ(request->version_minor, 0);
}

TEST(HeadParser, Limits) {  // G8
  const auto with_target = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  const auto with_fields = [](std::size_t size) {
    return "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(size - 14, 'a') + "\r\n\r\n";
  };
  const auto with_count = [](std::size_t count) {
    std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < count; ++i) bytes += "X: a\r\n";
    return bytes + "\r\n";
  };
  const auto status_of = [](const std::string& bytes) -> std::uint64_t {
    const Result<Request> request = parse(bytes);
    if (request) return 0;
    EXPECT_EQ(request.error().code, Errc::request_too_large);
    return request.error().number;
  };
  EXPECT_EQ(status_of(with_target(8 * 1024)), 0u);
  EXPECT_EQ(status_of(with_target(16 * 1024)), 0u);
  EXPECT_EQ(status_of(with_target(16 * 1024 + 1)), 414u);
  EXPECT_EQ(status_of(with_target(20 * 1024)), 414u);
  EXPECT_EQ(status_of(with_fields(32 * 1024)), 0u);
  EXPECT_EQ(status_of(with_fields(64 * 1024)), 0u);
  EXPECT_EQ(status_of(with_fields(64 * 1024 + 1)), 431u);
  EXPECT_EQ(status_of(with_count(200)), 0u);
  EXPECT_EQ(status_of(with_count(201)), 431u);
}

TEST(HeadParser, RefusesBeforeTheEndOfTheHead) {  // S22: no need to wait for more
  const struct {
    std::string bytes;
    Errc code;
    const char* why;
  } rows[] = {
      {std::string("\x16\x03\x01\x02\x00", 5), Errc::request_malformed, "a TLS hello"},
      {"GET / HTTP/1.1\n", Errc::request_malformed, "bare line feed"},
      {"GET / HTTP/1.1\r\nA: b\n", Errc::request_malformed, "bare line feed in the fields"},
      {std::string("GET / HTTP/1.1\r\nA: \0", 20), Errc::request_malformed, "NUL"},
      {"GET / HTTP/1.1\r\nA: b\r\n c\r\n", Errc::request_malformed, "folded field"},
      {std::string(40, 'x'), Errc::request_malformed, "no method is that long"},
      {"GET /" + std::string(17 * 1024, 'x'), Errc::request_too_large, "endless target"},
      {"GET / HTTP/1.1\r\nA: " + std::string(65 * 1024, 'x'), Errc::request_too_large, "endless field"},
  };
  for (const auto& row : rows) {
    HeadParser parser({});
    Request request;
    const Result<std::size_t> length = parser.feed(row.bytes, request);
    ASSERT_FALSE(length) << row.why;
    EXPECT_EQ(length.error().code, row.code) << row.why;
  }
}

}  // namespace
}  // namespace berth::http
