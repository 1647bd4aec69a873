#include "crypto/key_bundle.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace berth::crypto {
namespace {

// Made for this test with another program.
constexpr std::string_view kPublicKey = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoSB1zVexCnPNrxfumxCaWiPkr166
2fisOux30U7lN0CdiJtnmb9+5zjQZgSESiX5LDv876KanmcCdd15UaVLnQ==
-----END PUBLIC KEY-----
)";
constexpr std::string_view kPublicKeyKid = "TK54:KRIK:DGPQ:PP55:RVVP:MGPG:3FOD:F43E:XGTP:I536:CEV5:FBFE";
constexpr std::string_view kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIDJTCCAg2gAwIBAgIUTSq2MypI8N9v9zUtyhXi+rFuXHQwDQYJKoZIhvcNAQEL
BQAwITEfMB0GA1UEAwwWdG9rZW4gc2VydmVyIG9mIGEgdGVzdDAgFw0yNjExMjYw
MTA5MTNaGA8yMTI2MTEwMjAxMDkxM1owITEfMB0GA1UEAwwWdG9rZW4gc2VydmVy
IG9mIGEgdGVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALKzn/X4
z7InJ2a3uFb2oFGhnJPMdvpJa07lFOwbCLIatkQW2jxDC4Ab8PdrdcUj0GMCajic
d5lG/FCbOx5EyfdJA6ERTbZaWXIc7qAY/yjC+qCagU3jDY3IldOeY5gpQxlu7GUV
wtfbibXsO+6cs16V960SgprV/OgWDJnD0TFWzBcKB3DucNbDYrbQhQ/P0b99ooCH
OZ9yTQZO3gs8SxeZOOPYmUnaZl0bgwGFJtYudA6ehGQVRaOOseXIlMN219bMYcbr
bRquLTh2YsqzGb8QG3wIJpNdRSOe4I1mnLfmKBdA5fzLyhKxGQ2W6qJD+rBSv1aw
u3ZhWd55OAXer1UCAwEAAaNTMFEwHQYDVR0OBBYEFGPv84rcZSgWU7WDLvZZ5fvF
5ITcMB8GA1UdIwQYMBaAFGPv84rcZSgWU7WDLvZZ5fvF5ITcMA8GA1UdEwEB/wQF
MAMBAf8wDQYJKoZIhvcNAQELBQADggEBAKFDHP5dE8QVk7ZNFHQDO+ozskpkza4n
qHvvnIsfjFigdufjsupZAdzAwEGA2ZGdJxqc3YUbp+oZnQKiX0TJINw36JYJnhl9
FZ4e6sRQcBrieI3wJf72yXkfajAZ74MHFheH+FGVUekJslufDB+zcBr4znyvmFeW
UXRVOnUBdhQhd+dIqGNDkycAp32b6w6KCOMZOa8GBUrr0pg226N9kGlrXfa2V0Vh
d72y8ZJTZpVH8ZBT9rIPU5XLj4//5gFnUDXr4AGY2i8Vl2Zs37ck7m6cYWiLs5SO
vlc7eInUH2zjzB38dSMmsOrxKXnxlWpRuxlezCsrFotBwpEbEwq3fX0=
-----END CERTIFICATE-----
)";
constexpr std::string_view kCertificateKid = "6RQ7:3J2S:UYB4:CQMW:G2PF:ODJQ:OWSG:C3R4:NUXR:LYZE:5EYY:V35H";

std::string message_of(const Result<std::vector<VerifyKey>>& keys) { return keys ? "accepted" : keys.error().message; }

TEST(KeyBundle, AKeyHasBothOfItsNames) {  // A12
  const auto keys = parse_key_bundle(kPublicKey);
  ASSERT_TRUE(keys.has_value()) << keys.error().message;
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].kid(), (*keys)[0].thumbprint());
  EXPECT_EQ((*keys)[1].kid(), kPublicKeyKid) << "as docker's libtrust computes it";
  EXPECT_EQ((*keys)[1].thumbprint(), (*keys)[0].thumbprint());
}

TEST(KeyBundle, ACertificateIsWorthItsKey) {
  const auto keys =
      parse_key_bundle(std::string("What a person wrote in front.\n\n").append(kCertificate).append(kPublicKey));
  ASSERT_TRUE(keys.has_value()) << keys.error().message;
  ASSERT_EQ(keys->size(), 4U);
  EXPECT_EQ((*keys)[1].kid(), kCertificateKid);
  EXPECT_EQ((*keys)[0].algorithm(), SignatureAlgorithm::rs256);
}

TEST(KeyBundle, WhatChecksNothingIsRefused) {
  EXPECT_NE(message_of(parse_key_bundle("")).find("neither a public key nor a certificate"), std::string::npos);
  EXPECT_NE(
      message_of(parse_key_bundle("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"))
          .find("neither"),
      std::string::npos);
  EXPECT_NE(message_of(parse_key_bundle("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
                .find("private key"),
            std::string::npos);
  EXPECT_NE(message_of(parse_key_bundle("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
                .find("no key that can be read"),
            std::string::npos);
  EXPECT_NE(message_of(parse_key_bundle("-----BEGIN PUBLIC KEY-----\nAAAA\n")).find("damaged"), std::string::npos);
  std::string many;
  for (int i = 0; i < 101; ++i) many += kPublicKey;
  EXPECT_NE(message_of(parse_key_bundle(many)).find("more than a hundred"), std::string::npos);
}

}  // namespace
}  // namespace berth::crypto
