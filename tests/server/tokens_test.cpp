// What our tokens say (A12), and that nothing but ours opens a door (S8, S9): each forgery is sent to a running server.
#include "app/token_keys.h"
#include "auth/jwt.h"
#include "base/base64.h"
#include "crypto/hmac.h"
#include "server/pushes.h"
#include "support/test_accounts.h"
#include "support/test_server.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <ranges>

namespace berth::test {
namespace {

using nlohmann::json;

constexpr const char* kService = "reg.example.com";
constexpr const char* kRepo = "ann/app";

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string basic(const std::string& credentials) { return "Basic " + base64(credentials); }

struct Tokens : ::testing::Test {
  TestServer server{TestServer::Options{.anonymous = api::Anonymous::off}};
  TestAccounts accounts{server};
  WireClient client{server.port()};

  void SetUp() override {
    ASSERT_TRUE(accounts.add_user("ann", "pw-ann"));
    ASSERT_TRUE(accounts.add_user("bob", "pw-bob"));
    const Fields as_ann{{"Authorization", basic("ann:pw-ann")}};
    ASSERT_EQ(
        client
            .ask("POST", std::string("/v2/") + kRepo + "/blobs/uploads/?digest=" + sha256_of(kConfig), kConfig, as_ann)
            .status,
        201);
    ASSERT_EQ(push_manifest(client, kRepo, "v1", image("1"), as_ann).status, 201);
  }

