#include "http/chunked.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace berth::http {
namespace {

struct Decoded {
  std::string data;
  std::string rest;  // behind the body
  bool done = false;
};

/// Feeds `wire` in pieces of `step` bytes; nullopt if the decoder refuses.
std::optional<Decoded> decode(const std::string& wire, std::size_t step) {
  ChunkedDecoder decoder;
  Decoded out;
  std::size_t position = 0;
  while (position < wire.size() && !decoder.done()) {
    std::string_view piece = std::string_view(wire).substr(position, step);
    while (!piece.empty() && !decoder.done()) {
      if (decoder.data_left() > 0) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(decoder.data_left(), piece.size()));
        out.data += piece.substr(0, count);
        decoder.take(count);
        piece.remove_prefix(count);
        position += count;
        continue;
      }
      const Result<std::size_t> used = decoder.feed(piece);
      if (!used) {
        EXPECT_EQ(used.error().code, Errc::size_invalid);
        return std::nullopt;
      }
      piece.remove_prefix(*used);
      position += *used;
    }
  }
  out.rest = wire.substr(position);
  out.done = decoder.done();
  return out;
}

TEST(ChunkedDecoder, AcceptsTheGrammarHoweverItIsCut) {  // H6
  const struct {
    std::string wire;
    std::string data;
    std::string rest;
    const char* why;
  } rows[] = {
      {"0\r\n\r\n", "", "", "empty body"},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", "", "one chunk"},
      {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", "", "two chunks"},
      {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", "", "lowercase hex"},
      {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", "", "uppercase hex"},
      {"000000000000000a\r\n0123456789\r\n000\r\n\r\n", "0123456789", "", "leading zeros, 16 digits"},
      {"3;name=value\r\nabc\r\n0;x=\"y\"\r\n\r\n", "abc", "", "extensions are ignored"},
      {"3\r\n\r\n\n\r\n0\r\n\r\n", "\r\n\n", "", "data may look like framing"},
      {"0\r\nA: b\r\nC: d\r\n\r\n", "", "", "trailers are discarded"},
      {"1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "x", "GET / HTTP/1.1\r\n", "the next request is left alone"},
  };
  for (const auto& row : rows) {
    for (std::size_t step = 1; step <= row.wire.size(); ++step) {
      const auto decoded = decode(row.wire, step);
      ASSERT_TRUE(decoded) << row.why << " in steps of " << step;
      EXPECT_TRUE(decoded->done) << row.why << " in steps of " << step;
      EXPECT_EQ(decoded->data, row.data) << row.why << " in steps of " << step;
      EXPECT_EQ(decoded->rest, row.rest) << row.why << " in steps of " << step;
    }
  }
}

TEST(ChunkedDecoder, RefusesEverythingElse) {  // S23
  const struct {
    std::string wire;
    const char* why;
  } rows[] = {
      {"\r\n", "no size"},
      {"g\r\n", "not hex"},
      {"0x5\r\nhello", "prefix"},
      {"+5\r\nhello", "sign"},
      {" 5\r\nhello", "white space before the size"},
      {"5 \r\nhello", "white space behind the size"},
      {"5\nhello\n0\n\n", "bare line feeds"},
      {"5\rhello", "bare carriage return"},
      {"5\r\nhelloX\r\n", "data longer than its size"},
      {"5\r\nhello\n0\r\n\r\n", "bare line feed behind the data"},
      {"5\r\nhello\rX", "carriage return without line feed behind the data"},
      {"00000000000000001\r\nx", "17 digits"},
      {"ffffffffffffffff0\r\nx", "beyond 64 bits"},
      {"3;a\nb\r\nabc", "line feed inside an extension"},
      {std::string("3;a\0b\r\nabc", 10), "NUL inside an extension"},
      {"0\r\n\nX", "bare line feed at the end"},
      {"0\r\n\rX", "carriage return without line feed at the end"},
      {"0\r\nA: b\n\r\n", "bare line feed in the trailers"},
      {"0\r\n A: b\r\n\r\n", "folded trailer"},
      {"0\r\n: b\r\n\r\n", "trailer without a name"},
      {"3;" + std::string(17 * 1024, 'x'), "an extension without end"},
      {"0\r\nA: " + std::string(9 * 1024, 'x'), "trailers without end"},
  };
  for (const auto& row : rows) {
    for (const std::size_t step : {std::size_t{1}, row.wire.size()}) {
      EXPECT_FALSE(decode(row.wire, step)) << row.why << " in steps of " << step;
    }
  }
}

TEST(ChunkedDecoder, FramingMustBePaidForByData) {  // S22
  std::string tiny_chunks;
  for (int i = 0; i < 5'000; ++i) tiny_chunks += "1\r\nx\r\n";
  EXPECT_TRUE(decode(tiny_chunks + "0\r\n\r\n", 4096)) << "small chunks alone are honest";

  std::string padded;
  for (int i = 0; i < 5'000; ++i) padded += "1;" + std::string(100, 'x') + "\r\nx\r\n";
  EXPECT_FALSE(decode(padded + "0\r\n\r\n", 4096)) << "hundred bytes of extension for each byte of data";
}

TEST(ChunkedDecoder, LargestSize) {
  ChunkedDecoder decoder;
  ASSERT_TRUE(decoder.feed("ffffffffffffffff\r\n"));
  EXPECT_EQ(decoder.data_left(), UINT64_MAX);
  decoder.take(UINT64_MAX);
  ASSERT_TRUE(decoder.feed("\r\n0\r\n\r\n"));
  EXPECT_TRUE(decoder.done());
}

}  // namespace
}  // namespace berth::http
