// What a dry run leaves alone beside the tables, which tests/server holds against the wire.
#include "api/admin/admin_api.h"
#include "support/accounts_fixture.h"

namespace berth::api {
namespace {

using meta::Epochs;

class DryRun : public test::AccountsFixture {
 protected:
  DryRun() {
    add_admin("root");
    for (const char* name : {"ann", "bob"}) add_user(name);
    for (const char* name : {"ann/app", "ann/web"}) add_repo(name);
  }

  /// Whether what was remembered of accounts and repositories still counts after that call.
  bool is_remembered_after(std::string_view path, std::string_view query, int status) {
    const auto caller = must(sign_in("root", kPassword));
    AdminRequest request;
    request.method = http::Method::delete_;
    request.path = path;
    request.query = query;
    const auto before = store_->epochs().stamp_with_accounts(Epochs::stripe_of(repo("ann/app")));
    const AdminReply reply = test::run_task(api_.handle(*caller, request, "r"));
    EXPECT_EQ(reply.status, status) << reply.body;
    return before && store_->epochs().holds(*before);
  }

  auth::SetupToken setup_{clock_};
  auth::SignInLimiter limiter_;
  AdminApi api_{{*store_, directory_, audit_, setup_, passwords_, clock_, random_, limiter_}};
};

TEST_F(DryRun, MakesNobodyForgetWhatHeRemembers) {
  for (const char* path : {"users/bob", "repos/ann/app", "repos/ann/web"})
    EXPECT_TRUE(is_remembered_after(path, "dry_run=true", 200)) << path;
  EXPECT_FALSE(is_remembered_after("users/bob", "", 204));
  EXPECT_FALSE(is_remembered_after("repos/ann/web", "", 204));
}

}  // namespace
}  // namespace berth::api