  json answer_of(const std::string& authorization, const std::string& scopes) {
    Fields fields;
    if (!authorization.empty()) fields.emplace_back("Authorization", authorization);
    const WireResponse response = client.ask("GET", "/token?scope=" + percent_encoded(scopes), {}, std::move(fields));
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body, nullptr, false);
  }
  std::string token_of(const std::string& authorization, const std::string& scopes) {
    return answer_of(authorization, scopes).value("token", "");
  }
};

/// "header.payload.signature"; `part` counts from 0.
json part_of(const std::string& token, std::size_t part) {
  for (const auto piece : std::views::split(token, '.') | std::views::drop(part) | std::views::take(1))
    return json::parse(decode_base64url(std::string_view(piece.begin(), piece.end())).value_or(""), nullptr, false);
  return {};
}

TEST_F(Tokens, SayWhoForWhomAndWhat) {  // A8, A12
  const json answer = answer_of(basic("ann:pw-ann"), "repository:ann/app:pull,push repository:bob/app:pull,delete");
  EXPECT_EQ(answer["token"], answer["access_token"]);
  const std::string token = answer["token"];
  const json header = part_of(token, 0);
  const json claims = part_of(token, 1);
  EXPECT_EQ(header["typ"], "JWT");
  EXPECT_EQ(header["alg"], "ES256");
  EXPECT_EQ(header["kid"], app::load_token_keys(server.data_dir(), server.clock)->front().kid());
  EXPECT_EQ(claims["iss"], kService);
  EXPECT_EQ(claims["aud"], kService);
  EXPECT_EQ(claims["sub"], "ann");
  const std::int64_t now_s = server.clock.now_ms() / 1000;
  EXPECT_EQ(claims["iat"], now_s);
  EXPECT_EQ(claims["nbf"], now_s);
  EXPECT_EQ(claims["exp"], now_s + 900);
  EXPECT_EQ(claims["access"], json::parse(R"([{"type":"repository","name":"ann/app","actions":["pull","push"]},
                                              {"type":"repository","name":"bob/app","actions":[]}])"));
  const json next = part_of(token_of(basic("ann:pw-ann"), ""), 1);
  EXPECT_NE(claims["jti"], next["jti"]);
  EXPECT_EQ(next["access"], json::array());
}

TEST_F(Tokens, OfNobodySaySo) {  // A9
  const json claims = part_of(token_of("", "repository:ann/app:pull registry:catalog:*"), 1);
  EXPECT_EQ(claims["sub"], "");
  EXPECT_EQ(claims["access"], json::parse(R"([{"type":"repository","name":"ann/app","actions":[]},
                                              {"type":"registry","name":"catalog","actions":["*"]}])"));
}

TEST_F(Tokens, ThatAreFullStillFitIntoAnAnswerAndAHeader) {  // A8, G8
  std::string form = "grant_type=password&username=ann&password=pw-ann&scope=";
  for (int i = 100; i < 240; ++i) form += concat("repository:ann/", std::string(230, 'a'), i, ":pull,push,delete+");
  const WireResponse response = client.ask("POST", "/token", form);
  EXPECT_LT(response.body.size(), 64U * 1024);
  const std::string token = json::parse(response.body, nullptr, false).value("token", "");
  EXPECT_LT(token.size(), 30'000U);
  EXPECT_EQ(part_of(token, 1)["access"].size(), auth::kScopesMax);
  EXPECT_EQ(client.ask("GET", "/v2/", {}, {{"Authorization", "Bearer " + token}}).status, 200);
}

TEST_F(Tokens, AskedForBeyondWhatIsSetAreLeftOut) {  // A7, A8
  const std::string three = "repository:ann/a:pull repository:ann/b:pull repository:ann/c:pull";
  const auto post = [&](const std::string& more) {
    return client.ask("POST", "/token",
                      "grant_type=password&username=ann&password=pw-ann&scope=" + percent_encoded(three) + more);
  };
  const std::string long_one = "&client_id=" + std::string(10'000, 'x');
  EXPECT_EQ(post(long_one).status, 200);
  EXPECT_EQ(json::parse(post("").body)["scope"], three);

  app::ServeConfig next = server.server().config();
  next.limits.token_form_bytes_max = 8 * 1024;
  next.limits.token_scopes_max = 2;
  const auto report = server.server().reload(next);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_THAT(report->applied, ::testing::ElementsAre("limits.token_form", "limits.token_scopes"));
  EXPECT_EQ(post(long_one).status, 413);
  EXPECT_EQ(json::parse(post("").body)["scope"], "repository:ann/a:pull repository:ann/b:pull") << "no error";
  EXPECT_EQ(part_of(token_of(basic("ann:pw-ann"), three), 1)["access"].size(), 2U);
}

/// How long after its 900 s a token is still good, looked at each second.
std::int64_t seconds_behind_its_end(std::int64_t leeway_ms) {
  TestServer server({.anonymous = api::Anonymous::off,
                     .adjust = [=](app::ServeConfig& config) { config.token_leeway_ms = leeway_ms; }});
  TestAccounts accounts(server);
  EXPECT_TRUE(accounts.add_user("ann", "pw-ann"));
  WireClient client(server.port());
  const WireResponse answer = client.ask("GET", "/token", {}, {{"Authorization", basic("ann:pw-ann")}});
  const std::string token = json::parse(answer.body, nullptr, false).value("token", "");
  const auto status = [&] { return client.ask("GET", "/v2/", {}, {{"Authorization", "Bearer " + token}}).status; };
  EXPECT_EQ(status(), 200);
  server.clock.advance_ms(899'000);
  EXPECT_EQ(status(), 200);
  std::int64_t seconds = -1;
  for (int last = 200; last == 200 && seconds < 1'000; last = status()) {
    ++seconds;
    server.clock.advance_ms(1'000);
  }
  return seconds;
}

TEST_F(Tokens, CountForAsLongAsClocksMayDiffer) {  // A12
  for (const std::int64_t leeway_s : {0, 60, 90}) EXPECT_EQ(seconds_behind_its_end(leeway_s * 1000), leeway_s);
}

/// Makes tokens the way an attacker would, from a good one and what is public, and some that only the server could.
class Forger {
 public:
  Forger(const TestServer& server, const std::string& good)
      : key_(app::load_token_keys(server.data_dir(), server.clock)->front()),
        good_(good),
        header_(part_of(good, 0)),
        claims_(part_of(good, 1)) {}

  struct Row {
    std::string token;
    const char* why;
  };
  std::vector<Row> rows() const {
    std::vector<Row> out;
    add_algorithms(out);
    add_keys(out);
    add_claims(out);
    add_shapes(out);
    return out;
  }

 private:
  static std::string encoded(const json& header, const json& claims) {
    return encode_base64url(header.dump()) + "." + encode_base64url(claims.dump());
  }
  static std::string signed_by(const crypto::SigningKey& key, const json& header, const json& claims) {
    const std::string text = encoded(header, claims);
    return text + "." + encode_base64url(key.sign(bytes(text)));
  }
  json header_with(const json& changes) const {
    json out = header_;
    out.merge_patch(changes);
    return out;
  }
  std::string with_claims(const json& changes) const {
    json claims = claims_;
    claims.merge_patch(changes);
    return signed_by(key_, header_, claims);
  }
  std::string signature() const { return good_.substr(good_.rfind('.') + 1); }

  void add_algorithms(std::vector<Row>& out) const {
    for (const char* none : {"none", "None", "NONE", ""}) {
      out.push_back({encoded(header_with({{"alg", none}}), claims_) + ".", "no algorithm, no signature"});
      out.push_back({encoded(header_with({{"alg", none}}), claims_) + "." + signature(), "no algorithm"});
      out.push_back({encoded({{"alg", none}}, claims_) + ".", "no algorithm, no key"});
      out.push_back({signed_by(key_, header_with({{"alg", none}}), claims_), "no algorithm, though rightly signed"});
    }
    const json hs256 = header_with({{"alg", "HS256"}});
    const std::string text = encoded(hs256, claims_);
    for (const std::string& secret : {key_.public_key().jwk(), key_.kid(), std::string()}) {
      out.push_back({text + "." + encode_base64url(crypto::hmac_sha256(bytes(secret), bytes(text))),
                     "the public key for a shared secret"});
    }
    for (const char* other : {"ES384", "RS256", "PS256", "EdDSA"})
      out.push_back({signed_by(key_, header_with({{"alg", other}}), claims_), "another algorithm than the key's"});
  }

  void add_keys(std::vector<Row>& out) const {
    const auto foreign = crypto::SigningKey::generate();
    const json jwk = json::parse(foreign.public_key().jwk());
    out.push_back({signed_by(foreign, header_, claims_), "a foreign key under our kid"});
    out.push_back({signed_by(foreign, header_with({{"kid", foreign.kid()}}), claims_), "a foreign kid"});
    out.push_back({signed_by(key_, header_with({{"kid", nullptr}}), claims_), "no kid"});
    out.push_back({signed_by(key_, header_with({{"kid", "../keys/x"}}), claims_), "a kid that is a path"});
    out.push_back({signed_by(key_, header_with({{"kid", "' OR 1=1 --"}}), claims_), "a kid that is SQL"});
    out.push_back({signed_by(foreign, header_with({{"jwk", jwk}}), claims_), "a key it brings along"});
    out.push_back({signed_by(foreign, header_with({{"jwk", jwk}, {"kid", foreign.kid()}}), claims_),
                   "a key it brings along, by its kid (CVE-2025-24976)"});
    for (const char* where : {"jku", "x5u"}) {
      out.push_back(
          {signed_by(foreign, header_with({{where, "http://127.0.0.1:1/keys"}, {"kid", foreign.kid()}}), claims_),
           "a key it points at"});
    }
    out.push_back({signed_by(foreign, header_with({{"x5c", {"MIIB"}}, {"kid", foreign.kid()}}), claims_),
                   "a certificate it brings along"});
    out.push_back({signed_by(key_, header_with({{"crit", {"exp"}}}), claims_), "an extension that must be understood"});
  }

  void add_claims(std::vector<Row>& out) const {
    const std::int64_t now_s = claims_["iat"];
    out.push_back(
        {encoded(header_, json(claims_).patch(json::parse(R"([{"op":"replace","path":"/sub","value":"bob"}])"))) + "." +
             signature(),
         "claims changed behind the signature"});
    out.push_back({with_claims({{"iss", "other.example.com"}}), "another issuer"});
    out.push_back({with_claims({{"iss", nullptr}}), "no issuer"});
    out.push_back({with_claims({{"aud", "other.example.com"}}), "for another service"});
    out.push_back({with_claims({{"aud", std::string(kService) + ".evil.example"}}), "for one with a longer name"});
    out.push_back({with_claims({{"aud", nullptr}}), "for nobody"});
    out.push_back({with_claims({{"aud", json::array()}}), "for an empty list"});
    out.push_back({with_claims({{"exp", now_s - 61}}), "over"});
    out.push_back({with_claims({{"exp", nullptr}}), "without an end"});
    out.push_back({with_claims({{"exp", "never"}}), "with an end that is no number"});
    out.push_back({with_claims({{"exp", 1e300}}), "with an end beyond numbers"});
    out.push_back({with_claims({{"nbf", now_s + 61}}), "not yet"});
    out.push_back({with_claims({{"sub", "bob"}}), "a name with another's number"});
    out.push_back({with_claims({{"uid", claims_["uid"].get<std::int64_t>() + 1000}}), "a number nobody has"});
    out.push_back({with_claims({{"uid", nullptr}}), "no number"});
    out.push_back({with_claims({{"sub", "nobody-here"}}), "a name nobody has"});
    out.push_back({with_claims({{"via", 999}}), "made with a secret nobody has"});
    out.push_back({with_claims({{"access", "all"}}), "access of the wrong type"});
  }

  void add_shapes(std::vector<Row>& out) const {
    const std::string text = good_.substr(0, good_.rfind('.'));
    out.push_back({text, "two parts"});
    out.push_back({text + ".", "an empty signature"});
    out.push_back({good_ + "A", "a longer signature"});
    out.push_back({good_ + "=", "padding"});
    out.push_back({good_ + "." + signature(), "four parts"});
    out.push_back({"." + good_, "an empty header"});
    out.push_back({text + "." + std::string(86, 'A'), "a signature of zeros"});
    out.push_back({encode_base64url(std::string(5000, '[')) + ".e30.AA", "a header nested deep"});
  }

  crypto::SigningKey key_;
  std::string good_;
  json header_;
  json claims_;
};

TEST_F(Tokens, ThatWereForgedAreRefusedAtEveryDoor) {  // A4, A12, S8, S9
  const std::string good = token_of(basic("ann:pw-ann"), "repository:ann/app:pull,push,delete");
  const std::string manifest = std::string("/v2/") + kRepo + "/manifests/v1";
  ASSERT_EQ(client.ask("GET", manifest, {}, {{"Authorization", "Bearer " + good}}).status, 200);
  for (const auto& [token, why] : Forger(server, good).rows()) {
    const Fields fields{{"Authorization", "Bearer " + token}};
    for (const char* method : {"GET", "PUT", "DELETE"}) {
      const WireResponse response = client.ask(method, manifest, {}, fields);
      EXPECT_EQ(response.status, 401) << method << ": " << why;
      EXPECT_THAT(response.field("WWW-Authenticate").value_or(""), ::testing::EndsWith(",error=\"invalid_token\""))
          << why;
    }
    EXPECT_EQ(client.ask("GET", "/v2/", {}, fields).status, 401) << why;
    EXPECT_EQ(client.ask("GET", "/token", {}, fields).status, 401) << why;
    EXPECT_EQ(client.ask("GET", "/api/v1/user", {}, fields).status, 401) << why;
  }
  EXPECT_EQ(client.ask("GET", manifest, {}, {{"Authorization", "Bearer " + good}}).status, 200);
}

TEST_F(Tokens, ThatWereForgedContinueNoUpload) {  // A11: the grace is for tokens that were good
  const Fields as_ann{{"Authorization", basic("ann:pw-ann")}};
  const std::string session =
      client.ask("POST", std::string("/v2/") + kRepo + "/blobs/uploads/", {}, as_ann).field("Location").value_or("");
  const std::string good = token_of(basic("ann:pw-ann"), "repository:ann/app:pull,push,delete");
  for (const auto& [token, why] : Forger(server, good).rows()) {
    if (why == std::string_view("over")) continue;  // that one was good once
    const WireResponse response = client.ask("PATCH", session, "x", {{"Authorization", "Bearer " + token}});
    EXPECT_EQ(response.status, 401) << why;
  }
  EXPECT_EQ(client.ask("GET", session, {}, as_ann).field("Range"), "0-0");
}

TEST_F(Tokens, OutliveARestartAndAreGoodForOneRegistryOnly) {  // S9
  const std::string token = token_of(basic("ann:pw-ann"), "");
  client.close();
  server.stop();
  server.start();
  WireClient again(server.port());
  EXPECT_EQ(again.ask("GET", "/v2/", {}, {{"Authorization", "Bearer " + token}}).status, 200);
  TestServer other(TestServer::Options{.anonymous = api::Anonymous::off});
  ASSERT_TRUE(TestAccounts(other).add_user("ann", "pw-ann"));
  WireClient stranger(other.port());
  EXPECT_EQ(stranger.ask("GET", "/v2/", {}, {{"Authorization", "Bearer " + token}}).status, 401);
}

}  // namespace
}  // namespace berth::test
