// Tokens of another server (auth.mode external): what they say in `access` is all their bearer may do (A12, A14).
#include "base/base64.h"
#include "crypto/signing_key.h"
#include "server/pushes.h"
#include "support/temp_dir.h"
#include "support/test_accounts.h"
#include "support/test_server.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace berth::test {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr const char* kRealm = "https://auth.example.com/token?from=registry";
constexpr const char* kService = "registry of a test";
constexpr const char* kIssuer = "auth of a test";
constexpr const char* kChallenge =
    "Bearer realm=\"https://auth.example.com/token?from=registry\",service=\"registry of a test\"";

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// The token server, as far as the registry knows of it: a key, and what it signs.
class TokenServer {
 public:
  std::string key_file() const { return folder_.path() + "/keys.json"; }
  void rotate() {
    key_ = crypto::SigningKey::generate();
    publish();
  }
  void publish() const { std::ofstream(key_file()) << "{\"keys\":[" << key_.public_key().jwk() << "]}"; }

  json claims(const ManualClock& clock, json access, const std::string& subject = "ann") const {
    const std::int64_t now_s = clock.now_ms() / 1000;
    return {{"iss", kIssuer},
            {"aud", kService},
            {"sub", subject},
            {"exp", now_s + 300},
            {"nbf", now_s - 10},
            {"iat", now_s - 10},
            {"access", std::move(access)}};
  }
  std::string signed_by(const crypto::SigningKey& key, const json& header, const json& claims) const {
    const std::string text = encode_base64url(header.dump()) + "." + encode_base64url(claims.dump());
    return text + "." + encode_base64url(key.sign(bytes(text)));
  }
  std::string sign(const json& claims) const {
    return signed_by(key_, {{"typ", "JWT"}, {"alg", "ES256"}, {"kid", key_.kid()}}, claims);
  }
  const crypto::SigningKey& key() const { return key_; }

 private:
  TempDir folder_;
  crypto::SigningKey key_ = crypto::SigningKey::generate();
};

json repository(const std::string& name, std::vector<std::string> actions) {
  return {{"type", "repository"}, {"name", name}, {"actions", std::move(actions)}};
}

struct ExternalTokens : ::testing::Test {
  TokenServer tokens;
  std::unique_ptr<TestServer> server = start();
  WireClient client{server->port()};

  std::unique_ptr<TestServer> start(std::int64_t leeway_ms = 60'000) {
    tokens.publish();
    TestServer::Options options;
    options.anonymous = api::Anonymous::off;
    options.auth_mode = api::AuthMode::external;
    options.adjust = [file = tokens.key_file(), leeway_ms](app::ServeConfig& config) {
      config.token_leeway_ms = leeway_ms;
      config.external = {.realm = kRealm, .service = kService, .issuer = kIssuer, .key_files = {file}};
    };
    return std::make_unique<TestServer>(options);
  }
  Fields with(const std::vector<json>& access, const std::string& subject = "ann") {
    return with_access(access, subject);
  }
  Fields with_access(json access, const std::string& subject) {
    return bearer(tokens.sign(tokens.claims(server->clock, std::move(access), subject)));
  }
  static Fields bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
  int status(const std::string& method, const std::string& target, Fields fields, const std::string& body = {}) {
    return client.ask(method, target, body, std::move(fields)).status;
  }
  void push_image(const std::string& repo, const std::string& tag) {
    const Fields may_push = with({repository(repo, {"pull", "push"})});
    ASSERT_EQ(status("POST", "/v2/" + repo + "/blobs/uploads/?digest=" + sha256_of(kConfig), may_push, kConfig), 201);
    ASSERT_EQ(push_manifest(client, repo, tag, image(tag), may_push).status, 201);
  }
};

TEST_F(ExternalTokens, AreAskedForAtTheirServer) {  // A1, A2, A4, A5
  const WireResponse base = client.ask("GET", "/v2/");
  EXPECT_EQ(base.status, 401);
  EXPECT_EQ(base.field("WWW-Authenticate"), kChallenge);
  const WireResponse pull = client.ask("GET", "/v2/team/app/manifests/1");
  EXPECT_EQ(pull.field("WWW-Authenticate"), std::string(kChallenge) + ",scope=\"repository:team/app:pull\"");
  const WireResponse listing = client.ask("GET", "/v2/_catalog");
  EXPECT_EQ(listing.field("WWW-Authenticate"), std::string(kChallenge) + ",scope=\"registry:catalog:*\"");
  const Fields password{{"Authorization", "Basic " + base64("ann:pw-ann")}};
  const WireResponse basic = client.ask("GET", "/v2/", {}, password);
  EXPECT_EQ(basic.status, 401);
  EXPECT_EQ(basic.field("WWW-Authenticate"), kChallenge);
  EXPECT_EQ(status("GET", "/v2/", with({})), 200);
  EXPECT_EQ(status("GET", "/v2/", with({}, "")), 200) << "a token of nobody is a token";
}

