// Whoever has little must not come by more through the administration of accounts: narrowed and short-lived secrets,
// grants, roles.
#include "api/admin/admin_api.h"
#include "auth/secret_chain.h"
#include "support/accounts_fixture.h"

namespace berth::api {
namespace {

using auth::Right;
using auth::Rights;
using http::Method;
using meta::TokenKind;

class Escalation : public test::AccountsFixture {
 protected:
  Escalation() {
    add_admin("root");
    add_user("ann");
    add_user("eve");
    add_org("acme", "ann");
    add_robot("acme+ci");
    add_repo("acme");
  }
  AdminReply call(const auth::Identity& identity, Method method, std::string_view path, std::string_view body = "") {
    AdminRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    return test::run_task(api_.handle(identity, request, "r"));
  }
  auth::IdentityPtr by(std::string_view name, const Secret& secret) { return must(sign_in(name, secret.text)); }
  auth::IdentityPtr by_password(std::string_view name) { return must(sign_in(name, kPassword)); }
  Secret brief(std::string_view of, std::string_view scope = "{}") {
    meta::TokenRow row;
    row.expires_at_ms = clock_.now_ms() + kMinuteMs;
    row.scope = scope;
    return add_secret(of, TokenKind::short_lived, row);
  }
  /// A password for hours.
  Secret made_by(const auth::IdentityPtr& identity) {
    const auto made = must(json::parse(call(*identity, Method::post, "auth/short-lived").body));
    return {made.text("secret"), std::stoll(made.text("id"))};
  }
  std::int64_t last_end() { return probe_.number("SELECT expires_at FROM token ORDER BY id DESC LIMIT 1"); }

