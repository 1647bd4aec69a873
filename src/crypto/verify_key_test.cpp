#include "crypto/verify_key.h"

#include "base/base64.h"
#include "crypto/signing_key.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace berth::crypto {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

Result<VerifyKey> from_jwk(std::string_view text) {
  const auto value = json::parse(text);
  EXPECT_TRUE(value.has_value()) << text;
  return VerifyKey::from_jwk(*value);
}

std::string message_of(const Result<VerifyKey>& key) { return key.has_value() ? "accepted" : key.error().message; }

// Keys made for this test with another library.
constexpr std::string_view kP256Pem = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoSB1zVexCnPNrxfumxCaWiPkr166
2fisOux30U7lN0CdiJtnmb9+5zjQZgSESiX5LDv876KanmcCdd15UaVLnQ==
-----END PUBLIC KEY-----)";
constexpr std::string_view kP256Jwk =
    R"({"kty":"EC","crv":"P-256","x":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A","y":"nYibZ5m_fuc40GYEhEol-Sw7_O-imp5nAnXdeVGlS50"})";
constexpr std::string_view kRsaPem = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA35g6FAN3kkn5r0KaY7RV
ObBdNsn3ME/GypwQMUszyNbMNyZSeZDjbvtsbmJNgTo26xprwweOMKQP/GQCMFn3
YGSP0ibCLlVYU6vJRHTih/kR5AyR39ZVTY3mGov+JdtNcbnIniyhDrtKLPnSZZMN
Qm9Zg9C7CI5iYsHUIzGP0r24CzU4unZqGd/LgbJy7rN6lsIviNkpkNfkVPM8YlSv
8yWVNZJizTj8HPJHi5ptx+ZutCqWIf4dYwU2/plMXs9Juw21ec/Z7uMsRiINkLhW
qQ64Cq0olE5AiFRSIejHXrkOeLcKkbbqImXU1gX0E6algW+/7wTzTWfXuwQoQBhc
4wIDAQAB
-----END PUBLIC KEY-----)";
constexpr std::string_view kEd25519Pem = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAyjCOEW1jDv0700YOe4WxkZNgbqX41pnbQuwxNUh3Zow=
-----END PUBLIC KEY-----)";
constexpr std::string_view kEd25519Jwk =
    R"({"kty":"OKP","crv":"Ed25519","x":"yjCOEW1jDv0700YOe4WxkZNgbqX41pnbQuwxNUh3Zow"})";

constexpr struct {
  std::string_view jwk;
  SignatureAlgorithm algorithm;
  std::string_view thumbprint;
  std::string_view text;
  std::string_view signature;
  std::string_view why;
} kVectors[] = {
    {R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     SignatureAlgorithm::es256, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
     "eyJhbGciOiJFUzI1NiJ9."
     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", "RFC 7515, A.3"},
    {R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})", SignatureAlgorithm::eddsa,
     "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", "RFC 8037, A.3 and A.4"},
};

TEST(VerifyKey, ChecksSignaturesOfTheStandards) {  // A12
  for (const auto& row : kVectors) {
    const auto key = from_jwk(row.jwk);
    ASSERT_TRUE(key.has_value()) << row.why;
    EXPECT_EQ(key->algorithm(), row.algorithm) << row.why;
    EXPECT_EQ(key->thumbprint(), row.thumbprint) << row.why;
    EXPECT_EQ(key->kid(), row.thumbprint) << row.why << ": its own name, as the JWK has none";
    const std::string signature = decode_base64url(row.signature).value();
    EXPECT_TRUE(key->verify(bytes(row.text), bytes(signature))) << row.why;
    EXPECT_FALSE(key->verify(bytes(row.text.substr(1)), bytes(signature))) << row.why << ": other bytes";
    EXPECT_FALSE(key->verify(bytes(row.text), bytes(signature).first(63))) << row.why << ": cut short";
    EXPECT_FALSE(key->verify(bytes(row.text), bytes(signature + '\0'))) << row.why << ": a byte too many";
    EXPECT_FALSE(key->verify(bytes(row.text), {})) << row.why << ": no signature";
    for (std::size_t i = 0; i < signature.size(); ++i) {
      std::string other = signature;
      other[i] = static_cast<char>(other[i] ^ 1);
      EXPECT_FALSE(key->verify(bytes(row.text), bytes(other))) << row.why << ": byte " << i << " changed";
    }
  }
}

TEST(VerifyKey, ThumbprintOfTheStandard) {  // RFC 7638, 3.1
  const auto key = from_jwk(
      R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP)"
      R"(ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZ)"
      R"(gnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF4)"
      R"(4-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EXPECT_EQ(key->kid(), "2011-04-29");
}

