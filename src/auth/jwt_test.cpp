#include "auth/jwt.h"

#include "base/base64.h"
#include "base/json.h"
#include "crypto/hmac.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using crypto::SigningKey;
using crypto::VerifyKey;

constexpr std::int64_t kNowS = 1'700'000'000;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// A key made for this test, and its thumbprint.
constexpr std::string_view kPem = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgM/Md0h0GfEsK/XWr
LDeiD0uqqudU4uVKCMNt++Q4P+2hRANCAAShIHXNV7EKc82vF+6bEJpaI+SvXrrZ
+Kw67HfRTuU3QJ2Im2eZv37nONBmBIRKJfksO/zvopqeZwJ13XlRpUud
-----END PRIVATE KEY-----)";
constexpr std::string_view kKid = "xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38";

const SigningKey& our_key() {
  static const SigningKey kKey = SigningKey::from_pem(kPem).value();
  return kKey;
}

const std::vector<VerifyKey>& our_keys() {
  static const std::vector<VerifyKey> kKeys{SigningKey::generate().public_key(), our_key().public_key()};
  return kKeys;
}

TokenExpectations expectations() {
  return {.issuer = "https://registry.example.com", .audience = "registry.example.com", .now_ms = kNowS * 1000};
}

Result<Claims> verify(std::string_view token) { return verify_token(token, our_keys(), expectations()); }

Claims good_claims() {
  return {.issuer = "https://registry.example.com",
          .subject = "ann",
          .audiences = {"registry.example.com"},
          .expires = kNowS + 900,
          .not_before = kNowS,
          .issued_at = kNowS,
          .id = "0123456789abcdef",
          .access = {{"repository", "team/app", {"pull", "push"}}, {"repository", "team/secret", {}}}};
}

/// "accepted", or why not: the words of the log.
std::string verdict(const Result<Claims>& claims) {
  if (claims.has_value()) return "accepted";
  EXPECT_EQ(claims.error().code, Errc::unauthorized);
  EXPECT_TRUE(claims.error().message == kTokenInvalid || claims.error().message == kTokenExpired);
  EXPECT_EQ(claims.error().message == kTokenExpired, claims.error().cause == "exp is over");
  return claims.error().cause;
}

/// A token with any header and claims, rightly signed with our key.
std::string signed_token(std::string_view header, std::string_view payload) {
  std::string out = encode_base64url(header) + '.' + encode_base64url(payload);
  const auto signature = our_key().sign(bytes(out));
  return out + '.' + encode_base64url(signature);
}

constexpr std::string_view kHeader =
    R"({"typ":"JWT","alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})";
constexpr std::string_view kPayload =
    R"({"iss":"https://registry.example.com","sub":"ann","aud":"registry.example.com","exp":1700000900})";

struct Cut {
  std::string header;
  std::string payload;
  std::string signature;
  std::string str() const { return header + '.' + payload + '.' + signature; }
};

Cut cut(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  return {std::string(token.substr(0, first)), std::string(token.substr(first + 1, last - first - 1)),
          std::string(token.substr(last + 1))};
}

TEST(Jwt, ReadsWhatItSigns) {  // A12
  Claims claims = good_claims();
  const auto read = verify(sign_token(our_key(), claims));
  ASSERT_TRUE(read.has_value()) << read.error().cause;
  EXPECT_EQ(*read, claims);

  claims.audiences = {"other", "registry.example.com"};
  claims.subject.clear();  // A9: anonymous
  claims.id.clear();
  claims.not_before.reset();
  claims.issued_at.reset();
  claims.access.clear();
  EXPECT_EQ(verify(sign_token(our_key(), claims)).value(), claims);
}

TEST(Jwt, LooksAsClientsExpect) {  // A12
  const Cut token = cut(sign_token(our_key(), good_claims()));
  EXPECT_EQ(decode_base64url(token.header), kHeader);
  EXPECT_EQ(
      decode_base64url(token.payload),
      R"({"iss":"https://registry.example.com","sub":"ann","aud":"registry.example.com","exp":1700000900,)"
      R"("nbf":1700000000,"iat":1700000000,"jti":"0123456789abcdef","access":[{"type":"repository",)"
      R"("name":"team/app","actions":["pull","push"]},{"type":"repository","name":"team/secret","actions":[]}]})");
}

