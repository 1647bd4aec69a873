#include "io/address_group.h"

#include <gtest/gtest.h>

namespace berth::io {
namespace {

TEST(AddressGroup, Table) {
  const struct {
    const char* address;
    const char* group;
    const char* why;
  } rows[] = {
      {"192.0.2.1", "192.0.2.1", "IPv4 stands for itself"},
      {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "IPv6 by its network"},
      {"2001:DB8:1:2::ffff", "2001:db8:1:2::/64", "another address of it, written otherwise"},
      {"2001:db8:1:3::1", "2001:db8:1:3::/64", "the next network"},
      {"::1", "::/64", "this machine"},
      {"fe80::1%eth0", "fe80::/64", "with its interface"},
      {"::ffff:192.0.2.1", "192.0.2.1", "IPv4 in IPv6's clothes"},
      {"unix", "unix", "a Unix socket has no address"},
      {"", "", "nothing"},
      {"1:2", "1:2", "no address"},
  };
  for (const auto& row : rows) EXPECT_EQ(address_group(row.address), row.group) << row.why;
}

}  // namespace
}  // namespace berth::io
