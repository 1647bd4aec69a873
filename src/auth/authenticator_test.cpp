#include "auth/authenticator.h"

#include "auth/jwt.h"
#include "base/base64.h"
#include "support/accounts_fixture.h"

namespace berth::auth {
namespace {

using meta::TokenKind;
using test::outcome;

std::string basic(std::string_view name, std::string_view secret) {
  std::string text = encode_base64url(std::string(name) + ":" + std::string(secret));
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  return "Basic " + text;
}
std::string bearer(std::string_view token) { return "Bearer " + std::string(token); }

// ---- passwords

class AuthenticatorTest : public test::AccountsFixture {
 protected:
  AuthenticatorTest() {
    add_user("ann");
    add_admin("root");
    add_org("acme", "root");
    add_team("acme/devs");
    add_robot("acme+ci");
  }
  std::string who(std::string_view authorization) { return AccountsFixture::who(authenticate(authorization)); }
  std::string secret_of(std::string_view name, TokenKind kind = TokenKind::access) {
    return add_secret(name, kind).text;
  }
  void revoke(std::string_view name, meta::TokenId id) {
    must(change([&, of = principal(name)->id](sql::Connection& db) {
      return meta::revoke_token(db, of, id, clock_.now_ms());
    }));
  }
  /// A token for whoever signs in that way.
  std::string token_of(std::string_view name, std::string_view secret, std::vector<Scope> wanted = {}) {
    const auto identity = sign_in(name, secret);
    EXPECT_TRUE(identity.has_value()) << name;
    return identity ? must(tokens_.issue(**identity, wanted)).text : "";
  }
  Claims claims_of(std::string_view name) {
    Claims claims;
    claims.issuer = kService;
    claims.audiences = {std::string(kService)};
    claims.subject = name;
    if (const auto found = principal(name)) claims.principal = found->id;
    claims.expires = clock_.now_ms() / 1000 + 900;
    return claims;
  }
  std::string sign(const Claims& claims) const { return bearer(sign_token(key_, claims)); }
  void remove_user(std::string_view name) {
    expect_ok(change([&](sql::Connection& db) { return auth::remove_user(db, name); }));
  }
  /// Waits for what was written later.
  void settle() {
    expect_ok(change([](sql::Connection&) { return Result<void>(); }));
  }
};

TEST_F(AuthenticatorTest, Passwords) {
  add_user("gone");
  set_disabled("gone", true);
  must(change([&](sql::Connection& db) { return create_user(db, {.name = "external"}, false, stamp()); }));
  const struct {
    std::string name;
    std::string password;
    std::string who;
    std::string_view why;
  } rows[] = {
      {"ann", "U*U", "ann", "right"},
      {"ann", "U*u", "unauthorized", "wrong"},
      {"ann", "", "unauthorized", "none"},
      {"ann", std::string(kHash), "unauthorized", "the hash is no password"},
      {"Ann", "U*U", "unauthorized", "another name (S30)"},
      {std::string("ann\0", 4), "U*U", "unauthorized", "NUL ends no name"},
      {"nobody", "U*U", "unauthorized", "unknown"},
      {"", "U*U", "unauthorized", "no name is not nobody"},
      {"gone", "U*U", "unauthorized", "disabled"},
      {"external", "", "unauthorized", "without a password none is right"},
      {"acme+ci", "U*U", "unauthorized", "robots have secrets"},
      {"acme/devs", "U*U", "unauthorized", "a team signs in nowhere"},
      {"acme", "U*U", "unauthorized", "nor does an organisation"},
  };
  std::string message;
  for (const auto& row : rows) {
    const auto found = authenticate(basic(row.name, row.password));
    EXPECT_EQ(AccountsFixture::who(found), row.who) << row.name << ": " << row.why;
    if (found) continue;
    if (message.empty()) message = found.error().message;
    EXPECT_EQ(found.error().message, message) << "S26: one sentence for all of them: " << row.why;
    EXPECT_EQ(authenticator_.find_cached(basic(row.name, row.password)), nullptr) << row.why;
  }
}

TEST_F(AuthenticatorTest, WithoutCredentialsNobodyAsks) {
  EXPECT_EQ(who(""), "anonymous");
  EXPECT_EQ(who("Basic Og=="), "anonymous") << "A9";
  EXPECT_EQ((*authenticate("Basic Og=="))->credential, Credential::none);
}

TEST_F(AuthenticatorTest, WhatIsNoCredentialIsRefused) {
  for (const std::string header : {"Digest x", "Basic !", "Bearer ", "Bearer x", "ann:U*U", "Basic"})
    EXPECT_EQ(who(header), "unauthorized") << header;
  EXPECT_EQ(who(basic("ann", "U*U") + std::string(40'000, ' ')), "unauthorized") << "S2";
}

TEST_F(AuthenticatorTest, APasswordIsRememberedForAWhile) {
  const std::string header = basic("ann", "U*U");
  EXPECT_EQ(authenticator_.find_cached(header), nullptr);
  const auto found = authenticate(header);
  EXPECT_EQ(authenticator_.find_cached(header), *found);
  EXPECT_EQ(authenticator_.find_cached(basic("ann", "U*V")), nullptr);
  EXPECT_EQ(authenticator_.find_cached(header + "="), nullptr) << "byte for byte";
  clock_.advance_ms(5 * kMinuteMs);
  EXPECT_EQ(authenticator_.find_cached(header), nullptr);
}

// A16
TEST_F(AuthenticatorTest, AnyChangeOfAccountsForgetsAllThatWasRemembered) {
  const std::string header = basic("ann", "U*U");
  const auto remembered = [&] {
    EXPECT_EQ(who(header), "ann");
    return authenticator_.find_cached(header) != nullptr;
  };
  EXPECT_TRUE(remembered());
  add_user("bob");
  EXPECT_EQ(authenticator_.find_cached(header), nullptr);
  EXPECT_TRUE(remembered());
  set_disabled("ann", true);
  EXPECT_EQ(who(header), "unauthorized");
  set_disabled("ann", false);
  EXPECT_TRUE(remembered());
  expect_ok(change([&](sql::Connection& db) { return set_password(db, "ann", "", stamp()); }));
  EXPECT_EQ(who(header), "unauthorized");
}

// The slow hash is for what was changed, not for everybody each time.
TEST_F(AuthenticatorTest, AChangeOfOtherAccountsMakesNobodyVerifyHisPasswordAgain) {
  const auto verified = [&] {
    settle();  // which is a change of accounts
    return probe_.number("SELECT count(*) FROM audit WHERE action = 'sign_in' AND allowed AND rule = 'password'");
  };
  ASSERT_EQ(who(basic("ann", kPassword)), "ann");
  ASSERT_EQ(verified(), 1);
  EXPECT_EQ(who(basic("ann", kPassword)), "ann");
  EXPECT_EQ(verified(), 1);
  EXPECT_EQ(who(basic("ann", "wrong")), "unauthorized");
  clock_.advance_ms(5 * kMinuteMs);
  EXPECT_EQ(who(basic("ann", kPassword)), "ann");
  EXPECT_EQ(verified(), 2) << "for no longer than it would have been remembered without that change";
  probe_.force("UPDATE principal SET password_hash = 'x' WHERE name = 'ann'");
  EXPECT_EQ(verified(), 2);
  EXPECT_EQ(who(basic("ann", kPassword)), "unauthorized") << "it was another password's";
}

// S26: nobody is told by the time it takes from somebody.
TEST_F(AuthenticatorTest, EveryGuessAtAPasswordTakesTheSlowHash) {
  passwords_.stop();  // so that whoever needs one is told so
  const std::string longest(128, 'x');
  for (const std::string_view name :
       {"ann", "root", "nobody", "acme+ci", "acme+nobody", "acme/devs", "A N N", longest.c_str()})
    EXPECT_EQ(who(basic(name, "a guess")), "unavailable") << name;
}

TEST_F(AuthenticatorTest, AnAdministratorIsOneAsLongAsHeIs) {
  add_admin("spare");
  EXPECT_TRUE((*authenticate(basic("root", "U*U")))->subject.is_admin);
  UserChange demote;
  demote.is_admin = false;
  expect_ok(change([&](sql::Connection& db) { return change_user(db, "root", demote); }));
  EXPECT_FALSE((*authenticate(basic("root", "U*U")))->subject.is_admin);
}

// S26
TEST_F(AuthenticatorTest, WhoGuessesWaits) {
  for (int i = 0; i < 6; ++i) EXPECT_EQ(AccountsFixture::who(sign_in("ann", "wrong")), "unauthorized");
  EXPECT_EQ(AccountsFixture::who(sign_in("ann", "U*U")), "too_many_requests") << "the right one waits, too";
  EXPECT_EQ(AccountsFixture::who(sign_in("ann", "U*U", "192.0.2.8")), "ann");
  EXPECT_EQ(AccountsFixture::who(sign_in("root", "U*U")), "root");
  clock_.advance_ms(1000);
  EXPECT_EQ(AccountsFixture::who(sign_in("ann", "U*U")), "ann");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(sign_in("ann", "wrong").has_value());
  EXPECT_EQ(AccountsFixture::who(sign_in("ann", "U*U")), "ann") << "success forgot the six before";
  for (int i = 0; i < 6; ++i) EXPECT_FALSE(sign_in("nobody", "wrong").has_value());
  EXPECT_EQ(AccountsFixture::who(sign_in("nobody", "x")), "too_many_requests") << "who is not there looks the same";
}

// POST /token, which containerd tries first, sends name and password in a form: the same as a header's.
TEST_F(AuthenticatorTest, APasswordFromAFormIsRememberedAsOneFromAHeader) {
  const auto in_a_form = [&](std::string name, std::string secret) {
    return AccountsFixture::who(
        test::run_task(authenticator_.authenticate({std::move(name), std::move(secret)}, std::string(kAddress))));
  };
  EXPECT_EQ(in_a_form("ann", "U*U"), "ann");
  EXPECT_NE(authenticator_.find_cached("Basic " + encode_base64("ann:U*U")), nullptr) << "as docker writes it";
  EXPECT_EQ(in_a_form("ann", "U*U"), "ann");
  settle();
  EXPECT_EQ(probe_.number("SELECT count(*) FROM audit WHERE action = 'sign_in'"), 1) << "known, and not checked again";
  EXPECT_EQ(in_a_form("ann:U*U", ""), "unauthorized") << "a colon in a name is not the end of it";
  EXPECT_EQ(in_a_form("", ""), "anonymous");
}

// S23: a log is kept for a year and handed on. What somebody typed into the wrong field must not be in it.
TEST_F(AuthenticatorTest, OnlyWhatCouldBeAnAccountsNameGoesOnRecord) {
  const std::string secret = secret_of("ann");
  const struct {
    std::string name;
    std::string_view recorded;
  } rows[] = {
      {"nobody", "nobody"},
      {"acme+none", "acme+none"},
      {secret, "(no account's name)"},
      {"P4ss, w0rd!", "(no account's name)"},
      {std::string(300, 'a'), "(no account's name)"},
      {"", "(no account's name)"},
  };
  for (const auto& row : rows) {
    EXPECT_FALSE(sign_in(row.name, "wrong").has_value());
    settle();
    const auto last = probe_.rows("SELECT actor, target, allowed FROM audit ORDER BY seq DESC LIMIT 1");
    EXPECT_EQ(last.front(), std::string(row.recorded) + "|" + std::string(row.recorded) + "|0");
  }
  EXPECT_EQ(probe_.number("SELECT count(*) FROM audit WHERE actor LIKE '%berth_%' OR detail LIKE '%berth_%'"), 0);
}

TEST_F(AuthenticatorTest, SignInsWithSecretsAreOnRecordNowAndThen) {
  const auto pat = add_secret("ann", TokenKind::access);
  const auto records = [&] {
    settle();
    return probe_.rows("SELECT actor, rule, peer FROM audit WHERE action = 'sign_in' ORDER BY seq");
  };
  EXPECT_TRUE(sign_in("token", pat.text, "a").has_value());
  EXPECT_EQ(records(), std::vector<std::string>{"ann|access token|a"});
  EXPECT_TRUE(sign_in("token", pat.text, "a").has_value());
  EXPECT_EQ(records(), std::vector<std::string>{"ann|access token|a"});
  EXPECT_TRUE(sign_in("ann", pat.text, "b").has_value());
  clock_.advance_ms(60 * kMinuteMs);
  EXPECT_TRUE(authenticator_.refresh(secret_of("ann", TokenKind::refresh), "b").has_value());
  EXPECT_EQ(records(), (std::vector<std::string>{"ann|access token|a", "ann|access token|b", "ann|refresh token|b"}));
}

TEST_F(AuthenticatorTest, AnImportedHashIsReplacedByOneOfOurs) {
  constexpr std::string_view kBcrypt = "$2b$04$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy";
  expect_ok(change([&](sql::Connection& db) { return set_password(db, "ann", kBcrypt, stamp()); }));
  EXPECT_EQ(who(basic("ann", "correct horse")), "ann");
  passwords_.stop();  // runs what is queued
  settle();
  EXPECT_THAT(principal("ann")->password_hash, ::testing::StartsWith("$argon2id$"));
}

// ---- secrets

TEST_F(AuthenticatorTest, SecretsAreGoodInPlaceOfAPassword) {
  const std::string pat = secret_of("ann");
  EXPECT_EQ(who(basic("ann", pat)), "ann");
  EXPECT_EQ(who(basic("token", pat)), "ann") << "whoever it belongs to";
  EXPECT_EQ(who(basic("<token>", pat)), "ann");
  EXPECT_EQ(who(bearer(pat)), "ann");
  EXPECT_EQ(who(basic("ann", secret_of("ann", TokenKind::short_lived))), "ann");
  EXPECT_EQ(who(basic("acme+ci", secret_of("acme+ci", TokenKind::robot_secret))), "acme+ci");
}

TEST_F(AuthenticatorTest, SecretsThatProveNothing) {
  const auto revoked = add_secret("ann", TokenKind::access);
  revoke("ann", revoked.id);
  meta::TokenRow past;
  past.expires_at_ms = clock_.now_ms();
  add_user("gone");
  const std::string of_gone = secret_of("gone");
  set_disabled("gone", true);
  const std::string pat = secret_of("ann");
  const std::string never = make_secret(SecretKind::personal_token, random_);
  const struct {
    std::string header;
    std::string_view why;
  } rows[] = {
      {basic("root", pat), "another's name"},
      {basic("", pat), "no name"},
      {basic("Token", pat), "no such word (S30)"},
      {basic("ann", revoked.text), "revoked"},
      {basic("ann", add_secret("ann", TokenKind::access, past).text), "expired this moment"},
      {basic("ann", secret_of("ann", TokenKind::refresh)), "a refresh token is no password (A15)"},
      {bearer(secret_of("ann", TokenKind::refresh)), "nor a token (A15)"},
      {basic("ann", secret_of("ann", TokenKind::web_session)), "a browser's session is for the browser"},
      {basic("gone", of_gone), "of an account that is disabled"},
      {basic("ann", never), "never given out"},
      {bearer(never), "likewise"},
      {basic("ann", pat + "x"), "a character more"},
  };
  for (const auto& row : rows) EXPECT_EQ(who(row.header), "unauthorized") << row.why;
}

TEST_F(AuthenticatorTest, ARevokedSecretIsForgottenAtOnce) {
  const auto pat = add_secret("ann", TokenKind::access);
  EXPECT_EQ(who(basic("ann", pat.text)), "ann");
  revoke("ann", pat.id);
  EXPECT_EQ(who(basic("ann", pat.text)), "unauthorized");
}

TEST_F(AuthenticatorTest, NothingIsBelievedBeyondItsEnd) {
  const std::int64_t end = clock_.now_ms() + kMinuteMs;
  meta::TokenRow row;
  row.expires_at_ms = end;
  const std::string pat = add_secret("ann", TokenKind::access, row).text;
  add_robot("acme+brief", end);
  const std::string robot = secret_of("acme+brief", TokenKind::robot_secret);  // itself without an end
  const std::string headers[] = {basic("ann", pat), basic("acme+brief", robot), bearer(token_of("ann", pat)),
                                 bearer(token_of("acme+brief", robot))};
  for (const std::string& header : headers) {
    const auto found = authenticate(header);
    ASSERT_TRUE(found.has_value()) << header;
    EXPECT_EQ((*found)->valid_until_ms, end) << header;
  }
  clock_.advance_ms(kMinuteMs);
  for (const std::string& header : headers) {
    EXPECT_EQ(authenticator_.find_cached(header), nullptr) << header;
    EXPECT_EQ(who(header), "unauthorized") << header;
  }
}

TEST_F(AuthenticatorTest, ASecretBringsItsNarrowing) {
  meta::TokenRow row;
  row.scope = R"({"repos":[{"pattern":"ann/app","rights":"read"}]})";
  const auto narrow = add_secret("ann", TokenKind::access, row);
  row.scope = "no JSON";
  const auto broken = add_secret("ann", TokenKind::access, row);
  const auto identity = must(authenticate(basic("ann", narrow.text)));
  EXPECT_EQ(identity->via, narrow.id);
  EXPECT_EQ(identity->narrowing.apply(Rights::all(), "ann/app"), Rights(Right::read));
  EXPECT_EQ(identity->narrowing.apply(Rights::all(), "ann/other"), Rights());
  EXPECT_EQ(must(authenticate(basic("ann", broken.text)))->narrowing.apply(Rights::all(), "ann/app"), Rights());
}

TEST_F(AuthenticatorTest, UseOfASecretIsNotedNowAndThen) {
  const auto pat = add_secret("ann", TokenKind::access);
  const auto used = [&](std::string_view from) {
    EXPECT_TRUE(sign_in("ann", pat.text, from).has_value());
    settle();
    return probe_.rows("SELECT used_at, used_from FROM token").front();
  };
  const std::int64_t start = clock_.now_ms();
  EXPECT_EQ(used("a"), std::to_string(start) + "|a");
  clock_.advance_ms(30 * kMinuteMs);
  EXPECT_EQ(used("a"), std::to_string(start) + "|a") << "not with each request";
  EXPECT_EQ(used("b"), std::to_string(start + 30 * kMinuteMs) + "|b") << "but from elsewhere";
  clock_.advance_ms(60 * kMinuteMs);
  EXPECT_EQ(used("b"), std::to_string(start + 90 * kMinuteMs) + "|b");
}

// ---- our tokens

TEST_F(AuthenticatorTest, ATokenIsWorthWhatItSays) {
  const std::string token = token_of("ann", "U*U", {{Scope::Type::repository, "ann/app", Actions::pull}});
  const auto identity = must(authenticate(bearer(token)));
  EXPECT_EQ(identity->subject.name, "ann");
  EXPECT_EQ(identity->credential, Credential::token);
  EXPECT_EQ(identity->actions_on("ann/app").to_text(), "pull");
  EXPECT_NE(authenticator_.find_cached(bearer(token)), nullptr);
  EXPECT_EQ(who(basic("ann", token)), "unauthorized") << "no password";
}

TEST_F(AuthenticatorTest, TokensOfOthersAreRefused) {
  EXPECT_EQ(who(sign(claims_of("ann"))), "ann");
  Claims other = claims_of("ann");
  other.issuer = "elsewhere";
  EXPECT_EQ(who(sign(other)), "unauthorized") << "A12: iss";
  other = claims_of("ann");
  other.audiences = {"elsewhere"};
  EXPECT_EQ(who(sign(other)), "unauthorized") << "A12: aud (S9)";
  EXPECT_EQ(who(bearer(sign_token(crypto::SigningKey::generate(), claims_of("ann")))), "unauthorized") << "A12: kid";
  other = claims_of("ann");
  other.principal = 0;
  EXPECT_EQ(who(sign(other)), "unauthorized") << "a name without its number";
  other = claims_of("ann");
  other.principal = principal("root")->id;
  EXPECT_EQ(who(sign(other)), "unauthorized") << "another's number";
  EXPECT_EQ(who(sign(claims_of("nobody"))), "unauthorized") << "nobody's name";
  EXPECT_EQ(who(sign(claims_of("acme/devs"))), "unauthorized") << "a team's";
  EXPECT_EQ(who(sign(claims_of(""))), "anonymous") << "A9";
}

TEST_F(AuthenticatorTest, ATokenEndsAMinuteAfterItsTime) {
  const std::string token = bearer(token_of("ann", "U*U"));
  clock_.advance_ms(15 * kMinuteMs + 59'000);
  EXPECT_EQ(who(token), "ann") << "A12: clocks differ";
  clock_.advance_ms(1000);
  EXPECT_EQ(authenticator_.find_cached(token), nullptr);
  EXPECT_EQ(who(token), "unauthorized");
}

// A16
TEST_F(AuthenticatorTest, ATokenIsWorthWhatItsAccountIsNow) {
  add_user("bob");
  const std::string of_bob = bearer(token_of("bob", "U*U"));
  EXPECT_EQ(who(of_bob), "bob");
  set_disabled("bob", true);
  EXPECT_EQ(who(of_bob), "unauthorized");
  set_disabled("bob", false);
  EXPECT_EQ(who(of_bob), "bob");
  remove_user("bob");
  EXPECT_EQ(who(of_bob), "unauthorized");
  add_user("bob");
  EXPECT_EQ(who(of_bob), "unauthorized") << "another account of the same name";
}

// A11: what was begun in time may be ended in time, unless what it was begun by was taken back.
TEST_F(AuthenticatorTest, WhatIsBegunOutlivesASecretThatCameToItsEndAndNotOneRotatedOutAtOnce) {
  const auto rotate = [&](std::int64_t overlap_ms) {
    std::string secret = make_secret(SecretKind::robot, random_);
    expect_ok(change([&](sql::Connection& db) {
      return add_robot_secret(db, "acme+ci", secret_hash(secret), clock_.now_ms() + overlap_ms, stamp());
    }));
    return secret;
  };
  const auto may_go_on = [&](const std::string& token) {
    return authenticator_.find_expired(token, 24 * 60 * kMinuteMs) != nullptr;
  };
  const std::string first = bearer(token_of("acme+ci", rotate(0)));
  const std::string second = bearer(token_of("acme+ci", rotate(kMinuteMs)));
  clock_.advance_ms(2 * kMinuteMs);
  EXPECT_EQ(who(first), "unauthorized") << "the overlap is over";
  EXPECT_TRUE(may_go_on(first)) << "and the secret with it";
  const std::string third = bearer(token_of("acme+ci", rotate(kMinuteMs)));
  EXPECT_EQ(who(second), "acme+ci") << "in its overlap";
  (void)rotate(0);
  EXPECT_FALSE(may_go_on(second)) << "whose overlap was cut short";
  EXPECT_FALSE(may_go_on(third)) << "which had none";
}

TEST_F(AuthenticatorTest, ATokenEndsWithTheSecretItWasMadeWith) {
  meta::TokenRow row;
  row.scope = R"({"repos":[{"pattern":"ann/app","rights":"read"}]})";
  const auto pat = add_secret("ann", TokenKind::access, row);
  const std::string token = bearer(token_of("ann", pat.text));
  EXPECT_EQ(must(authenticate(token))->narrowing.apply(Rights::all(), "ann/other"), Rights()) << "and is as narrow";
  const std::string by_password = bearer(token_of("ann", "U*U"));
  revoke("ann", pat.id);
  EXPECT_EQ(who(token), "unauthorized");
  EXPECT_EQ(who(by_password), "ann");
  Claims claims = claims_of("ann");
  claims.via = add_secret("root", TokenKind::access).id;
  EXPECT_EQ(who(sign(claims)), "unauthorized") << "another's secret vouches for nobody";
  claims.via = 999;
  EXPECT_EQ(who(sign(claims)), "unauthorized") << "a secret that is gone";
}

// ---- refresh tokens (A15)

class RefreshTokens : public AuthenticatorTest {
 protected:
  std::string make(const IdentityPtr& identity) {
    return must(test::run_task(authenticator_.make_refresh_token(identity)));
  }
  std::string make() { return make(must(sign_in("ann", "U*U"))); }
  std::string refresh(std::string_view secret) {
    return AccountsFixture::who(authenticator_.refresh(secret, kAddress));
  }
};

TEST_F(RefreshTokens, GiveTheIdentityBack) {
  const std::string secret = make();
  EXPECT_EQ(parse_secret(secret), SecretKind::refresh);
  EXPECT_EQ(refresh(secret), "ann");
  EXPECT_EQ(refresh(secret), "ann") << "A15: not rotated by use";
  EXPECT_EQ(who(basic("ann", secret)), "unauthorized") << "A15: useless elsewhere";
  EXPECT_EQ(probe_.number("SELECT count(*) FROM token WHERE instr(hash, 'berth') > 0"), 0) << "A15: stored hashed";
}

TEST_F(RefreshTokens, AreRevocableAndEnd) {
  std::string secret = make();
  revoke("ann", probe_.number("SELECT max(id) FROM token"));
  EXPECT_EQ(refresh(secret), "unauthorized");
  secret = make();
  expect_ok(change([&](sql::Connection& db) { return set_password(db, "ann", kHash, stamp()); }));
  EXPECT_EQ(refresh(secret), "unauthorized") << "with the password that opened them";
  secret = make();
  set_disabled("ann", true);
  EXPECT_EQ(refresh(secret), "unauthorized") << "A16";
  set_disabled("ann", false);
  EXPECT_EQ(refresh(secret), "ann");
  clock_.advance_ms(90 * kDayMs);
  EXPECT_EQ(refresh(secret), "unauthorized") << "after ninety days";
}

TEST_F(RefreshTokens, NothingElseIsOne) {
  EXPECT_EQ(refresh(secret_of("ann")), "unauthorized");
  EXPECT_EQ(refresh(make_secret(SecretKind::refresh, random_)), "unauthorized");
  EXPECT_EQ(refresh(""), "unauthorized");
}

TEST_F(RefreshTokens, AreAsNarrowAsTheIdentityTheyAreMadeFor) {
  meta::TokenRow row;
  row.scope = R"({"repos":[{"pattern":"ann/app","rights":"read"}]})";
  const std::string secret = make(must(sign_in("ann", add_secret("ann", TokenKind::access, row).text)));
  EXPECT_EQ(must(authenticator_.refresh(secret, kAddress))->narrowing.apply(Rights::all(), "ann/other"), Rights())
      << "A16";
}

// ---- what was begun in time (A11)

TEST_F(AuthenticatorTest, AnExpiredTokenIsKnownWithinTheGraceOnly) {
  const auto pat = add_secret("ann", TokenKind::access);
  const std::string token = bearer(token_of("ann", pat.text));
  const auto name = [&] {
    const auto found = authenticator_.find_expired(token, kDayMs);
    return found ? found->subject.name : "-";
  };
  clock_.advance_ms(17 * kMinuteMs);
  EXPECT_EQ(who(token), "unauthorized");
  EXPECT_EQ(name(), "ann");
  EXPECT_EQ(authenticator_.find_cached(token), nullptr) << "for nothing else";
  clock_.advance_ms(kDayMs - 3 * kMinuteMs);
  EXPECT_EQ(name(), "ann");
  clock_.advance_ms(2 * kMinuteMs);  // one of them for clocks that differ
  EXPECT_EQ(name(), "-") << "a day after its end";
}

TEST_F(AuthenticatorTest, TheGraceIsForTokensThatAreGoodOtherwise) {
  const auto pat = add_secret("ann", TokenKind::access);
  const std::string token = bearer(token_of("ann", pat.text));
  clock_.advance_ms(17 * kMinuteMs);
  EXPECT_NE(authenticator_.find_expired(token, kDayMs), nullptr);
  set_disabled("ann", true);
  EXPECT_EQ(authenticator_.find_expired(token, kDayMs), nullptr) << "A16";
  set_disabled("ann", false);
  revoke("ann", pat.id);
  EXPECT_EQ(authenticator_.find_expired(token, kDayMs), nullptr) << "its secret was revoked";
  meta::TokenRow row;
  row.expires_at_ms = clock_.now_ms() + kMinuteMs;
  const auto brief = add_secret("ann", TokenKind::short_lived, row);
  const std::string made = bearer(token_of("ann", brief.text));
  clock_.advance_ms(60 * kMinuteMs);
  EXPECT_EQ(who(made), "unauthorized");
  EXPECT_NE(authenticator_.find_expired(made, kDayMs), nullptr) << "a push outlives a secret that came to its end";
  revoke("ann", brief.id);
  EXPECT_EQ(authenticator_.find_expired(made, kDayMs), nullptr) << "not one that was taken back, even after its end";
  EXPECT_EQ(authenticator_.find_expired(basic("ann", "U*U"), kDayMs), nullptr);
  EXPECT_EQ(authenticator_.find_expired("Bearer x", kDayMs), nullptr);
  EXPECT_EQ(authenticator_.find_expired("", kDayMs), nullptr);
}

TEST_F(AuthenticatorTest, TheGraceEndsWithTheAccount) {
  add_robot("acme+brief", clock_.now_ms() + 16 * kMinuteMs);
  const std::string token = bearer(token_of("acme+brief", secret_of("acme+brief", TokenKind::robot_secret)));
  clock_.advance_ms(17 * kMinuteMs);
  EXPECT_EQ(authenticator_.find_expired(token, kDayMs), nullptr) << "a robot whose time is over";
}

}  // namespace
}  // namespace berth::auth