const struct {
  std::string header;
  std::string_view verdict;
  std::string_view why;
} kHeaders[] = {
    {std::string(kHeader), "accepted", "ours"},
    {R"({"alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "accepted", "typ may be absent"},
    {R"({"alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38","cty":"x","x":{"a":[1]}})", "accepted",
     "unknown members"},
    {R"({"alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38","jku":"https://evil.example/keys","x5u":"https://evil.example/c"})",
     "accepted", "jku and x5u are not looked at, our key decides (S8)"},
    {R"({"typ":"at+jwt","alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "typ is not JWT",
     "a token for something else"},
    {R"({"typ":1,"alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "typ is not JWT",
     "typ is a number"},
    {R"({"typ":null,"alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "typ is not JWT",
     "typ is null"},
    {R"({"typ":"JWT","alg":"none","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "alg does not fit the key",
     "none, even rightly signed (S8)"},
    {R"({"typ":"JWT","alg":"NONE","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "alg does not fit the key",
     "NONE"},
    {R"({"typ":"JWT","alg":"es256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "alg does not fit the key",
     "another case"},
    {R"({"typ":"JWT","alg":"ES384","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "alg does not fit the key",
     "a neighbour"},
    {R"({"typ":"JWT","alg":"RS256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "alg does not fit the key",
     "of another kind of key"},
    {R"({"typ":"JWT","alg":["ES256"],"kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})",
     "alg is missing or no text", "an array"},
    {R"({"typ":"JWT","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})", "alg is missing or no text", "no alg"},
    {R"({"typ":"JWT","alg":"ES256"})", "kid is missing or no text", "no kid: no key is tried (A12)"},
    {R"({"typ":"JWT","alg":"ES256","kid":7})", "kid is missing or no text", "kid is a number"},
    {R"({"typ":"JWT","alg":"ES256","kid":""})", "kid: no such key", "an empty kid"},
    {R"({"typ":"JWT","alg":"ES256","kid":"../../dev/null"})", "kid: no such key", "a path as kid"},
    {R"({"typ":"JWT","alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38\u0000"})", "kid: no such key",
     "NUL behind the kid"},
    {R"({"alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38","crit":["b64"],"b64":false})",
     "crit: an extension we do not know", "crit (RFC 7515, 4.1.11)"},
    {R"({"alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38","crit":[]})",
     "crit: an extension we do not know", "an empty crit"},
    {R"({"alg":"none","alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"})",
     "the header: invalid JSON: duplicate key \"alg\"", "two algs, of which readers take different ones"},
    {R"([{"alg":"ES256","kid":"xR6q3sgrgN0D0FYyTxiWrgK0slq00HRc9_jZo6Joq38"}])", "the header is no JSON object",
     "an array"},
    {R"("ES256")", "the header is no JSON object", "text"},
};

TEST(Jwt, HeaderChoosesNothing) {  // A12, S8
  for (const auto& row : kHeaders)
    EXPECT_EQ(verdict(verify(signed_token(row.header, kPayload))), row.verdict) << row.why;
}

