#include "oci/digest.h"

#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace berth::oci {
namespace {

constexpr std::string_view kHex64 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

std::string sha256_text() { return "sha256:" + std::string(kHex64); }

std::string sha512_text() { return "sha512:" + std::string(kHex64) + std::string(kHex64); }

std::string repeat(char c, std::size_t n) { return std::string(n, c); }

static_assert(std::is_trivially_copyable_v<Digest>);
static_assert(sizeof(Digest) == 65);

TEST(Digest, Grammar) {  // G3

  const struct {
    std::string text;
    bool well_formed;
    bool known;
    std::string_view why;
  } rows[] = {
      {sha256_text(), true, true, "sha256"},
      {sha512_text(), true, true, "sha512"},
      {"sha256:" + repeat('A', 64), false, false, "uppercase hex"},
      {"SHA256:" + repeat('a', 64), false, false, "uppercase algorithm"},
      {"sha256:" + repeat('a', 63), false, false, "too short"},
      {"sha256:" + repeat('a', 65), false, false, "too long"},
      {"sha256:" + repeat('a', 128), false, false, "length of the other algorithm"},
      {"sha512:" + repeat('a', 64), false, false, "length of the other algorithm"},
      {"sha256:" + repeat('g', 64), false, false, "not hex"},
      {"sha256:" + repeat('a', 63) + " ", false, false, "trailing blank"},
      {" sha256:" + repeat('a', 64), false, false, "leading blank"},
      {"sha256:" + repeat('a', 63) + std::string(1, '\0'), false, false, "NUL"},
      {"sha256::" + repeat('a', 64), false, false, "two colons"},
      {"sha256" + repeat('a', 64), false, false, "no colon"},
      {"sha256:", false, false, "nothing behind the colon"},
      {":" + repeat('a', 64), false, false, "no algorithm"},
      {":", false, false, "only a colon"},
      {"", false, false, "empty"},
      {"sha256:baddigeststring", false, false, "the conformance suite's"},
      {"blake3:" + repeat('0', 64), true, false, "registered, not known here"},
      {"blake3:" + repeat('0', 63), false, false, "registered: exact length"},
      {"blake3:" + repeat('B', 64), false, false, "registered: lowercase"},
      {"sha384:" + repeat('a', 96), true, false, "not registered"},
      {"multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", true, false, "the image spec's example"},
      {"sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", true, false, "the image spec's example"},
      {"a.b_c-d+e:x=", true, false, "every separator"},
      {"a..b:x", false, false, "two separators in a row"},
      {"a-:x", false, false, "separator at the end"},
      {"-a:x", false, false, "separator at the start"},
      {"a:", false, false, "nothing behind the colon"},
      {"a:x/y", false, false, "character that the encoded part must not have"},
      {"a:x:y", false, false, "second colon"},
      {"a:" + repeat('x', Digest::kTextBytesMax - 2), true, false, "longest"},
      {"a:" + repeat('x', Digest::kTextBytesMax - 1), false, false, "longer than the longest"},
  };

  for (const auto& row : rows) {
    EXPECT_EQ(Digest::is_well_formed(row.text), row.well_formed) << row.text << ": " << row.why;
    const auto digest = Digest::parse(row.text);
    ASSERT_EQ(digest.has_value(), row.known) << row.text << ": " << row.why;
    if (digest.has_value()) {
      EXPECT_EQ(digest->str(), row.text) << row.why;
    } else {
      EXPECT_EQ(digest.error().code, Errc::digest_invalid) << row.why;
      const std::string_view word = row.well_formed ? "unsupported" : "malformed";
      EXPECT_TRUE(digest.error().message.starts_with(word)) << row.text << ": " << digest.error().message;
    }
  }
}

TEST(Digest, AlgorithmNames) {  // G3
  EXPECT_EQ(parse_algorithm("sha256"), Algorithm::sha256);
  EXPECT_EQ(parse_algorithm("sha512"), Algorithm::sha512);
  for (const std::string_view text : {"", "SHA256", "sha-256", "sha256 ", "sha384", "blake3"}) {
    EXPECT_EQ(parse_algorithm(text), std::nullopt) << text;
  }
  for (const Algorithm algorithm : {Algorithm::sha256, Algorithm::sha512}) {
    EXPECT_EQ(parse_algorithm(to_string(algorithm)), algorithm);
  }
}

TEST(Digest, OfBytes) {
  EXPECT_EQ(digest_of(Algorithm::sha256, "{}").str(), sha256_text());  // V6
  EXPECT_EQ(digest_of(Algorithm::sha512, "abc").str(),
            "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(digest_of(Algorithm::sha256, "x"), Digest::sha256(crypto::sha256(std::as_bytes(std::span("x", 1)))));
}

TEST(Digest, PartsAgree) {
  const Digest digest = *Digest::parse(sha256_text());
  EXPECT_EQ(digest.algorithm(), Algorithm::sha256);
  EXPECT_EQ(digest.hex(), kHex64);
  EXPECT_EQ(digest.raw().size(), 32U);
  EXPECT_EQ(digest.raw()[0], std::byte{0x44});
  ASSERT_EQ(digest.storage().size(), 33U);
  EXPECT_EQ(digest.storage()[0], std::byte{1}) << "the stored number of sha256 never changes";
  const Digest other = *Digest::parse(sha512_text());
  ASSERT_EQ(other.storage().size(), 65U);
  EXPECT_EQ(other.storage()[0], std::byte{2}) << "the stored number of sha512 never changes";
}

TEST(Digest, FromStorageRefusesWhatStorageNeverMade) {
  const Digest digest = *Digest::parse(sha256_text());
  std::vector<std::byte> bytes(digest.storage().begin(), digest.storage().end());
  EXPECT_EQ(Digest::from_storage(bytes), digest);
  bytes[0] = std::byte{0};
  EXPECT_EQ(Digest::from_storage(bytes), std::nullopt) << "unknown algorithm";
  bytes[0] = std::byte{3};
  EXPECT_EQ(Digest::from_storage(bytes), std::nullopt) << "unknown algorithm";
  bytes[0] = std::byte{2};
  EXPECT_EQ(Digest::from_storage(bytes), std::nullopt) << "too short for sha512";
  bytes[0] = std::byte{1};
  bytes.push_back(std::byte{0});
  EXPECT_EQ(Digest::from_storage(bytes), std::nullopt) << "too long";
  EXPECT_EQ(Digest::from_storage({}), std::nullopt) << "empty";
  std::vector<std::byte> longest(65);
  EXPECT_EQ(Digest::from_storage(longest), std::nullopt) << "unknown algorithm";
  longest[0] = std::byte{2};
  EXPECT_NE(Digest::from_storage(longest), std::nullopt);
}

// Property: print and store are undone by parse and from_storage; order and equality are those of the text.
TEST(Digest, RoundTripsAndOrders) {
  SeededRandom random(11);
  std::vector<Digest> digests;
  for (int i = 0; i < 200; ++i) {
    const auto algorithm = random.u64() % 2 == 0 ? Algorithm::sha256 : Algorithm::sha512;
    digests.push_back(digest_of(algorithm, random.hex(4)));
    const Digest& digest = digests.back();
    EXPECT_EQ(Digest::parse(digest.str()).value(), digest);
    EXPECT_EQ(Digest::from_storage(digest.storage()), digest);
  }
  std::ranges::sort(digests);
  EXPECT_TRUE(std::ranges::is_sorted(digests, {}, [](const Digest& d) { return d.str(); }));
  const std::unordered_set<Digest> hashed(digests.begin(), digests.end());
  const std::set<Digest> ordered(digests.begin(), digests.end());
  EXPECT_EQ(hashed.size(), ordered.size());
}

// The same 32 bytes under two algorithms are two digests (S7: no algorithm confusion).
TEST(Digest, AlgorithmIsPartOfEquality) {
  EXPECT_NE(*Digest::parse("sha256:" + repeat('0', 64)), *Digest::parse("sha512:" + repeat('0', 128)));
}

}  // namespace
}  // namespace berth::oci
