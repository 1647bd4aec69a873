#include "crypto/hash.h"

#include "base/hex.h"
#include "base/random.h"

#include <gtest/gtest.h>

#include <string_view>

namespace berth::crypto {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Hash, KnownSums) {
  EXPECT_EQ(to_hex(sha256(bytes("{}"))), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");  // V6
  EXPECT_EQ(to_hex(sha256(bytes(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha512(bytes("abc"))).substr(0, 32), "ddaf35a193617abacc417349ae204131");
}

// Property: wherever the stream is cut, exported and imported, the sum is that of the whole.
template <class Hash, class Sum>
void check_random_splits(Sum (*whole)(std::span<const std::byte>)) {
  SeededRandom random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> data(random.u64() % 1000);
    random.fill(data);
    Hash hash;
    std::span<const std::byte> rest(data);
    while (!rest.empty()) {
      const std::size_t n = 1 + random.u64() % rest.size();
      hash.update(rest.first(n));
      rest = rest.subspan(n);
      auto again = Hash::import_state(hash.export_state());
      ASSERT_TRUE(again.has_value());
      hash = *again;
    }
    EXPECT_EQ(hash.sum(), whole(data)) << "round " << round << ", " << data.size() << " bytes";
  }
}

TEST(Hash, Sha256StateSurvivesExportAtAnySplit) { check_random_splits<Sha256>(&sha256); }
TEST(Hash, Sha512StateSurvivesExportAtAnySplit) { check_random_splits<Sha512>(&sha512); }

TEST(Hash, DamagedStateIsRefused) {
  Sha256 hash;
  hash.update(bytes("some bytes"));
  auto state = hash.export_state();
  EXPECT_FALSE(Sha256::import_state(std::span(state).first(10)).has_value()) << "cut short";
  state[0] = std::byte{9};
  EXPECT_FALSE(Sha256::import_state(state).has_value()) << "unknown version";
  state = hash.export_state();
  state[41] = std::byte{63};
  EXPECT_FALSE(Sha256::import_state(state).has_value()) << "pending count contradicts the length";
}

}  // namespace
}  // namespace berth::crypto
