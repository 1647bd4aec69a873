// What explain knows beside the decision, as far as the wire cannot set it up; the rest is in
// tests/server/api_explain.http.
#include "api/admin/admin_api.h"
#include "support/accounts_fixture.h"

namespace berth::api {
namespace {

using meta::TokenKind;
using ::testing::HasSubstr;

class Explain : public test::AccountsFixture {
 protected:
  Explain() {
    add_user("ann");
    add_user("eve");
    add_org("acme", "ann");
    add_repo("acme/web");
  }
  AdminReply ask(const auth::Identity& identity, std::string_view query) {
    AdminRequest request;
    request.path = "explain";
    request.query = "repo=acme/web&action=pull" + std::string(query);
    return test::run_task(api_.handle(identity, request, "r"));
  }
  auth::IdentityPtr narrowed(std::string_view scope) {
    meta::TokenRow row;
    row.name = "laptop";
    row.scope = scope;
    return must(sign_in("ann", add_secret("ann", TokenKind::access, row).text));
  }

  auth::SetupToken setup_{clock_};
  auth::SignInLimiter limiter_;
  AdminApi api_{{*store_, directory_, audit_, setup_, passwords_, clock_, random_, limiter_}};
};

TEST_F(Explain, WhoseProviderVouchedLongAgoIsToldHowToComeBack) {
  probe_.force("UPDATE principal SET issuer = 'https://id', external_id = '7', expires_at = 1 WHERE name = 'eve'");
  const auto ann = must(sign_in("ann", kPassword));
  const AdminReply reply = ask(*ann, "&subject=eve");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr(R"("allowed":false,"because":"eve has not signed in at the identity provider)"));
  EXPECT_THAT(reply.body, HasSubstr(R"("changeable_by":"eve, by signing in with a browser")"));
}

TEST_F(Explain, ANarrowSecretAsksAboutItsOwnAccountAlone) {  // A16
  const auto ann = narrowed(R"({"repos":[{"pattern":"**","rights":"all"}]})");
  for (const char* self : {"", "&subject=ann"}) EXPECT_EQ(ask(*ann, self).status, 200) << self;
  for (const char* other : {"&subject=eve", "&subject=anonymous", "&subject=nobody", "&subject="})
    EXPECT_EQ(ask(*ann, other).status, 403) << other;
}

TEST_F(Explain, OfManyScopesAFewAreNamed) {
  std::string scope = R"({"repos":[)";
  for (int i = 0; i < 7; ++i)
    scope += (i == 0 ? "" : ",") + (R"({"pattern":"acme/r)" + std::to_string(i)) + R"(","rights":"read"})";
  const AdminReply many = ask(*narrowed(scope + "]}"), "");
  EXPECT_THAT(many.body,
              HasSubstr("the token 'laptop' that asks is narrowed to acme/r0:read, acme/r1:read, acme/r2:read, "
                        "acme/r3:read, acme/r4:read and 2 more"));
  EXPECT_THAT(ask(*narrowed(R"({"repos":[]})"), "").body, HasSubstr("is narrowed to nothing"));
}

}  // namespace
}  // namespace berth::api
