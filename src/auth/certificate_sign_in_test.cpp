#include "auth/certificate_sign_in.h"

#include "support/accounts_fixture.h"

namespace berth::auth {
namespace {

using ::testing::HasSubstr;

class CertificateSignInTest : public test::AccountsFixture {
 protected:
  CertificateSignInTest() {
    add_user("ann");
    add_admin("root");
    add_user("acme");
    add_robot("acme+ci");
    add_robot("acme+short", clock_.now_ms() + 10 * kMinuteMs);
  }

  static CertificateSignIn::Rules rules(const std::vector<std::string>& texts) {
    return must(parse_certificate_rules(texts));
  }
  crypto::ClientCertificate certificate(std::vector<std::string> names, std::byte number = std::byte{1}) const {
    crypto::ClientCertificate out{.names = std::move(names), .not_after_ms = clock_.now_ms() + 60 * kMinuteMs};
    out.fingerprint.fill(number);
    return out;
  }
  std::string who_is(const crypto::ClientCertificate& shown) { return who(certificates_.identify(shown, kAddress)); }
  std::vector<meta::AuditEntry> audit() {
    expect_ok(change([](sql::Connection&) { return Result<void>(); }));  // behind what is queued
    std::int64_t last = 0;
    return must(look([&](sql::Connection& db) { return meta::list_audit(db, {}, 0, 100, 100, last); }));
  }

