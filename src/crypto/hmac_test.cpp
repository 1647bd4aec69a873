#include "crypto/hmac.h"

#include "base/hex.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace berth::crypto {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

const struct {
  std::string key;
  std::string_view message;
  std::string_view sum;
  std::string_view why;
} kRows[] = {
    {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "RFC 4231, case 1"},
    {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "RFC 4231, case 2: a short key"},
    {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "RFC 4231, case 6: a long key"},
    {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "nothing at all"},
};

TEST(Hmac, KnownSums) {
  for (const auto& row : kRows) {
    EXPECT_EQ(to_hex(hmac_sha256(bytes(row.key), bytes(row.message))), row.sum) << row.why;
  }
}

TEST(Hmac, ComparesWholeValues) {  // S26
  EXPECT_TRUE(equal_in_constant_time(bytes("secret"), bytes("secret")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_FALSE(equal_in_constant_time(bytes("secret"), bytes("secreT"))) << "the last byte";
  EXPECT_FALSE(equal_in_constant_time(bytes("secret"), bytes("Secret"))) << "the first byte";
  EXPECT_FALSE(equal_in_constant_time(bytes("secret"), bytes("secrets"))) << "a prefix";
  EXPECT_FALSE(equal_in_constant_time(bytes("secret"), {})) << "nothing";
  const std::string text(43, 'x');
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] ^= 1;
    EXPECT_FALSE(equal_in_constant_time(bytes(text), bytes(other))) << at;
  }
  EXPECT_TRUE(equal_in_constant_time(bytes(text), bytes(std::string(text))));
}

}  // namespace
}  // namespace berth::crypto
