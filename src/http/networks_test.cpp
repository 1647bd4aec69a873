#include "http/networks.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

Networks networks(const std::vector<std::string>& texts) { return *Networks::parse(texts); }

TEST(Networks, Membership) {
  const Networks some = networks({"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "172.16.0.0/12"});
  const struct {
    std::string_view peer;
    bool inside;
  } rows[] = {{"10.255.0.1:1", true},        {"11.0.0.1:1", false},     {"192.0.2.7:80", true},
              {"192.0.2.8:80", false},       {"[2001:db8::5]:1", true}, {"[2001:db9::5]:1", false},
              {"172.31.255.255:1", true},    {"172.32.0.0:1", false},   {"unix", false},
              {"[::ffff:10.1.1.1]:1", true}, {"nonsense", false},       {"", false}};
  for (const auto& row : rows) EXPECT_EQ(some.contains_peer(row.peer), row.inside) << row.peer;
  EXPECT_TRUE(networks({"unix"}).contains_peer("unix"));
  EXPECT_TRUE(networks({"0.0.0.0/0"}).contains_peer("203.0.113.1:1"));
  EXPECT_FALSE(networks({"0.0.0.0/0"}).contains_peer("[2001:db8::1]:1"));
  EXPECT_TRUE(networks({}).empty());
}

TEST(Networks, WhatIsNoNetworkIsNamed) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "2001:db8::/129", "example.com", "10.0.0"}) {
    const auto parsed = Networks::parse({text});
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_NE(parsed.error().message.find(text), std::string::npos);
  }
}

TEST(ClientAddress, IsTheLastOneThatNoTrustedProxyHas) {
  const Networks trusted = networks({"10.0.0.0/8"});
  const struct {
    std::string_view peer;
    std::vector<std::string_view> forwarded;
    std::string_view client;
    const char* why;
  } rows[] = {
      {"192.0.2.1:9", {"203.0.113.5"}, "192.0.2.1", "a stranger's word is not taken"},
      {"10.0.0.1:9", {}, "10.0.0.1", "the proxy itself"},
      {"10.0.0.1:9", {"203.0.113.5"}, "203.0.113.5", "a client behind a proxy"},
      {"10.0.0.1:9", {"1.1.1.1, 203.0.113.5, 10.0.0.2"}, "203.0.113.5", "what stands left of a stranger is hearsay"},
      {"10.0.0.1:9", {"1.1.1.1", "203.0.113.5"}, "203.0.113.5", "two fields are one list"},
      {"10.0.0.1:9", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3", "trusted all the way"},
      {"10.0.0.1:9", {"203.0.113.5:1234"}, "203.0.113.5", "with a port"},
      {"10.0.0.1:9", {"[2001:db8::1]:1234"}, "2001:db8::1", "IPv6 with a port"},
      {"10.0.0.1:9", {"203.0.113.5, unknown"}, "10.0.0.1", "nonsense ends it"},
      {"[2001:db8::9]:9", {}, "2001:db8::9", "IPv6 peer"},
      {"unix", {}, "unix", "a Unix socket has no address"},
  };
  for (const auto& row : rows) {
    Request request;
    for (const std::string_view value : row.forwarded) request.fields.push_back({"X-Forwarded-For", value});
    EXPECT_EQ(client_address(request, row.peer, trusted), row.client) << row.why;
  }
}

}  // namespace
}  // namespace berth::http