const struct {
  std::string payload;
  std::string_view verdict;
  std::string_view why;
} kPayloads[] = {
    {std::string(kPayload), "accepted", "no more than must be there"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900})", "accepted",
     "no sub: anonymous"},
    {R"({"iss":"https://registry.example.com","aud":["a","registry.example.com"],"exp":1700000900})", "accepted",
     "aud as array"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"x":{"roles":["a"]}})",
     "accepted", "claims of others"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"access":null})",
     "accepted", "how Go prints no access"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,)"
     R"("access":[{"type":"repository","class":"plugin","name":"a","actions":null}]})",
     "accepted", "how Go prints no actions"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":9223372036854775807})", "accepted",
     "the last second"},
    // who
    {R"({"aud":"registry.example.com","exp":1700000900})", "iss is missing or no text", "no iss"},
    {R"({"iss":"https://evil.example","aud":"registry.example.com","exp":1700000900})", "iss is another", "wrong iss"},
    {R"({"iss":"https://registry.example.com/","aud":"registry.example.com","exp":1700000900})", "iss is another",
     "a slash more: issuers compare byte for byte"},
    {R"({"iss":["https://registry.example.com"],"aud":"registry.example.com","exp":1700000900})",
     "iss is missing or no text", "iss as array"},
    {R"({"iss":"https://registry.example.com","sub":7,"aud":"registry.example.com","exp":1700000900})",
     "sub is missing or no text", "sub is a number"},
    // for whom
    {R"({"iss":"https://registry.example.com","exp":1700000900})", "aud is missing", "no aud (S9)"},
    {R"({"iss":"https://registry.example.com","aud":"other.example.com","exp":1700000900})", "aud names others",
     "wrong aud"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com.evil.example","exp":1700000900})",
     "aud names others", "aud begins with ours"},
    {R"({"iss":"https://registry.example.com","aud":[],"exp":1700000900})", "aud names others", "aud is empty"},
    {R"({"iss":"https://registry.example.com","aud":["registry.example.com",7],"exp":1700000900})",
     "aud holds something that is no text", "aud holds a number"},
    {R"({"iss":"https://registry.example.com","aud":null,"exp":1700000900})", "aud is neither text nor array",
     "aud is null"},
    // when
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com"})", "exp is missing", "no exp"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":"1700000900"})", "exp is no integer",
     "exp as text"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900.5})", "exp is no integer",
     "exp with a fraction"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1e300})", "exp is no integer",
     "exp without bounds"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":9223372036854775808})",
     "exp is no integer", "exp beyond 64 bits"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":-9223372036854775808})", "exp is over",
     "the first second"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1699999940})", "exp is over",
     "expired, at the end of the leeway"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1699999941})", "accepted",
     "within the leeway"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"nbf":1700000061})",
     "nbf is still to come", "not yet valid"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"nbf":1700000060})",
     "accepted", "nbf within the leeway"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"nbf":9223372036854775807})",
     "nbf is still to come", "nbf in the last second"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"nbf":null})",
     "nbf is no integer", "nbf is null"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"iat":1700000061})",
     "iat is still to come", "issued in the future"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1699990000,"nbf":1700009999})",
     "nbf is still to come", "expired and not yet valid: not merely expired"},
    {R"({"iss":"https://evil.example","aud":"registry.example.com","exp":1699990000})", "iss is another",
     "expired and of another issuer: not merely expired"},
    // what
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"access":{}})",
     "access is no array", "access is an object"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"access":["*"]})",
     "access holds something that is no object", "access holds text"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"access":[{"type":"repository","actions":["pull"]}]})",
     "name is missing or no text", "an entry without name"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"access":[{"type":"repository","name":"a","actions":"pull"}]})",
     "actions is no array", "actions as text"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"access":[{"type":"repository","name":"a","actions":[["pull"]]}]})",
     "actions holds something that is no text", "an array in actions"},
    // how
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1,"exp":1700000900})",
     "the claims: invalid JSON: duplicate key \"exp\"", "duplicate claims"},
    {R"({"iss":"https://registry.example.com","aud":"registry.example.com","exp":1700000900,"access":[{"type":"repository","name":"a","name":"b","actions":[]}]})",
     "the claims: invalid JSON: duplicate key \"name\"", "duplicate keys further down"},
    {std::string(kPayload) + "{}", "the claims: invalid JSON: syntax error at byte 97: unexpected '{'",
     "trailing data"},
    {"[" + std::string(kPayload) + "]", "the claims is no JSON object", "an array"},
};

TEST(Jwt, ClaimsAreChecked) {  // A12, S9
  for (const auto& row : kPayloads) {
    EXPECT_EQ(verdict(verify(signed_token(kHeader, row.payload))), row.verdict) << row.why << ": " << row.payload;
  }
}

/// The signature as ECDSA has it elsewhere: a DER sequence of two integers.
std::string der_of(std::string_view raw) {
  std::string integers;
  for (std::string_view number : {raw.substr(0, 32), raw.substr(32)}) {
    number.remove_prefix(std::min(number.find_first_not_of('\0'), number.size() - 1));
    const bool needs_zero = static_cast<unsigned char>(number.front()) >= 0x80;
    integers += '\x02';
    integers += static_cast<char>(number.size() + (needs_zero ? 1 : 0));
    if (needs_zero) integers += '\0';
    integers += number;
  }
  return "\x30" + std::string(1, static_cast<char>(integers.size())) + integers;
}

std::string hs256_token(std::string_view secret) {
  const std::string header = R"({"typ":"JWT","alg":"HS256","kid":")" + std::string(kKid) + "\"}";
  std::string out = encode_base64url(header) + '.' + encode_base64url(kPayload);
  return out + '.' + encode_base64url(crypto::hmac_sha256(bytes(secret), bytes(out)));
}

