#include "crypto/signing_key.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace berth::crypto {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// Keys made for this test.
constexpr std::string_view kPkcs8 = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgM/Md0h0GfEsK/XWr
LDeiD0uqqudU4uVKCMNt++Q4P+2hRANCAAShIHXNV7EKc82vF+6bEJpaI+SvXrrZ
+Kw67HfRTuU3QJ2Im2eZv37nONBmBIRKJfksO/zvopqeZwJ13XlRpUud
-----END PRIVATE KEY-----)";
constexpr std::string_view kSec1 = R"(-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIDPzHdIdBnxLCv11qyw3og9LqqrnVOLlSgjDbfvkOD/toAoGCCqGSM49
AwEHoUQDQgAEoSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0CdiJtnmb9+
5zjQZgSESiX5LDv876KanmcCdd15UaVLnQ==
-----END EC PRIVATE KEY-----)";
constexpr std::string_view kEncrypted = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBXezdlEm2NZ4Dp8sQH
HiZlAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQEAlOkoi8UZwX0gpx
522QcASBkJ30x9ed+PyyZOi82tmkMd9YFy0jXG3ybVNmJxiB1qaeDqny5Z9Mcl0X
hWPhnbmuxb2Ynk4rSLgfQbNfB7MV1Vd5S2m0i5r0vsMWdEV4Ajum/NGpGPxZB+NW
Y3dsFGwDC9astUykXBiwoBzE8RVCjEoHxwNn0ZCvjIDGBLcViSZpnzB6CkJMkmCb
T/7Xpl4VTg==
-----END ENCRYPTED PRIVATE KEY-----)";
constexpr std::string_view kP384 = R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBtahdzSLlWadZlXjmZ
p82/nMOnCSqtbL3qJjpsWgwWP8talt87RkovwJDFTUVGpsmhZANiAARVq1K6XjdR
iNbMQcwkWf/FvijhlIdxYu3peVM7uZPjdiKvU2BbKz9Hs/Zuu0zxPAX3QYpp8grF
P3xh5/9NOpHERQrYFlgl+Apkr3PahENVYHkpYpA28+ZydomZkFr1BiU=
-----END PRIVATE KEY-----)";
constexpr std::string_view kEd25519 = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIPLHMTsYHkEs5WhtXgHDAHMCdePHIlbfVdaz/TrYJcTM
-----END PRIVATE KEY-----)";
constexpr std::string_view kMismatched = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgM/Md0h0GfEsK/XWr
LDeiD0uqqudU4uVKCMNt++Q4P+2hRANCAASW52lcHxGmpPrUu6kfJHm8MyFrOIBv
TpmEg9lr5+bpnj9il5ozhYMCBLUuiSofFFmZyxhYYrhEwu5hn/imCY1t
-----END PRIVATE KEY-----)";
constexpr std::string_view kPublic = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoSB1zVexCnPNrxfumxCaWiPkr166
2fisOux30U7lN0CdiJtnmb9+5zjQZgSESiX5LDv876KanmcCdd15UaVLnQ==
-----END PUBLIC KEY-----)";

TEST(SigningKey, SignsWhatItsPublicKeyAccepts) {  // A12
  const SigningKey key = SigningKey::generate();
  const SigningKey other = SigningKey::generate();
  for (int round = 0; round < 50; ++round) {  // r or s is short in one of 128 signatures
    const std::string text = "message " + std::to_string(round);
    const auto signature = key.sign(bytes(text));
    EXPECT_TRUE(key.public_key().verify(bytes(text), signature));
    EXPECT_FALSE(other.public_key().verify(bytes(text), signature)) << "another key";
    EXPECT_FALSE(key.public_key().verify(bytes(text + "."), signature)) << "another message";
  }
  EXPECT_TRUE(key.public_key().verify({}, key.sign({}))) << "nothing can be signed too";
}

TEST(SigningKey, SurvivesItsPem) {
  const SigningKey key = SigningKey::generate();
  const std::string pem = key.to_pem();
  EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----\n")) << "PKCS #8";
  const auto again = SigningKey::from_pem(pem);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->kid(), key.kid());
  EXPECT_EQ(again->kid(), again->public_key().thumbprint());
  EXPECT_TRUE(key.public_key().verify(bytes("x"), again->sign(bytes("x"))));
}

TEST(SigningKey, ReadsBothFormsOfPem) {
  const auto pkcs8 = SigningKey::from_pem(kPkcs8);
  const auto sec1 = SigningKey::from_pem(kSec1);
  ASSERT_TRUE(pkcs8.has_value());
  ASSERT_TRUE(sec1.has_value());
  EXPECT_EQ(pkcs8->kid(), sec1->kid());
  EXPECT_EQ(pkcs8->kid(), VerifyKey::from_pem(kPublic)->kid());
}

TEST(SigningKey, RefusesOtherKeys) {
  const struct {
    std::string_view pem;
    std::string_view message;
    std::string_view why;
  } rows[] = {
      {"", "no private key in PEM form", "empty"},
      {kPublic, "no private key in PEM form", "the public half"},
      {kEncrypted, "the private key is encrypted; give one without a password", "encrypted"},
      {kP384, "an EC key must be on the curve P-256", "another curve"},
      {kEd25519, "the key that signs tokens must be EC on the curve P-256", "another kind"},
      {kMismatched, "the private key's two halves do not belong together", "with the public half of another key"},
  };
  for (const auto& row : rows) {
    const auto key = SigningKey::from_pem(row.pem);
    ASSERT_FALSE(key.has_value()) << row.why;
    EXPECT_EQ(key.error().code, Errc::parameter_invalid) << row.why;
    EXPECT_EQ(key.error().message, row.message) << row.why;
  }
}

}  // namespace
}  // namespace berth::crypto