TEST_F(ExternalTokens, AllowWhatTheySayAndNothingElse) {  // A10, A12, A13
  push_image("team/app", "v1");
  const std::string manifest = "/v2/team/app/manifests/v1";
  const std::string upload = "/v2/team/app/blobs/uploads/";
  const struct {
    json access;
    int pull;
    int push;
    int overwrite;
    const char* why;
  } rows[] = {
      {json::array({repository("team/app", {"pull"})}), 200, 401, 401, "pull"},
      {json::array({repository("team/app", {"pull", "push"})}), 200, 202, 201, "pull and push"},
      {json::array({repository("team/app", {"push"})}), 401, 401, 401, "whoever pushes reads, too (A13)"},
      {json::array({repository("team/app", {"*"})}), 200, 202, 201, "everything"},
      {json::array({repository("team/app", {"delete"})}), 401, 401, 401, "delete alone"},
      {json::array({repository("team/app", {})}), 401, 401, 401, "asked for and denied"},
      {json::array({repository("team/app", {"pull"}), repository("team/app", {"push"})}), 200, 202, 201,
       "in two parts"},
      {json::array({repository("team/apps", {"*"})}), 401, 401, 401, "another repository"},
      {json::array({repository("team/*", {"*"})}), 401, 401, 401, "no patterns"},
      {json::array({{{"type", "repositories"}, {"name", "team/app"}, {"actions", {"*"}}}}), 401, 401, 401,
       "no such type"},
      {json::array({{{"type", "registry"}, {"name", "catalog"}, {"actions", {"*"}}}}), 401, 401, 401, "the catalog"},
      {json::array(), 401, 401, 401, "nothing"},
      {nullptr, 401, 401, 401, "null, as Go prints an empty list"},
  };
  for (const auto& row : rows) {
    for (const std::string subject : {"ann", ""}) {
      const Fields fields = with_access(row.access, subject);
      EXPECT_EQ(status("GET", manifest, fields), row.pull) << row.why;
      EXPECT_EQ(status("GET", manifest, fields), row.pull) << row.why << ", from memory";
      EXPECT_EQ(status("POST", upload, fields), row.push) << row.why;
      EXPECT_EQ(push_manifest(client, "team/app", "v1", image("v1"), fields).status, row.overwrite) << row.why;
    }
  }
  const WireResponse refused = client.ask("POST", upload, {}, with({repository("team/app", {"pull"})}));
  EXPECT_EQ(refused.field("WWW-Authenticate"),
            std::string(kChallenge) + ",scope=\"repository:team/app:pull,push\",error=\"insufficient_scope\"");
  EXPECT_EQ(status("DELETE", manifest, with({repository("team/app", {"pull", "push"})})), 401);
  EXPECT_EQ(status("DELETE", manifest, with({repository("team/app", {"delete"})})), 202);
}

TEST_F(ExternalTokens, ForTheCatalogShowAllOfIt) {
  push_image("team/app", "v1");
  const json of_catalog{{"type", "registry"}, {"name", "catalog"}, {"actions", {"*"}}};
  const WireResponse listing = client.ask("GET", "/v2/_catalog", {}, with({of_catalog}));
  EXPECT_EQ(listing.status, 200);
  EXPECT_EQ(listing.body, R"({"repositories":["team/app"]})");
  json narrow = of_catalog;
  narrow["actions"] = {"pull"};
  EXPECT_EQ(status("GET", "/v2/_catalog", with({narrow})), 401);
  EXPECT_EQ(status("GET", "/v2/_catalog", with({repository("team/app", {"*"})})), 401);
}