/// Signed by a key that is not ours and that the token brings along.
std::string foreign_token(std::string_view member, std::string_view kid) {
  static const SigningKey kForeign = SigningKey::generate();
  std::string header = R"({"typ":"JWT","alg":"ES256")";
  if (!kid.empty()) header += R"(,"kid":")" + std::string(kid) + '"';
  if (member == "jwk") header += R"(,"jwk":)" + kForeign.public_key().jwk();
  if (member == "jku") header += R"(,"jku":"https://evil.example/keys.json")";
  if (member == "x5c") header += R"(,"x5c":["MIIB"])";
  std::string out = encode_base64url(header + '}') + '.' + encode_base64url(kPayload);
  return out + '.' + encode_base64url(kForeign.sign(bytes(out)));
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Jwt, AttacksFail) {  // A12, S8
  const Cut good = cut(signed_token(kHeader, kPayload));
  const std::string raw = decode_base64url(good.signature).value();
  const std::string none = encode_base64url(R"({"typ":"JWT","alg":"none"})");
  const std::string none_with_kid = encode_base64url(R"({"alg":"none","kid":")" + std::string(kKid) + "\"}");
  const std::string other_payload = encode_base64url(std::string(kPayload) + " ");
  const VerifyKey& key = our_key().public_key();
  const struct {
    std::string token;
    std::string_view verdict;
    std::string_view why;
  } rows[] = {
      {good.str(), "accepted", "the one that the others are made of"},
      {none + '.' + good.payload + '.', "kid is missing or no text", "none, without signature"},
      {none_with_kid + '.' + good.payload + '.', "alg does not fit the key", "none with our kid"},
      {none_with_kid + '.' + good.payload + '.' + good.signature, "alg does not fit the key", "none with a signature"},
      {good.header + '.' + good.payload + '.', "the signature is wrong", "no signature"},
      {hs256_token(key.jwk()), "alg does not fit the key", "HS256, our public key as JWK for the secret"},
      {hs256_token("-----BEGIN PUBLIC KEY-----"), "alg does not fit the key", "HS256, some PEM for the secret"},
      {foreign_token("", "evil"), "kid: no such key", "a foreign kid"},
      {foreign_token("", kKid), "the signature is wrong", "a foreign key with our kid"},
      {foreign_token("", our_keys().front().kid()), "the signature is wrong", "a foreign key with another kid of ours"},
      {foreign_token("jwk", ""), "kid is missing or no text", "a key in the header (CVE-2025-24976)"},
      {foreign_token("jwk", kKid), "the signature is wrong", "a key in the header beside our kid"},
      {foreign_token("jku", kKid), "the signature is wrong", "an address of keys"},
      {foreign_token("x5c", kKid), "the signature is wrong", "a certificate in the header"},
      {good.header + '.' + other_payload + '.' + good.signature, "the signature is wrong", "other claims"},
      {good.header + '.' + good.payload + '.' + encode_base64url(raw.substr(0, 63)), "the signature is wrong",
       "a signature cut short"},
      {good.header + '.' + good.payload + '.' + encode_base64url(raw + '\0'), "the signature is wrong",
       "a signature with a byte too many"},
      {good.header + '.' + good.payload + '.' + encode_base64url(der_of(raw)), "the signature is wrong",
       "the same signature as DER"},
      {good.header + '.' + good.payload + '.' + encode_base64url(std::string(64, '\0')), "the signature is wrong",
       "r and s zero (CVE-2022-21449)"},
      {good.header + "=." + good.payload + '.' + good.signature, "the header is not base64url", "padded header"},
      {good.header + '.' + good.payload + '.' + good.signature + "==", "the signature is wrong", "padded signature"},
      {good.str() + '\n', "the signature is wrong", "a line end behind it"},
      {' ' + good.str(), "the header is not base64url", "a blank in front of it"},
      {good.str() + std::string(1, '\0'), "the signature is wrong", "NUL behind it"},
      {good.str() + '.', "a token has three parts", "four parts, the last empty"},
      {good.str() + ".AAAA", "a token has three parts", "four parts"},
      {good.str() + ".AAAA.AAAA", "a token has three parts", "five parts, as an encrypted token has"},
      {good.header + '.' + good.payload, "a token has three parts", "two parts"},
      {good.header, "a token has three parts", "one part"},
      {"", "a token has three parts", "nothing"},
      {"..", "the header: invalid JSON: syntax error at byte 1: unexpected end of input", "three empty parts"},
      {good.header + ".." + good.signature, "the signature is wrong", "no claims"},
      {encode_base64url(repeated("[", 1000)) + '.' + good.payload + '.' + good.signature,
       "the header: invalid JSON: nested deeper than 16", "a deep header"},
      {std::string(33 * 1024, 'A'), "longer than a token may be", "oversize without a dot"},
      {signed_token(kHeader, std::string(32 * 1024, ' ') + std::string(kPayload)), "longer than a token may be",
       "oversize, else good"},
  };
  for (const auto& row : rows) EXPECT_EQ(verdict(verify(row.token)), row.verdict) << row.why;
}

