#include "http/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace berth::http {
namespace {

using namespace std::string_literals;

Result<ProxyHeader> parse(std::string_view text) { return parse_proxy_header(std::as_bytes(std::span(text))); }

std::string binary(char version_command, char family, const std::string& rest) {
  std::string out("\r\n\r\n\0\r\nQUIT\n"s);
  out += version_command;
  out += family;
  out += static_cast<char>(rest.size() >> 8U);
  out += static_cast<char>(rest.size() & 0xFFU);
  return out + rest;
}

const std::string kV4 = "\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"s;  // 192.0.2.1:56324 → 192.0.2.2:443
const std::string kV6 =
    "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s + std::string(16, '\0') + "\xdc\x04\x01\xbb"s;

TEST(ProxyHeader, WhomTheProxySpeaksFor) {
  const struct {
    std::string header;
    std::string_view source;
    const char* why;
  } rows[] = {
      {"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "192.0.2.1:56324", "version 1"},
      {"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", "[2001:db8::1]:56324", "version 1, IPv6"},
      {"PROXY UNKNOWN\r\n", "", "the proxy does not know"},
      {"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "", "what follows UNKNOWN is ignored"},
      {binary('\x21', '\x11', kV4), "192.0.2.1:56324", "version 2"},
      {binary('\x21', '\x21', kV6), "[2001:db8::1]:56324", "version 2, IPv6"},
      {binary('\x21', '\x11', kV4 + "\x04\x00\x01x"s), "192.0.2.1:56324", "extensions are skipped"},
      {binary('\x20', '\x00', ""), "", "LOCAL: a health check"},
      {binary('\x21', '\x00', ""), "", "unspecified family"},
      {binary('\x21', '\x31', std::string(216, 'u')), "", "a Unix socket"},
  };
  for (const auto& row : rows) {
    const auto header = parse(row.header + "GET / HTTP/1.1\r\n");
    ASSERT_TRUE(header.has_value()) << row.why;
    EXPECT_EQ(header->bytes, row.header.size()) << row.why;
    EXPECT_EQ(header->source, row.source) << row.why;
    for (std::size_t n = 0; n < row.header.size(); ++n) {
      const auto part = parse(row.header.substr(0, n));
      ASSERT_TRUE(part.has_value()) << row.why << ": " << n;
      EXPECT_EQ(part->bytes, 0U) << row.why << ": " << n << " bytes are a beginning";
    }
  }
}

TEST(ProxyHeader, WhatIsNotOneIsMalformed) {
  const struct {
    std::string bytes;
    const char* why;
  } rows[] = {
      {"GET / HTTP/1.1\r\n", "no header at all"},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n", "a port is missing"},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n", "a word too many"},
      {"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "the family does not fit"},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 70000 443\r\n", "no port"},
      {"PROXY TCP4 192.0.2.256 192.0.2.2 1 443\r\n", "no address"},
      {"PROXY UDP4 192.0.2.1 192.0.2.2 1 443\r\n", "no family"},
      {"PROXY " + std::string(200, 'x'), "a line that does not end"},
      {binary('\x11', '\x11', kV4), "another version"},
      {binary('\x22', '\x11', kV4), "an unknown command"},
      {binary('\x21', '\x11', "short"), "too short for its family"},
      {binary('\x21', '\x21', kV4), "too short for IPv6"},
      {binary('\x21', '\x11', std::string(5000, 'x')), "too long"},
  };
  for (const auto& row : rows) EXPECT_FALSE(parse(row.bytes).has_value()) << row.why;
}

}  // namespace
}  // namespace berth::http