TEST_F(ExternalTokens, ThatAreNotRightAreRefused) {  // A4, A12, S8, S9
  push_image("team/app", "v1");
  const json good = tokens.claims(server->clock, json::array({repository("team/app", {"*"})}));
  const std::int64_t now_s = server->clock.now_ms() / 1000;
  const auto changed = [&](const json& changes) {
    json claims = good;
    claims.merge_patch(changes);
    return tokens.sign(claims);
  };
  const json header{{"typ", "JWT"}, {"alg", "ES256"}, {"kid", tokens.key().kid()}};
  const auto under = [&](const crypto::SigningKey& key, const json& changes) {
    json other = header;
    other.merge_patch(changes);
    return tokens.signed_by(key, other, good);
  };
  const auto foreign = crypto::SigningKey::generate();
  const json jwk = json::parse(foreign.public_key().jwk());
  const std::pair<std::string, const char*> rows[] = {
      {changed({{"iss", "another"}}), "another issuer"},
      {changed({{"aud", "another"}}), "for another registry"},
      {changed({{"aud", nullptr}}), "for nobody"},
      {changed({{"exp", now_s - 61}}), "over"},
      {changed({{"nbf", now_s + 61}}), "not yet"},
      {changed({{"sub", std::string(257, 'a')}}), "a subject without measure"},
      {changed({{"sub", "ann\nbob"}}), "a subject of two lines"},
      {changed({{"sub", 7}}), "a subject that is no text"},
      {changed({{"access", "all"}}), "access of another form"},
      {under(tokens.key(), {{"kid", nullptr}}), "no kid, though there is one key only"},
      {under(tokens.key(), {{"alg", "RS256"}}), "another algorithm"},
      {under(tokens.key(), {{"alg", "none"}}), "none"},
      {under(foreign, json::object()), "another key"},
      {under(foreign, {{"kid", foreign.kid()}}), "another kid"},
      {under(foreign, {{"kid", foreign.kid()}, {"jwk", jwk}}), "a key of its own"},
      {under(foreign, {{"jku", "http://127.0.0.1:1/"}, {"x5u", "http://127.0.0.1:1/"}}), "a key elsewhere"},
      {"nonsense", "no token"},
  };
  for (const auto& [token, why] : rows) {
    const WireResponse answer = client.ask("GET", "/v2/team/app/manifests/v1", {}, bearer(token));
    EXPECT_EQ(answer.status, 401) << why;
    EXPECT_THAT(answer.field("WWW-Authenticate").value_or(""),
                EndsWith(",scope=\"repository:team/app:pull\",error=\"invalid_token\""))
        << why;
  }
  EXPECT_EQ(status("GET", "/v2/team/app/manifests/v1", bearer(changed({{"exp", now_s - 50}}))), 200) << "leeway";
  EXPECT_EQ(status("GET", "/v2/team/app/manifests/v1", bearer(changed({{"exp", INT64_MAX}}))), 200) << "for ever";
  EXPECT_EQ(status("GET", "/v2/team/app/manifests/v1", bearer(changed({{"aud", {"x", kService}}}))), 200) << "a list";
  EXPECT_EQ(status("GET", "/v2/team/app/manifests/v1", bearer(under(tokens.key(), {{"x5c", {"MIIB"}}}))), 200)
      << "a certificate beside the kid is not looked at";
}