TEST(Jwt, EveryCharacterCounts) {
  const std::string good = signed_token(kHeader, kPayload);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string other = good;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify(other).has_value()) << "character " << i;
  }
}

TEST(Jwt, LimitIsInclusive) {
  const std::string token = signed_token(kHeader, kPayload);
  TokenExpectations expected = expectations();
  expected.bytes_max = token.size();
  EXPECT_EQ(verdict(verify_token(token, our_keys(), expected)), "accepted");
  expected.bytes_max = token.size() - 1;
  EXPECT_EQ(verdict(verify_token(token, our_keys(), expected)), "longer than a token may be");
  EXPECT_EQ(verdict(verify_token(token, {}, expectations())), "kid: no such key") << "no keys";
}

TEST(Jwt, LeewayCanBeNone) {
  TokenExpectations expected = expectations();
  expected.leeway_s = 0;
  const auto at = [&](std::int64_t now_s) {
    expected.now_ms = now_s * 1000 + 999;
    return verdict(verify_token(sign_token(our_key(), good_claims()), our_keys(), expected));
  };
  EXPECT_EQ(at(kNowS - 1), "nbf is still to come");
  EXPECT_EQ(at(kNowS), "accepted");
  EXPECT_EQ(at(kNowS + 899), "accepted");
  EXPECT_EQ(at(kNowS + 900), "exp is over");
}

// Keys and tokens of another issuer, made with another library.
constexpr std::string_view kRsaJwk =
    R"({"kty":"RSA","n":"35g6FAN3kkn5r0KaY7RVObBdNsn3ME_GypwQMUszyNbMNyZSeZDjbvtsbmJNgTo26xprwweOMKQP_G)"
    R"(QCMFn3YGSP0ibCLlVYU6vJRHTih_kR5AyR39ZVTY3mGov-JdtNcbnIniyhDrtKLPnSZZMNQm9Zg9C7CI5iYsHUIzGP0r24Cz)"
    R"(U4unZqGd_LgbJy7rN6lsIviNkpkNfkVPM8YlSv8yWVNZJizTj8HPJHi5ptx-ZutCqWIf4dYwU2_plMXs9Juw21ec_Z7uMsRi)"
    R"(INkLhWqQ64Cq0olE5AiFRSIejHXrkOeLcKkbbqImXU1gX0E6algW-_7wTzTWfXuwQoQBhc4w","e":"AQAB","kid":"rsa-)"
    R"(1","alg":"RS256","use":"sig"})";
constexpr std::string_view kEd25519Jwk =
    R"({"kty":"OKP","crv":"Ed25519","x":"yjCOEW1jDv0700YOe4WxkZNgbqX41pnbQuwxNUh3Zow","kid":"ed-1"})";
constexpr std::string_view kRsaToken =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InJzYS0xIn0.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20i"
    "LCJzdWIiOiJhbm4iLCJhdWQiOlsib3RoZXIiLCJyZWdpc3RyeS5leGFtcGxlLmNvbSJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6"
    "MTYwMDAwMDAwMCwiaWF0IjoxNjAwMDAwMDAwLCJqdGkiOiI3IiwiYWNjZXNzIjpbeyJ0eXBlIjoicmVwb3NpdG9yeSIsIm5hbWUi"
    "OiJ0ZWFtL2FwcCIsImFjdGlvbnMiOlsicHVsbCJdfV19.3Nf2G6sQ56f-U9mKYG1BkIPLCRcxT1QsejkgqmqtHcPNcGlki5XcpS4"
    "0Cdz_OkbMEbFMXye7UMCKlMCjQ6mrV2rFT1i4fIf1xKUXtcOXauB5oV8vhiqeL9CKWnUtxz8a0-EAqeOpoZFc2UvdnEpieMx52WT"
    "rwHqEj_vrhkgLASQfietZi3aGOri1O7Ca4nloa1sGOgoyNHsbv7fLWhbCI8NB-UJ-yajjoemK6kogv8VpuK-77SVQa1NcOh0Av_t"
    "RlBs51LAZgvvhXbtBvZ87PoCjVSG8BYHdxP-5vpGSOnP_DU9nE2ukjA2SZBkdgmDhN-VCgI05Psy_ZKGAfO1rDw";
