// What the administration API puts on record, and how the record is read and checked.
#include "api/admin/admin_api.h"
#include "support/accounts_fixture.h"

#include <latch>

namespace berth::api {
namespace {

using http::Method;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AdminAudit : public test::AccountsFixture {
 protected:
  // borrows: no coroutine itself; the request is kept, and the test keeps the identity
  io::Task<AdminReply> ask(const auth::Identity& identity, Method method, std::string_view path,
                           std::string_view query = "", std::string_view body = "") {
    requests_.push_back(std::make_unique<AdminRequest>());
    AdminRequest& request = *requests_.back();
    request.method = method;
    request.path = path;
    request.query = query;
    request.body = body;
    return api_.handle(identity, request, "r");
  }
  AdminReply call(const auth::Identity& identity, Method method, std::string_view path, std::string_view body = "") {
    return test::run_task(ask(identity, method, path, "", body));
  }
  /// Signed in, which is on record.
  auth::IdentityPtr by_password(std::string_view name) {
    auto identity = must(sign_in(name, kPassword));
    settle();
    return identity;
  }
  /// The writer's queue is in order: what was noted before is there now.
  void settle() {
    expect_ok(change([](sql::Connection&) { return Result<void>{}; }));
  }
  /// Who works on the folder of a stopped server: more than any account, and none.
  static auth::Identity owner_of_folder() {
    auth::Identity out;
    out.subject = {auth::Subject::Kind::user, 0, "(owner)", true};
    out.credential = auth::Credential::password;
    return out;
  }
  /// Columns of the entries that a refusal left, oldest first.
  std::vector<std::string> refusals(const char* columns) {
    settle();
    return probe_.rows(std::string("SELECT ") + columns + " FROM audit WHERE allowed = 0 ORDER BY seq");
  }
  void fill(int count) {
    expect_ok(change([&](sql::Connection& db) -> Result<void> {
      for (int i = 0; i < count; ++i) {
        meta::AuditEntry entry;
        entry.at_ms = i;
        entry.action = "noise";
        BERTH_TRYV(meta::append_audit(db, entry));
      }
      return {};
    }));
  }

  auth::SetupToken setup_{clock_};
  auth::SignInLimiter limiter_;
  AdminApi api_{{*store_, directory_, audit_, setup_, passwords_, clock_, random_, limiter_}};
  std::vector<std::unique_ptr<AdminRequest>> requests_;
};

// ---- what is on record

TEST_F(AdminAudit, ARefusalInsideAnOperationIsOnRecordAsOneBeforeItIs) {
  add_admin("root");
  add_user("ann");
  add_user("bob");
  add_org("acme", "ann");
  add_member("acme", "bob", meta::Role::admin);
  const auto bob = by_password("bob");
  EXPECT_EQ(call(*bob, Method::get, "users").status, 403);
  EXPECT_EQ(call(*bob, Method::put, "orgs/acme/members/bob", R"({"role":"owner"})").status, 403);
  EXPECT_EQ(call(*bob, Method::put, "user/password", R"({"current":"wrong","new":"long enough"})").status, 403);
  EXPECT_EQ(
      call(auth::Identity{}, Method::post, "setup", R"({"token":"x","name":"eve","password":"long enough"})").status,
      403);
  EXPECT_THAT(
      refusals("actor, action, target, rule"),
      ElementsAre("bob|listUsers|users|this needs an administrator of the registry",
                  "bob|putMember|orgs/acme/members/bob|only an owner of acme makes owners, or changes one",
                  "bob|changeOwnPassword|user/password|the current password is not right",
                  "|setUp|setup|the set-up secret is not the one that was printed, or an hour old; a registry without "
                  "accounts prints another one at its next start"));
}

TEST_F(AdminAudit, WhatIsWrongWithoutBeingForbiddenIsNoRefusal) {
  add_admin("root");
  const auto root = by_password("root");
  EXPECT_EQ(call(*root, Method::delete_, "users/root").status, 409);
  EXPECT_EQ(call(*root, Method::get, "users/nobody").status, 404);
  EXPECT_EQ(call(*root, Method::post, "users", R"({"name":"No"})").status, 422);
  EXPECT_EQ(call(*root, Method::post, "users", "{").status, 400);
  EXPECT_THAT(refusals("action"), IsEmpty());
}

TEST_F(AdminAudit, AChangeNamesTheSecretItWasMadeWithBesideWhatItChanged) {
  add_admin("root");
  const auto secret = add_secret("root", meta::TokenKind::access);
  const auto root = must(sign_in("root", secret.text));
  ASSERT_EQ(call(*root, Method::post, "users", R"({"name":"bob"})").status, 201);
  EXPECT_THAT(probe_.rows("SELECT detail FROM audit WHERE action = 'createUser'"),
              ElementsAre("{\"via\":" + std::to_string(secret.id) + R"(,"name":"bob","admin":false})"));
}

// ---- who has no account

TEST_F(AdminAudit, TheFirstAccountIsAnAdministrators) {
  const auto owner = owner_of_folder();
  const auto refused = call(owner, Method::post, "users", R"({"name":"bob"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("the first must be an administrator's"));
  EXPECT_EQ(probe_.number("SELECT count(*) FROM principal"), 0);
  EXPECT_FALSE(directory_.has_accounts()) << "the set-up page stays open";
  EXPECT_EQ(call(owner, Method::post, "users", R"({"name":"ann","admin":true})").status, 201);
  EXPECT_EQ(call(owner, Method::post, "users", R"({"name":"bob"})").status, 201);
}

TEST_F(AdminAudit, WhatIsDoneByAnAccountNeedsOne) {
  add_admin("root");
  const auto owner = owner_of_folder();
  const struct {
    Method method;
    const char* path;
    const char* body;
  } rows[] = {
      {Method::get, "user", ""},
      {Method::patch, "user", R"({"email":"x@example.com"})"},
      {Method::put, "user/password", R"({"new":"long enough"})"},
      {Method::get, "user/tokens", ""},
      {Method::post, "user/tokens", R"({"name":"x"})"},
      {Method::delete_, "user/tokens/1", ""},
      {Method::get, "user/sessions", ""},
      {Method::delete_, "user/sessions", ""},
      {Method::post, "auth/short-lived", ""},
      {Method::post, "robot/rotate", ""},
      {Method::post, "invites", ""},
  };
  for (const auto& row : rows) {
    const auto reply = call(owner, row.method, row.path, row.body);
    EXPECT_EQ(reply.status, 400) << row.path;
    EXPECT_THAT(reply.body, HasSubstr("say with --user as whom")) << row.path;
  }
  EXPECT_EQ(probe_.number("SELECT count(*) FROM token"), 0) << "no secret that opens nothing";
  for (const char* path : {"users", "orgs", "repos", "audit", "namespaces/root/grants"})
    EXPECT_EQ(call(owner, Method::get, path).status, 200) << path;
}

// ---- checking the record

TEST_F(AdminAudit, VerificationGoesOverManySteps) {
  add_admin("root");
  fill(2'500);
  const auto root = by_password("root");
  const auto verdict = call(*root, Method::get, "audit/verify").body;
  EXPECT_THAT(verdict, HasSubstr(R"("whole":true,"first":1,"entries":2501)"));
  probe_.force("UPDATE audit SET actor = 'x' WHERE seq = 2400");
  EXPECT_THAT(call(*root, Method::get, "audit/verify").body, HasSubstr(R"("problem":"entry 2400 was changed")"));
  probe_.force("UPDATE audit SET actor = '' WHERE seq = 2400");
  probe_.force(
      "INSERT INTO audit SELECT -5, at, 'root', NULL, 'removeUser', 'users/ann', 1, rule, peer, request, detail, "
      "zeroblob(32), prev FROM audit WHERE seq = 1");
  EXPECT_THAT(call(*root, Method::get, "audit/verify").body,
              HasSubstr("entry -5 stands before the first one, number 1"));
  probe_.force("DELETE FROM audit WHERE seq < 0");
  probe_.force("DELETE FROM audit WHERE seq BETWEEN 1001 AND 1010");
  EXPECT_THAT(call(*root, Method::get, "audit/verify").body, HasSubstr("entries 1001 to 1010 are missing"))
      << "also at the border of a step";
}

/// Both threads that read are held; one is let go when `between` waits behind the first step of a verification, so that
/// it runs between that and the second. Runs what `after` says once `between` is answered.
class Interleaved {
 public:
  explicit Interleaved(meta::Store& store) : store_(store) {}

  template <class Between, class After>
  AdminReply run(io::Task<AdminReply> verification, Between between, After after) {
    std::vector<io::Task<int>> tasks;
    tasks.push_back(hold(held_));
    tasks.push_back(hold(gate_));
    tasks.push_back(keep(std::move(verification)));
    tasks.push_back(read_between(std::move(between), std::move(after)));
    tasks.push_back(open_gate());
    test::run_tasks(std::move(tasks));
    return reply_;
  }
  bool is_verified() const { return is_verified_; }

 private:
  io::Task<int> hold(std::latch& latch) {  // borrows: a member, and run() ends after it
    const auto done = co_await store_.read([&latch](sql::Connection&) -> Result<int> {
      latch.wait();
      return 0;
    });
    co_return done.value_or(0);
  }
  io::Task<int> keep(io::Task<AdminReply> verification) {
    reply_ = co_await std::move(verification);
    is_verified_ = true;
    co_return 0;
  }
  template <class Between, class After>
  io::Task<int> read_between(Between between, After after) {
    const auto done = co_await store_.read([between](sql::Connection&) -> Result<int> {
      between();
      return 0;
    });
    after();
    held_.count_down();
    co_return done.value_or(0);
  }
  io::Task<int> open_gate() {
    gate_.count_down();
    co_return 0;
  }

  meta::Store& store_;
  std::latch held_{1};
  std::latch gate_{1};
  AdminReply reply_;
  bool is_verified_ = false;
};

TEST_F(AdminAudit, OthersReadBetweenTwoStepsOfAVerification) {
  add_admin("root");
  fill(3'500);
  const auto root = by_password("root");
  Interleaved both(*store_);
  bool was_verified = true;
  const auto reply =
      both.run(ask(*root, Method::get, "audit/verify"), [] {}, [&] { was_verified = both.is_verified(); });
  EXPECT_FALSE(was_verified) << "who asked later is answered first";
  EXPECT_THAT(reply.body, HasSubstr(R"("whole":true,"first":1,"entries":3501)"));
}

TEST_F(AdminAudit, WhatIsForgottenWhileItIsVerifiedIsNoGap) {
  add_admin("root");
  fill(3'500);
  const auto root = by_password("root");
  Interleaved both(*store_);
  const auto forget = [&] {
    const auto done = store_->write_blocking([](sql::Connection& db) { return meta::forget_audit(db, 1'500, 10'000); });
    EXPECT_EQ(done.value_or(0), 1'500);
  };
  const auto reply = both.run(ask(*root, Method::get, "audit/verify"), forget, [] {});
  EXPECT_THAT(reply.body, HasSubstr(R"("whole":true,"first":1501,"entries":2001)"));
}

TEST_F(AdminAudit, AGapIsOneAlsoIfItOpensWhileItIsVerified) {
  add_admin("root");
  fill(3'500);
  const auto root = by_password("root");
  Interleaved both(*store_);
  const auto damage = [&] { probe_.force("DELETE FROM audit WHERE seq BETWEEN 1001 AND 1500"); };
  const auto reply = both.run(ask(*root, Method::get, "audit/verify"), damage, [] {});
  EXPECT_THAT(reply.body, HasSubstr("entries 1001 to 1500 are missing"));
}

}  // namespace
}  // namespace berth::api
