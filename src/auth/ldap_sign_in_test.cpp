#include "auth/ldap_sign_in.h"

#include "base/base64.h"
#include "support/accounts_fixture.h"

#include <map>

namespace berth::auth {
namespace {

using test::outcome;

/// An authenticator beside a directory that knows what the test says.
class LdapSignInTest : public test::AccountsFixture {
 protected:
  LdapSignInTest() {
    add_admin("root");
    add_user("ann");
    add_robot("ann+ci");
    directory_.look_for_accounts();
    entries_["bob"] = {"bobs own", {.issuer = "ldap:test", .id = "7", .name = "bob", .email = "bob@acme.example"}};
  }
  struct Entry {
    std::string password;
    ExternalPerson person;
  };
  Result<LdapAnswer> ask(const LdapQuestion& question) {
    asked_ += (asked_.empty() ? "" : " ") + question.name;
    if (is_down_) return fail(Errc::unavailable, "away", "no route");
    const auto found = entries_.find(question.name);
    if (found == entries_.end()) return LdapAnswer{};
    LdapAnswer out{std::nullopt, found->second.person.id};
    BERTH_TRYV(question.may_try(out.id));
    if (question.password == found->second.password) out.person = found->second.person;
    return out;
  }
  LdapSignIn make(ReceptionRules rules = {}) {
    return LdapSignIn({[this](const LdapQuestion& question) { return ask(question); }, pool_, external_,
                       std::move(rules), "ldap:test", clock_, log_});
  }
  std::string who(std::string_view name, std::string_view password, std::string_view from = kAddress) {
    return AccountsFixture::who(
        test::run_task(with_ldap_.sign_in({std::string(name), std::string(password)}, std::string(from))));
  }
  void link(std::string_view user, std::string_view id) {
    expect_ok(change([&](sql::Connection& db) { return link_account(db, user, "ldap:test", id, std::nullopt); }));
  }

  std::map<std::string, Entry> entries_;
  std::string asked_;
  bool is_down_ = false;
  io::BlockingPool pool_{"ldap", 1, 16};
  ExternalAccounts external_{{*store_, directory_, clock_, audit_}};
  LdapSignIn ldap_ = make();
  Authenticator with_ldap_{
      {*store_, passwords_, keys_, clock_, random_, log_, audit_, std::string(kService), nullptr, &ldap_}};
};

TEST_F(LdapSignInTest, WhoIsAskedWhom) {
  const struct {
    std::string name;
    std::string password;
    std::string who;
    std::string asked;
    std::string_view why;
  } rows[] = {
      {"bob", "bobs own", "bob", "bob", "an account is made"},
      {"bob", "bobs own", "bob", "bob", "and found again"},
      {"bob", "wrong", "unauthorized", "bob", "wrong"},
      {"nobody", "bobs own", "unauthorized", "nobody", "unknown"},
      {"ann", "U*U", "ann", "", "a password of this registry is not shown to the directory"},
      {"ann", "wrong", "unauthorized", "", "nor is one that is wrong"},
      {"ann+ci", "bobs own", "unauthorized", "", "robots are never elsewhere"},
  };
  for (const auto& row : rows) {
    asked_.clear();
    EXPECT_EQ(who(row.name, row.password), row.who) << row.name << ": " << row.why;
    EXPECT_EQ(asked_, row.asked) << row.name << ": " << row.why;
  }
}

TEST_F(LdapSignInTest, AnAccountMayHaveBothPasswordsOnceItIsLinked) {
  entries_["ann"] = {"of the directory", {.issuer = "ldap:test", .id = "8", .name = "ann"}};
  EXPECT_EQ(who("ann", "of the directory"), "unauthorized");
  link("ann", "8");
  EXPECT_EQ(who("ann", "of the directory"), "ann");
  EXPECT_EQ(who("ann", "U*U"), "ann");
  EXPECT_EQ(who("ann", "wrong"), "unauthorized");
}

TEST_F(LdapSignInTest, ANameThatIsTakenIsNotTakenOver) {
  entries_["annie"] = {"of the directory", {.issuer = "ldap:test", .id = "8", .name = "ann"}};
  EXPECT_EQ(who("annie", "of the directory"), "denied");
  EXPECT_EQ(principal("ann")->issuer, "");
}

TEST_F(LdapSignInTest, TheAccountIsFoundByItsNumberWhateverTheNames) {
  ASSERT_EQ(who("bob", "bobs own"), "bob");
  entries_["robert"] = entries_["bob"];
  entries_["robert"].person.name = "robert";
  entries_.erase("bob");
  EXPECT_EQ(who("robert", "bobs own"), "bob");
  EXPECT_EQ(who("bob", "bobs own"), "unauthorized");
}

TEST_F(LdapSignInTest, ADisabledAccountStaysOut) {
  ASSERT_EQ(who("bob", "bobs own"), "bob");
  set_disabled("bob", true);
  EXPECT_EQ(who("bob", "bobs own"), "denied");
}

TEST_F(LdapSignInTest, WrongPasswordsAreSlowedDownWhateverTheSpellingOfTheName) {
  for (const std::string name : {"bob", "BOB", "Bob", "bOb", "boB", "BoB"}) {
    entries_[name] = entries_["bob"];
    EXPECT_EQ(who(name, "wrong"), "unauthorized");
  }
  EXPECT_EQ(who("bob", "bobs own"), "too_many_requests");
  EXPECT_EQ(who("bob", "bobs own", "192.0.2.8"), "bob") << "from elsewhere";
  clock_.advance_ms(kMinuteMs);
  EXPECT_EQ(who("bob", "bobs own"), "bob");
}

TEST_F(LdapSignInTest, ADirectoryThatIsAwayKeepsOutItsOwnPeopleOnly) {
  ASSERT_EQ(who("bob", "bobs own"), "bob");
  const auto secret = add_secret("bob", meta::TokenKind::access);
  is_down_ = true;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(who("bob", "bobs own"), "unavailable");
  EXPECT_EQ(who("ann", "U*U"), "ann");
  EXPECT_EQ(who("bob", secret.text), "bob") << "access tokens are ours";
  is_down_ = false;
  EXPECT_EQ(who("bob", "bobs own"), "bob") << "nobody failed";
}

TEST_F(LdapSignInTest, WhatWasVerifiedIsRememberedForFiveMinutes) {
  const std::string header = "Basic " + encode_base64("bob:bobs own");
  const auto ask_with = [&] {
    return AccountsFixture::who(test::run_task(with_ldap_.authenticate(header, std::string(kAddress))));
  };
  EXPECT_EQ(ask_with(), "bob");
  EXPECT_EQ(ask_with(), "bob") << "the first made the account, which forgets";
  asked_.clear();
  is_down_ = true;
  EXPECT_EQ(ask_with(), "bob");
  clock_.advance_ms(5 * kMinuteMs);
  EXPECT_EQ(ask_with(), "unavailable");
}

TEST_F(LdapSignInTest, WhereNoAccountsAreMadeOnlyLinkedOnesSignIn) {
  LdapSignIn strict = make({.creates = false});
  const auto sign_in = [&] { return outcome(test::run_task(strict.sign_in("bob", "bobs own", "192.0.2.7"))); };
  EXPECT_EQ(sign_in(), "denied");
  link("ann", "7");
  EXPECT_EQ(sign_in(), "ok");
}

}  // namespace
}  // namespace berth::auth