  auth::SetupToken setup_{clock_};
  auth::SignInLimiter limiter_;
  AdminApi api_{{*store_, directory_, audit_, setup_, passwords_, clock_, random_, limiter_}};
};

TEST_F(Escalation, AGrantOnRepositoriesIsNoOfficeInTheNamespace) {
  for (const char* pattern : {"acme", "acme/**"}) {
    grant("eve", pattern, Rights::all());
    const auto eve = by_password("eve");
    EXPECT_EQ(call(*eve, Method::put, "orgs/acme/members/eve", R"({"role":"owner"})").status, 404) << pattern;
    EXPECT_EQ(call(*eve, Method::get, "namespaces/acme/grants").status, 404) << pattern;
    EXPECT_EQ(call(*eve, Method::patch, "repos/acme", R"({"visibility":"public"})").status, 200)
        << pattern << ": what the grant is for";
  }
  EXPECT_EQ(call(*by_password("ann"), Method::get, "namespaces/acme/grants").status, 200);
  EXPECT_EQ(call(*by_password("root"), Method::get, "namespaces/acme/grants").status, 200);
  EXPECT_EQ(call(*by_password("eve"), Method::get, "namespaces/eve/grants").status, 200);
}

TEST_F(Escalation, WhatIsMadeByASecretEndsWithIt) {
  const auto ann = by("ann", brief("ann"));
  const std::int64_t end = clock_.now_ms() + kMinuteMs;
  EXPECT_EQ(call(*ann, Method::post, "user/tokens", R"({"name":"x"})").status, 201);
  EXPECT_EQ(last_end(), end) << "no token for ever by a password of a minute";
  EXPECT_EQ(call(*ann, Method::post, "user/tokens", R"({"name":"x","expires_in":"90d"})").status, 422)
      << "nor less than was asked for without a word";
  EXPECT_EQ(call(*ann, Method::post, "user/tokens", R"({"name":"x","expires_in":"1m"})").status, 201)
      << "as long as what makes it, of which some is over";
  EXPECT_EQ(last_end(), end);
  EXPECT_EQ(call(*ann, Method::post, "auth/short-lived").status, 201);
  EXPECT_EQ(last_end(), end) << "nor one that renews itself";
  EXPECT_EQ(call(*by_password("ann"), Method::post, "user/tokens", R"({"name":"x"})").status, 201);
  EXPECT_EQ(last_end(), 0) << "a password may: NULL";
}

// Or who stole one and made others of it would keep those when it is taken back.
TEST_F(Escalation, WhatWasMadeByWhatASecretMadeEndsWithEachOfThem) {
  for (const std::size_t ended : {0UL, 1UL, 2UL}) {
    std::vector<Secret> chain = {add_secret("ann", TokenKind::access)};
    while (chain.size() < 4) chain.push_back(made_by(by("ann", chain.back())));
    const std::string kind = ended == 0 ? "user/tokens/" : "user/sessions/";
    EXPECT_EQ(call(*by_password("ann"), Method::delete_, kind + std::to_string(chain[ended].id)).status, 204);
    for (std::size_t i = 0; i < chain.size(); ++i)
      EXPECT_EQ(test::outcome(sign_in("ann", chain[i].text)), i < ended ? "ok" : "unauthorized") << ended << ", " << i;
  }
}

TEST_F(Escalation, AChainOfSecretsHasAnEnd) {
  Secret last = add_secret("ann", TokenKind::access);
  for (int i = 0; i < auth::kSecretChainMax; ++i) last = made_by(by("ann", last));
  EXPECT_EQ(call(*by("ann", last), Method::post, "auth/short-lived").status, 403);
  EXPECT_EQ(call(*by("ann", last), Method::post, "user/tokens", R"({"name":"x"})").status, 403);
}

TEST_F(Escalation, OnlyARobotsOwnSecretChangesItself) {
  const auto secret = add_secret("acme+ci", TokenKind::robot_secret);
  const auto narrow = brief("acme+ci", R"({"repos":[{"pattern":"acme/web","rights":"read"}]})");
  EXPECT_EQ(call(*by("acme+ci", narrow), Method::post, "robot/rotate").status, 403);
  EXPECT_EQ(call(*by("acme+ci", brief("acme+ci")), Method::post, "robot/rotate").status, 403);
  EXPECT_EQ(call(*by_password("ann"), Method::post, "robot/rotate").status, 403);
  EXPECT_EQ(call(*by("acme+ci", secret), Method::post, "robot/rotate").status, 201);
}

TEST_F(Escalation, ANarrowSecretAdministersNothing) {
  const auto root = by("root", brief("root", R"({"repos":[{"pattern":"**","rights":"all"}]})"));
  for (const char* path : {"users", "orgs", "orgs/acme/members", "namespaces/acme/robots", "user/tokens"})
    EXPECT_EQ(call(*root, Method::get, path).status, 403) << path;
  EXPECT_EQ(call(*root, Method::post, "auth/short-lived", R"({"scopes":["**:all"]})").status, 403)
      << "it does not choose what it makes";
  EXPECT_EQ(call(*root, Method::post, "auth/short-lived").status, 201);
  EXPECT_EQ(probe_.rows("SELECT scope FROM token ORDER BY id DESC LIMIT 1").front(),
            R"({"repos":[{"pattern":"**","rights":"read,write,overwrite,delete,admin"}]})");
}

TEST_F(Escalation, AScopeOfTheRegistryMakesNobodyAnAdministratorAndSignsInAsNobody) {  // A16
  const auto root = by("root", brief("root", R"({"repos":[],"registry":"write","profile":true})"));
  const struct {
    Method method;
    const char* path;
    const char* body;
    int status;
  } rows[] = {
      {Method::put, "users/root/password", R"({"new":"correct horse"})", 403},
      {Method::put, "users/ann/password", R"({"new":"correct horse"})", 403},
      {Method::put, "user/password", R"({"current":"x","new":"correct horse"})", 403},
      {Method::patch, "users/eve", R"({"admin":true})", 403},
      {Method::patch, "users/root", R"({"admin":false})", 403},
      {Method::patch, "users/root", R"({"issuer":"https://id","subject":"7"})", 403},
      {Method::patch, "users/eve", R"({"issuer":null,"subject":null})", 403},
      {Method::post, "users", R"({"name":"mallory","admin":true})", 403},
      {Method::post, "user/tokens", R"({"name":"x"})", 403},
      {Method::post, "users", R"({"name":"carl","password":"correct horse"})", 201},
      {Method::patch, "users/eve", R"({"disabled":true})", 200},
      {Method::patch, "user", R"({"display_name":"Root"})", 200},
  };
  for (const auto& row : rows) {
    const AdminReply reply = call(*root, row.method, row.path, row.body);
    EXPECT_EQ(reply.status, row.status) << row.path << " " << row.body;
    const bool says_so = reply.body.find(R"("code":"insufficient_scope")") != std::string::npos;
    EXPECT_EQ(says_so, row.status == 403) << row.path;
  }
}

TEST_F(Escalation, WhatIsMadeByANarrowSecretIsAsNarrowInEveryWay) {  // A16
  constexpr std::string_view kScope = R"({"repos":[],"namespaces":["acme"],"profile":true,"registry":"read"})";
  EXPECT_EQ(call(*by("root", brief("root", kScope)), Method::post, "auth/short-lived").status, 201);
  EXPECT_EQ(probe_.rows("SELECT scope FROM token ORDER BY id DESC LIMIT 1").front(), kScope);
}

TEST_F(Escalation, TokensThatAreRevokedOrOverMakeRoomForNewOnes) {
  expect_ok(change([&, ann = principal("ann")->id](sql::Connection& db) -> Result<void> {
    meta::TokenRow row;
    row.principal = ann;
    for (int i = 0; i < 1000; ++i)
      BERTH_TRYV(meta::insert_token(db, row, auth::secret_hash(std::to_string(i)), stamp()));
    return {};
  }));
  const auto ann = by_password("ann");
  EXPECT_NE(call(*ann, Method::post, "user/tokens", R"({"name":"x"})").status, 201);
  const std::string id = probe_.rows("SELECT min(id) FROM token").front();
  EXPECT_EQ(call(*ann, Method::delete_, "user/tokens/" + id).status, 204);
  EXPECT_EQ(call(*ann, Method::post, "user/tokens", R"({"name":"x"})").status, 201);
}

}  // namespace
}  // namespace berth::api
