// S17: where a request of ours may not go unless somebody listed it.
#include "http/public_address.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

constexpr struct {
  const char* address;
  bool is_public;
  const char* why;
} kRows[] = {
    {"8.8.8.8", true, "somebody's server"},
    {"1.1.1.1", true, "somebody's server"},
    {"0.0.0.0", false, "this machine, on Linux"},
    {"0.255.255.255", false, "this network"},
    {"1.0.0.0", true, "behind it"},
    {"9.255.255.255", true, "before 10/8"},
    {"10.0.0.1", false, "private"},
    {"10.255.255.255", false, "private to its end"},
    {"11.0.0.0", true, "behind 10/8"},
    {"100.63.255.255", true, "before the shared network"},
    {"100.64.0.1", false, "shared behind one address of a provider"},
    {"100.100.100.200", false, "metadata of Alibaba"},
    {"100.127.255.255", false, "its end"},
    {"100.128.0.0", true, "behind it"},
    {"126.255.255.255", true, "before loopback"},
    {"127.0.0.1", false, "loopback"},
    {"127.255.255.254", false, "all of it"},
    {"128.0.0.0", true, "behind it"},
    {"168.63.129.15", true, "a neighbour"},
    {"168.63.129.16", false, "Azure's own"},
    {"169.253.255.255", true, "before link-local"},
    {"169.254.169.254", false, "metadata of most clouds"},
    {"169.255.0.0", true, "behind it"},
    {"172.15.255.255", true, "before 172.16/12"},
    {"172.16.0.1", false, "private"},
    {"172.31.255.255", false, "its last"},
    {"172.32.0.1", true, "behind it"},
    {"192.0.0.192", false, "metadata of Oracle"},
    {"192.0.1.0", true, "between two reserved ones"},
    {"192.0.2.1", false, "documentation"},
    {"192.88.99.1", false, "relays of 6to4"},
    {"192.168.1.1", false, "private"},
    {"192.169.0.0", true, "behind it"},
    {"198.17.255.255", true, "before the benchmarks"},
    {"198.18.0.1", false, "benchmarks"},
    {"198.19.255.255", false, "their end"},
    {"198.51.100.7", false, "documentation"},
    {"203.0.113.7", false, "documentation"},
    {"223.255.255.255", true, "the last of the unicast ones"},
    {"224.0.0.1", false, "multicast"},
    {"239.255.255.255", false, "multicast"},
    {"240.0.0.1", false, "reserved"},
    {"255.255.255.255", false, "everybody"},
    {"2606:4700::1111", true, "somebody's server"},
    {"2a00::1", true, "somebody's server"},
    {"3ffe::1", true, "was given back"},
    {"::", false, "this machine"},
    {"::1", false, "loopback"},
    {"::10.0.0.1", false, "IPv4 inside, in a form that is history"},
    {"::8.8.8.8", false, "likewise, whatever is inside"},
    {"::ffff:10.0.0.1", false, "a mapped address is the IPv4 address"},
    {"::ffff:169.254.169.254", false, "likewise"},
    {"::ffff:8.8.8.8", true, "likewise"},
    {"::ffff:0:a00:1", false, "IPv4 inside, in another form"},
    {"64:ff9b::a00:1", false, "10.0.0.1 behind a translator"},
    {"64:ff9b::7f00:1", false, "127.0.0.1 behind one"},
    {"64:ff9b::a9fe:a9fe", false, "metadata behind one"},
    {"64:ff9b::808:808", true, "8.8.8.8, as a network without IPv4 reaches it"},
    {"64:ff9b:1::1", false, "translators of somebody's own"},
    {"64:ff9b:1:ffff::808:808", false, "likewise"},
    {"100::1", false, "thrown away"},
    {"2001::1", false, "Teredo"},
    {"2001:1ff:ffff::1", false, "protocols' own, to the end"},
    {"2001:200::1", true, "behind them"},
    {"2001:db8::1", false, "documentation"},
    {"2002:a00:1::", false, "10.0.0.1 by 6to4"},
    {"2002:808:808::", false, "6to4 is history"},
    {"2003::1", true, "behind it"},
    {"3fff::1", false, "documentation"},
    {"3fff:1000::1", true, "behind it"},
    {"4000::1", false, "given to nobody"},
    {"5f00::1", false, "segments within a network"},
    {"fc00::1", false, "private"},
    {"fd00::1", false, "private"},
    {"fd00:ec2::254", false, "metadata of AWS"},
    {"fe80::1", false, "link-local"},
    {"febf::1", false, "its end"},
    {"fec0::1", false, "site-local, history"},
    {"ff02::1", false, "multicast"},
};

TEST(PublicAddress, S17IsNeitherOursNorReserved) {
  for (const auto& row : kRows)
    EXPECT_EQ(is_public(boost::asio::ip::make_address(row.address)), row.is_public) << row.address << ": " << row.why;
}

TEST(PublicAddress, AZoneChangesNothing) { EXPECT_FALSE(is_public(boost::asio::ip::make_address("fe80::1%1"))); }

}  // namespace
}  // namespace berth::http