TEST(VerifyKey, PemAndJwkAreTheSameKey) {
  for (const auto pem : {kP256Pem, kRsaPem, kEd25519Pem}) {
    const auto key = VerifyKey::from_pem(pem);
    ASSERT_TRUE(key.has_value()) << pem;
    const auto again = from_jwk(key->jwk());
    ASSERT_TRUE(again.has_value()) << key->jwk();
    EXPECT_EQ(again->jwk(), key->jwk());
    EXPECT_EQ(again->algorithm(), key->algorithm());
  }
  EXPECT_EQ(VerifyKey::from_pem(kP256Pem)->thumbprint(), from_jwk(kP256Jwk)->thumbprint());
  EXPECT_EQ(VerifyKey::from_pem(kEd25519Pem)->thumbprint(), from_jwk(kEd25519Jwk)->thumbprint());
  EXPECT_EQ(VerifyKey::from_pem(kRsaPem)->algorithm(), SignatureAlgorithm::rs256);
  EXPECT_EQ(VerifyKey::from_pem(kRsaPem, "main")->kid(), "main");
}

TEST(VerifyKey, JwkHasWhatReadersLookFor) {
  const auto key = VerifyKey::from_pem(kEd25519Pem, "a\"b");
  EXPECT_EQ(
      key->jwk(),
      R"({"crv":"Ed25519","kty":"OKP","x":"yjCOEW1jDv0700YOe4WxkZNgbqX41pnbQuwxNUh3Zow","use":"sig","alg":"EdDSA","kid":"a\"b"})");
}

constexpr struct {
  std::string_view pem;
  std::string_view message;
  std::string_view why;
} kBadPems[] = {
    {"", "no public key in PEM form", "empty"},
    {"-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n", "no public key in PEM form", "cut short"},
    {R"(-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAETvEKrTfGtLnOUFFZS3HrmjrTK9EJg3dR
zLEj8Zj+ItLmXAGepPQ6V+QpusQ+hnDi/a5jsn1foNz+kZPIcbEGI9WS4orMEdZ4
75dXTDNBpsnhNzaVhqZwTXqAnd9FfAI3
-----END PUBLIC KEY-----)",
     "an EC key must be on the curve P-256", "P-384"},
    {R"(-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE8qUqEonpV9ml9HUhfV+WiR/cvFBF/Utd
vGT6ukJ0IgoZTNdqzz/6tgG8LXAFkqoHDN9n8c3fT36m1fbJ0H7Uow==
-----END PUBLIC KEY-----)",
     "an EC key must be on the curve P-256", "secp256k1: of the same size, another curve"},
    {R"(-----BEGIN PUBLIC KEY-----
MEMwBQYDK2VxAzoA8D+DhnQ2ZvaNkR0gqcEtsuRQ9S2glHAlPfvtB5oqPdRE2y2C
jduCt4977/+zqqXwwjELZwq8gIWA
-----END PUBLIC KEY-----)",
     "a key must be EC on P-256, RSA or Ed25519", "Ed448"},
    {R"(-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC+JLljbUuS2WcsvWeK8oEsr2p3
EyVLRyHBGqP+/5aLqgy2b8HpqQSbO5lbbtlLgbl10bar4qAuxk68ee5B8jf/xxx7
Iey+2KoDcYsJrgKYT2bNTs4QRu/twFciKqoYR4JVRkXgNVuBIr0xsosT+juEH0Um
/eoMEOzBb98KDa3avwIDAQAB
-----END PUBLIC KEY-----)",
     "an RSA key must have 2048 to 8192 bits, this one has 1024", "a short RSA key"},
};

TEST(VerifyKey, RefusesOtherPems) {
  for (const auto& row : kBadPems) EXPECT_EQ(message_of(VerifyKey::from_pem(row.pem)), row.message) << row.why;
  EXPECT_EQ(message_of(VerifyKey::from_pem(SigningKey::generate().to_pem())), "no public key in PEM form")
      << "a private key";
}