  CertificateSignIn certificates_{
      {*store_, clock_, audit_},
      rules({"uri:spiffe://acme.example/ci/*=acme+ci", "uri:spiffe://acme.example/s=acme+short",
             "dns:gone.example=acme+gone", "email:*@acme.example=*"})};
  const crypto::ClientCertificate ci_ = certificate({"uri:spiffe://acme.example/ci/web"});
};

TEST_F(CertificateSignInTest, ARuleMakesItAnAccount) {
  const IdentityPtr ci = must(certificates_.identify(ci_, kAddress));
  EXPECT_EQ(ci->subject.name, "acme+ci");
  EXPECT_EQ(ci->subject.kind, Subject::Kind::robot);
  EXPECT_EQ(ci->credential, Credential::certificate);
  EXPECT_EQ(ci->certificate_name, "uri:spiffe://acme.example/ci/web");
  EXPECT_EQ(ci->valid_until_ms, ci_.not_after_ms);
  EXPECT_EQ(who_is(certificate({"email:ann@acme.example"}, std::byte{2})), "ann");
  EXPECT_EQ(who_is(certificate({"email:root@acme.example"}, std::byte{3})), "root");
}

TEST_F(CertificateSignInTest, WhoIsNobodyIsAnonymous) {
  EXPECT_EQ(who_is(certificate({})), "anonymous") << "no names";
  EXPECT_EQ(who_is(certificate({"dns:elsewhere.example"}, std::byte{2})), "anonymous") << "no rule";
  EXPECT_EQ(who_is(certificate({"dns:gone.example"}, std::byte{3})), "anonymous") << "no such account";
  EXPECT_EQ(who_is(certificate({"email:acme+ci@acme.example"}, std::byte{4})), "anonymous") << "no robot by a star";
  EXPECT_EQ(who_is(certificate({"email:nobody@acme.example"}, std::byte{5})), "anonymous");
}

TEST_F(CertificateSignInTest, WhatIsRememberedIsForgottenWithTheFirstChange) {  // A16
  EXPECT_EQ(certificates_.find_cached(ci_), nullptr);
  EXPECT_EQ(who_is(ci_), "acme+ci");
  ASSERT_NE(certificates_.find_cached(ci_), nullptr);
  EXPECT_EQ(certificates_.find_cached(ci_)->subject.name, "acme+ci");
  const auto ann = certificate({"email:ann@acme.example"}, std::byte{2});
  EXPECT_EQ(who_is(ann), "ann");
  set_disabled("ann", true);
  EXPECT_EQ(certificates_.find_cached(ann), nullptr);
  EXPECT_EQ(certificates_.find_cached(ci_), nullptr);
  EXPECT_EQ(who_is(ann), "anonymous");
  EXPECT_TRUE(certificates_.find_cached(ann)->is_anonymous());
  set_disabled("ann", false);
  EXPECT_EQ(who_is(ann), "ann");
}

TEST_F(CertificateSignInTest, TheEndOfCertificateAndAccountIsKept) {
  EXPECT_EQ(who_is(ci_), "acme+ci");
  const auto brief = certificate({"uri:spiffe://acme.example/s"}, std::byte{2});
  EXPECT_EQ(who_is(brief), "acme+short");
  clock_.advance_ms(11 * kMinuteMs);
  EXPECT_EQ(who_is(brief), "anonymous") << "the robot has ended";
  EXPECT_EQ(who_is(ci_), "acme+ci");
  clock_.advance_ms(50 * kMinuteMs);
  EXPECT_TRUE(certificates_.find_cached(ci_)->is_anonymous()) << "the connection outlived its certificate";
  EXPECT_EQ(who_is(ci_), "anonymous");
}

TEST_F(CertificateSignInTest, NewRulesCountAtOnce) {
  EXPECT_EQ(who_is(ci_), "acme+ci");
  certificates_.replace(rules({"uri:spiffe://acme.example/ci/web=ann"}));
  EXPECT_EQ(certificates_.find_cached(ci_), nullptr);
  EXPECT_EQ(who_is(ci_), "ann");
  certificates_.replace({});
  EXPECT_EQ(who_is(ci_), "anonymous");
}

TEST_F(CertificateSignInTest, TheRecordHasOneLineAnHourForEachName) {
  const auto gone = certificate({"dns:gone.example"}, std::byte{2});
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(who_is(ci_), "acme+ci");
    EXPECT_EQ(who_is(gone), "anonymous");
    expect_ok(change([](sql::Connection&) { return Result<void>(); }));  // all is forgotten, and looked up again
  }
  const auto entries = audit();
  ASSERT_EQ(entries.size(), 2U);
  const bool is_newer_refused = !entries[0].allowed;
  const meta::AuditEntry& good = entries[is_newer_refused ? 1 : 0];
  const meta::AuditEntry& bad = entries[is_newer_refused ? 0 : 1];
  EXPECT_EQ(good.action, "sign_in");
  EXPECT_EQ(good.actor, "acme+ci");
  EXPECT_EQ(good.rule, "certificate uri:spiffe://acme.example/ci/web");
  EXPECT_EQ(good.peer, kAddress);
  EXPECT_EQ(bad.actor, "acme+gone");
  EXPECT_THAT(bad.rule, HasSubstr("certificate dns:gone.example: there is no such account"));
  clock_.advance_ms(59 * kMinuteMs);
  expect_ok(change([](sql::Connection&) { return Result<void>(); }));
  EXPECT_EQ(who_is(ci_), "acme+ci");
  EXPECT_EQ(audit().size(), 2U);
}

TEST_F(CertificateSignInTest, ManyNamesDoNotFillTheRecord) {
  certificates_.replace(rules({"dns:*.example=acme+ci"}));
  for (int i = 0; i < 1'200; ++i)
    who_is(certificate({"dns:h" + std::to_string(i) + ".example"}, static_cast<std::byte>(i % 250)));
  const auto many = must(look([&](sql::Connection& db) {
    std::int64_t last = 0;
    return meta::list_audit(db, {}, 0, 5'000, 5'000, last);
  }));
  EXPECT_LE(many.size(), 1'000U);
}

TEST_F(CertificateSignInTest, ATokenMadeByACertificateEndsWithIt) {
  auto ending = certificate({"uri:spiffe://acme.example/ci/web"});
  ending.not_after_ms = clock_.now_ms() + 2 * kMinuteMs;
  const auto issued = must(tokens_.issue(*must(certificates_.identify(ending, kAddress)), {}));
  EXPECT_EQ(issued.expires_in_s, 120);
}

}  // namespace
}  // namespace berth::auth
