// Who was let in may have lost what let him in by the time that what he began is done (A16).
#include "auth/recheck.h"

#include "auth/secret_chain.h"
#include "auth/web_sessions.h"
#include "base/base64.h"
#include "support/accounts_fixture.h"

#include <functional>

namespace berth::auth {
namespace {

using meta::TokenKind;
using test::outcome;

class Recheck : public test::AccountsFixture {
 protected:
  Recheck() {
    add_admin("root");
    add_admin("ann");
    add_robot("ann+ci");
  }
  std::string stands(const Identity& identity) {
    return outcome(change([&](sql::Connection& db) { return check_still_stands(db, identity, clock_.now_ms()); }));
  }
  void change_ann(const std::function<void(UserChange&)>& edit) {
    UserChange wanted;
    edit(wanted);
    expect_ok(change([&](sql::Connection& db) { return change_user(db, "ann", wanted); }));
  }
  void set_anns_password(std::string_view hash) {
    expect_ok(change([&](sql::Connection& db) { return set_password(db, "ann", std::string(hash), stamp()); }));
  }
  void revoke(std::string_view of, meta::TokenId id) {
    must(change([&, who = principal(of)->id](sql::Connection& db) {
      return meta::revoke_token(db, who, id, clock_.now_ms());
    }));
  }
  static std::string header(std::string_view name, const Secret& secret) {
    return "Basic " + encode_base64(std::string(name) + ":" + secret.text);
  }
  Secret made_by(std::string_view of, const Secret& maker) {
    meta::TokenRow row;
    row.made_by = maker.id;
    return add_secret(of, TokenKind::short_lived, row);
  }

  WebSessions browsers_{{*store_, clock_, random_}};
};

constexpr std::string_view kOther = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK";

TEST_F(Recheck, AnAccountCountsAsItIsInTheChange) {
  const auto by_password = must(sign_in("ann", kPassword));
  EXPECT_EQ(stands(*by_password), "ok");
  change_ann([](UserChange& wanted) { wanted.email = "ann@acme.example"; });
  EXPECT_EQ(stands(*by_password), "ok") << "nothing that let her in";
  change_ann([](UserChange& wanted) { wanted.is_admin = false; });
  EXPECT_EQ(stands(*by_password), "unauthorized");
  const auto as_user = must(sign_in("ann", kPassword));
  EXPECT_EQ(stands(*as_user), "ok");
  change_ann([](UserChange& wanted) { wanted.is_disabled = true; });
  EXPECT_EQ(stands(*as_user), "unauthorized");
  EXPECT_EQ(stands(Identity{}), "ok") << "nobody loses nothing";
}

TEST_F(Recheck, APasswordCountsAsLongAsItIsNotChanged) {
  const auto before = must(sign_in("ann", kPassword));
  expect_ok(change([&](sql::Connection& db) {
    return meta::replace_password_hash(db, principal("ann")->id, std::string(kHash), std::string(kOther));
  }));
  EXPECT_EQ(stands(*before), "ok") << "the same one, hashed anew";
  set_anns_password("another");
  EXPECT_EQ(stands(*before), "unauthorized");
}

// Who knows a password that leaked signs in all the time, also while it is being changed.
TEST_F(Recheck, SigningInWithAPasswordThatWasChangedMeanwhileOpensNothing) {
  const auto before = must(sign_in("ann", kPassword));
  set_anns_password(kOther);
  EXPECT_EQ(outcome(test::run_task(authenticator_.make_refresh_token(before))), "unauthorized");
  EXPECT_EQ(outcome(test::run_task(browsers_.open(before, "browser", std::string(kAddress)))), "unauthorized");
  EXPECT_EQ(probe_.number("SELECT count(*) FROM token"), 0);
}

TEST_F(Recheck, ASecretCountsAsLongAsAllThatMadeIt) {
  const Secret first = add_secret("ann+ci", TokenKind::robot_secret);
  const Secret second = made_by("ann+ci", first);
  const auto identity = must(sign_in("ann+ci", second.text));
  EXPECT_EQ(stands(*identity), "ok");
  revoke("ann+ci", first.id);
  EXPECT_EQ(stands(*identity), "unauthorized");
}

// A rotation moves the end of the old secret forward: what was remembered of its children must not go on.
TEST_F(Recheck, WhatASecretMadeIsRememberedUntilThatEndsAtMost) {
  const Secret maker = add_secret("ann+ci", TokenKind::robot_secret);
  const Secret made = made_by("ann+ci", maker);
  const std::int64_t end_ms = clock_.now_ms() + kMinuteMs;
  expect_ok(change([&](sql::Connection& db) { return meta::shorten_token(db, maker.id, end_ms); }));
  const auto identity = must(authenticate(header("ann+ci", made)));
  EXPECT_EQ(identity->valid_until_ms, end_ms);
  const std::string token = "Bearer " + must(tokens_.issue(*identity, {})).text;
  EXPECT_EQ(who(authenticate(token)), "ann+ci");
  clock_.advance_ms(kMinuteMs - 1);
  EXPECT_EQ(who(authenticate(token)), "ann+ci");
  clock_.advance_ms(1);
  EXPECT_EQ(who(authenticate(header("ann+ci", made))), "unauthorized");
  EXPECT_EQ(who(authenticate(token)), "unauthorized");
}

}  // namespace
}  // namespace berth::auth