constexpr struct {
  std::string_view jwk;
  std::string_view message;
  std::string_view why;
} kBadJwks[] = {
    {"[]", "a JWK is a JSON object", "an array"},
    {"{}", "a JWK must be EC with P-256, RSA, or OKP with Ed25519", "nothing"},
    {R"({"kty":"oct","k":"AAAA"})", "a JWK must be EC with P-256, RSA, or OKP with Ed25519", "a shared secret (S8)"},
    {R"({"kty":"EC","crv":"P-384","x":"AAAA","y":"AAAA"})", "a JWK must be EC with P-256, RSA, or OKP with Ed25519",
     "P-384"},
    {R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})", "x and y of a P-256 key have 32 bytes each", "short"},
    {R"({"kty":"EC","crv":"P-256","x":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A"})",
     "the JWK's member y must be base64url", "y is missing"},
    {R"({"kty":"EC","crv":"P-256","x":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A=","y":"nYibZ5m_fuc40GYEhEol-Sw7_O-imp5nAnXdeVGlS50"})",
     "the JWK's member x must be base64url", "padding"},
    {R"({"kty":"EC","crv":"P-256","x":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A","y":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A"})",
     "the JWK is no valid key", "a point that is not on the curve"},
    {R"({"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})",
     "the JWK is no valid key", "zero"},
    {R"({"kty":"EC","crv":"P-256","x":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A","y":"nYibZ5m_fuc40GYEhEol-Sw7_O-imp5nAnXdeVGlS50","d":"AAAA"})",
     "the JWK holds a private key; only the public part belongs here", "a private key"},
    {R"({"kty":"EC","crv":"P-256","x":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A","y":"nYibZ5m_fuc40GYEhEol-Sw7_O-imp5nAnXdeVGlS50","alg":"HS256"})",
     "the JWK's alg is not ES256", "another algorithm (S8)"},
    {R"({"kty":"EC","crv":"P-256","x":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A","y":"nYibZ5m_fuc40GYEhEol-Sw7_O-imp5nAnXdeVGlS50","use":"enc"})",
     "the JWK's use is not sig", "a key for encryption"},
    {R"({"kty":"EC","crv":"P-256","x":"oSB1zVexCnPNrxfumxCaWiPkr1662fisOux30U7lN0A","y":"nYibZ5m_fuc40GYEhEol-Sw7_O-imp5nAnXdeVGlS50","kid":7})",
     "the JWK's kid must be text", "kid is a number"},
    {R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", "x of an Ed25519 key has 32 bytes", "short"},
    {R"({"kty":"OKP","crv":"X25519","x":"AAAA"})", "a JWK must be EC with P-256, RSA, or OKP with Ed25519",
     "a curve that cannot sign"},
    {R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", "an RSA key must have 2048 to 8192 bits, this one has 17", "short"},
};

TEST(VerifyKey, RefusesOtherJwks) {
  for (const auto& row : kBadJwks) EXPECT_EQ(message_of(from_jwk(row.jwk)), row.message) << row.why;
}

constexpr std::string_view kModulus =
    "35g6FAN3kkn5r0KaY7RVObBdNsn3ME_GypwQMUszyNbMNyZSeZDjbvtsbmJNgTo26xprwweOMKQP_GQCMFn3YGSP0ibCLlVYU6vJRHTi"
    "h_kR5AyR39ZVTY3mGov-JdtNcbnIniyhDrtKLPnSZZMNQm9Zg9C7CI5iYsHUIzGP0r24CzU4unZqGd_LgbJy7rN6lsIviNkpkNfkVPM8"
    "YlSv8yWVNZJizTj8HPJHi5ptx-ZutCqWIf4dYwU2_plMXs9Juw21ec_Z7uMsRiINkLhWqQ64Cq0olE5AiFRSIejHXrkOeLcKkbbqImXU"
    "1gX0E6algW-_7wTzTWfXuwQoQBhc4w";

TEST(VerifyKey, RefusesRsaKeysThatProveNothing) {
  const auto with = [](std::string_view n, std::string_view e) {
    return from_jwk(R"({"kty":"RSA","n":")" + std::string(n) + R"(","e":")" + std::string(e) + "\"}");
  };
  constexpr std::string_view kMessage = "the RSA key's public exponent must be odd, over 1 and below 2^64";
  EXPECT_EQ(message_of(with(kModulus, "AQAB")), "accepted");
  EXPECT_EQ(message_of(with(kModulus, "Aw")), "accepted") << "3";
  EXPECT_EQ(message_of(with(kModulus, "AQ")), kMessage) << "1: every text is its own signature";
  EXPECT_EQ(message_of(with(kModulus, "Ag")), kMessage) << "2";
  EXPECT_EQ(message_of(with(kModulus, kModulus)), kMessage) << "as long as the modulus: slow to check";
  const std::string long_modulus = encode_base64url(std::string(1025, '\x81'));
  EXPECT_EQ(message_of(with(long_modulus, "AQAB")), "an RSA key must have 2048 to 8192 bits, this one has 8200");
  EXPECT_EQ(message_of(with(encode_base64url(std::string(100'000, '\x81')), "AQAB")), "the RSA key is too large");
}

}  // namespace
}  // namespace berth::crypto