TEST_F(ExternalTokens, EndWhileTheyAreRemembered) {
  const Fields fields = with({});
  EXPECT_EQ(status("GET", "/v2/", fields), 200);
  server->clock.advance_ms(359'000);
  EXPECT_EQ(status("GET", "/v2/", fields), 200);
  server->clock.advance_ms(2'000);
  EXPECT_EQ(status("GET", "/v2/", fields), 401);
}

TEST_F(ExternalTokens, OfClocksThatMustAgreeEndToTheSecond) {  // A12
  const auto exact = start(0);
  WireClient to_exact(exact->port());
  const Fields fields = with({});
  EXPECT_EQ(to_exact.ask("GET", "/v2/", {}, fields).status, 200);
  exact->clock.advance_ms(299'000);
  EXPECT_EQ(to_exact.ask("GET", "/v2/", {}, fields).status, 200);
  exact->clock.advance_ms(1'000);
  EXPECT_EQ(to_exact.ask("GET", "/v2/", {}, fields).status, 401);
}

TEST_F(ExternalTokens, MountFromWhatTheyMayPull) {  // A14, X1, X2
  const std::string blob = "of team/base";
  ASSERT_EQ(status("POST", "/v2/team/base/blobs/uploads/?digest=" + sha256_of(blob),
                   with({repository("team/base", {"pull", "push"})}), blob),
            201);
  const json target = repository("team/app", {"pull", "push"});
  const std::string mount = "/v2/team/app/blobs/uploads/?mount=" + sha256_of(blob);
  const WireResponse unasked = client.ask("POST", mount + "&from=team/base", {}, with({target}));
  EXPECT_EQ(unasked.status, 401) << "who did not ask for the source can do so now";
  EXPECT_EQ(unasked.field("WWW-Authenticate"),
            std::string(kChallenge) +
                ",scope=\"repository:team/app:pull,push repository:team/base:pull\",error=\"insufficient_scope\"");
  EXPECT_EQ(status("POST", mount + "&from=team/base", with({target, repository("team/base", {})})), 202) << "denied";
  EXPECT_EQ(status("POST", mount, with({target})), 202) << "no source that the token knows";
  EXPECT_EQ(status("POST", mount + "&from=team/base", with({target, repository("team/base", {"pull"})})), 201);
  EXPECT_EQ(status("POST", mount + "&from=team/app", with({target})), 201) << "of itself";
  const std::string elsewhere = "/v2/team/other/blobs/uploads/?mount=" + sha256_of(blob);
  EXPECT_EQ(status("POST", elsewhere, with({repository("team/other", {"*"}), repository("team/base", {"pull"})})), 201)
      << "found among what the token may pull (X3)";
}

TEST_F(ExternalTokens, OfYesterdayEndTheUploadsTheyBegan) {  // A11, S13
  const std::vector<json> access{repository("team/app", {"pull", "push"})};
  const Fields fields = with(access);
  const std::string session =
      client.ask("POST", "/v2/team/app/blobs/uploads/", {}, fields).field("Location").value_or("");
  server->clock.advance_ms(3'600'000);
  EXPECT_EQ(status("POST", "/v2/team/app/blobs/uploads/", fields), 401);
  EXPECT_EQ(status("PATCH", session, fields, kConfig), 202);
  EXPECT_EQ(status("GET", session, with(access, "bob")), 404) << "of another subject";
  EXPECT_EQ(status("GET", session, with(access, "")), 404) << "of nobody";
  EXPECT_EQ(status("PUT", session + "?digest=" + sha256_of(kConfig), fields), 201);
  const std::string second =
      client.ask("POST", "/v2/team/app/blobs/uploads/", {}, with(access)).field("Location").value_or("");
  server->clock.advance_ms(25LL * 3'600'000);
  EXPECT_EQ(status("PATCH", second, fields, kConfig), 401) << "a day is the end of it";
}

TEST_F(ExternalTokens, AreAllThereIs) {
  TestAccounts accounts(*server);
  ASSERT_TRUE(accounts.add_user("ann", "pw-ann", true));
  push_image("team/app", "v1");
  ASSERT_TRUE(accounts.set_visibility("team/app", meta::Visibility::open));
  EXPECT_EQ(status("GET", "/v2/team/app/manifests/v1", {}), 401) << "public to accounts is not public here";
  EXPECT_EQ(status("GET", "/v2/team/app/manifests/v1", with({})), 401) << "ann's account is not asked";
  const Fields password{{"Authorization", "Basic " + base64("ann:pw-ann")}};
  EXPECT_EQ(status("GET", "/v2/team/app/manifests/v1", password), 401);
  for (const char* path : {"/token", "/.well-known/jwks.json", "/setup", "/api/v1/user", "/api/v1/meta"}) {
    EXPECT_EQ(status("GET", path, {}), 404) << path;
    EXPECT_EQ(status("GET", path, password), 404) << path;
    EXPECT_EQ(status("GET", path, with({repository("team/app", {"*"})})), 404) << path;
  }
  EXPECT_EQ(status("POST", "/token", {}, "grant_type=password&username=ann&password=pw-ann"), 404);
  EXPECT_EQ(status("POST", "/api/v1/setup", {}, R"({"token":"x","name":"eve","password":"long enough"})"), 404);
  EXPECT_EQ(status("GET", "/healthz", {}), 200);
}

TEST_F(ExternalTokens, OfAKeyThatWasTakenAwayCountNoMore) {
  const Fields fields = with({});
  ASSERT_EQ(status("GET", "/v2/", fields), 200);
  tokens.rotate();
  ASSERT_TRUE(server->server().reload(server->server().config()));
  EXPECT_EQ(status("GET", "/v2/", fields), 401);
  EXPECT_EQ(status("GET", "/v2/", with({})), 200);
  std::ofstream(tokens.key_file()) << "neither keys nor certificates";
  const auto refused = server->server().reload(server->server().config());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("auth.external_keys"));
  EXPECT_EQ(status("GET", "/v2/", with({})), 200) << "the keys before stay";
}

}  // namespace
}  // namespace berth::test