constexpr std::string_view kPssToken =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InJzYS0xIn0.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20i"
    "LCJzdWIiOiJhbm4iLCJhdWQiOlsib3RoZXIiLCJyZWdpc3RyeS5leGFtcGxlLmNvbSJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6"
    "MTYwMDAwMDAwMCwiaWF0IjoxNjAwMDAwMDAwLCJqdGkiOiI3IiwiYWNjZXNzIjpbeyJ0eXBlIjoicmVwb3NpdG9yeSIsIm5hbWUi"
    "OiJ0ZWFtL2FwcCIsImFjdGlvbnMiOlsicHVsbCJdfV19.WAJfnCG5eq90vWcanbMW_js9MvUalQZ-3iySi2kziXmWgu7fMwcX_8o"
    "Be3SdxBucVCRNgJnS7TxCBSht3erq5LLWuH3B81IxbZE_zjuCmPFGeVdIFaUuXvjA_6eWx9niPZDXndvk0nC_5_U8_eGUql9vWHo"
    "f-duxyE3LIvwXoNgn5yhEO7tXURZknb8k0HozajqbcvHuBbZiAq5vZSOUMYZDWVS5vkSAbM2GtWBdXapR_EHn9xZUPtSO3dx5-eG"
    "sBGzc_l5B11juLxUMM9AvCYz8kFCO7EuvqJzfC5oYtwwz3FcGxKE_GhGKgqALWR1izdFWg8N4rGzZ97gn6hSoqw";
constexpr std::string_view kEd25519Token =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkLTEifQ.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20iLCJzdWIiOiJhbm4iL"
    "CJhdWQiOlsib3RoZXIiLCJyZWdpc3RyeS5leGFtcGxlLmNvbSJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTYwMDAwMDAwMCwia"
    "WF0IjoxNjAwMDAwMDAwLCJqdGkiOiI3IiwiYWNjZXNzIjpbeyJ0eXBlIjoicmVwb3NpdG9yeSIsIm5hbWUiOiJ0ZWFtL2FwcCIsI"
    "mFjdGlvbnMiOlsicHVsbCJdfV19.GAS5JE3NwEMnuCuFqSPfQVSUY41hjJw473M9EXh48c683Oyyg2bb0v1wPmG5yfGbwmsl1JgI"
    "TJK1QbynxN37AQ";

TEST(Jwt, ReadsTokensOfOtherIssuers) {  // A12: RS256 and EdDSA
  const std::vector keys{VerifyKey::from_jwk(json::parse(kRsaJwk).value()).value(),
                         VerifyKey::from_jwk(json::parse(kEd25519Jwk).value()).value()};
  TokenExpectations expected = expectations();
  expected.issuer = "https://auth.example.com";
  const Claims claims{.issuer = "https://auth.example.com",
                      .subject = "ann",
                      .audiences = {"other", "registry.example.com"},
                      .expires = 4'102'444'800,
                      .not_before = 1'600'000'000,
                      .issued_at = 1'600'000'000,
                      .id = "7",
                      .access = {{"repository", "team/app", {"pull"}}}};
  for (const auto token : {kRsaToken, kEd25519Token}) {
    const auto read = verify_token(token, keys, expected);
    ASSERT_TRUE(read.has_value()) << read.error().cause;
    EXPECT_EQ(*read, claims);
  }
  EXPECT_EQ(verdict(verify_token(kPssToken, keys, expected)), "the signature is wrong") << "RSA-PSS, called RS256";
  EXPECT_EQ(verdict(verify_token(kRsaToken, std::span(keys).subspan(1), expected)), "kid: no such key");
}

}  // namespace
}  // namespace berth::auth
