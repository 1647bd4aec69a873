#include "auth/certificate_rule.h"

#include <gmock/gmock.h>

namespace berth::auth {
namespace {

using ::testing::HasSubstr;

constexpr struct {
  const char* rule;
  const char* name;
  const char* account;  // nullptr: no match; "": of nobody
  const char* why;
} kRows[] = {
    {"uri:spiffe://acme.example/ci/web=acme+ci", "uri:spiffe://acme.example/ci/web", "acme+ci", "the very name"},
    {"uri:spiffe://acme.example/ci/web=acme+ci", "uri:spiffe://acme.example/ci/web2", nullptr, "a longer one"},
    {"uri:spiffe://acme.example/ci/web=acme+ci", "uri:spiffe://acme.example/ci/we", nullptr, "a shorter one"},
    {"uri:spiffe://acme.example/ci/web=acme+ci", "dns:spiffe://acme.example/ci/web", nullptr, "another kind"},
    {"uri:spiffe://acme.example/ci/web=acme+ci", "uri:SPIFFE://acme.example/ci/web", nullptr, "URIs as they stand"},
    {"uri:spiffe://acme.example/ci/*=acme+ci", "uri:spiffe://acme.example/ci/web", "acme+ci", "a star at the end"},
    {"uri:spiffe://acme.example/ci/*=acme+ci", "uri:spiffe://acme.example/ci/", nullptr, "a star takes something"},
    {"uri:spiffe://acme.example/ci/*=acme+ci", "uri:spiffe://acme.example/ci/web/deep", nullptr, "one part of a path"},
    {"uri:spiffe://acme.example/ci/*=acme+ci", "uri:spiffe://evil.example/spiffe://acme.example/ci/web", nullptr,
     "from the beginning"},
    {"uri:spiffe://acme.example/*/deploy=acme+ci", "uri:spiffe://acme.example/web/deploy", "acme+ci", "in the middle"},
    {"uri:spiffe://acme.example/*/deploy=acme+ci", "uri:spiffe://acme.example/web/deploy/x", nullptr, "to the end"},
    {"uri:spiffe://acme.example/*/deploy=acme+ci", "uri:spiffe://acme.example/deploy", nullptr, "no overlap"},
    {"uri:https://a.example/?x=y=acme+ci", "uri:https://a.example/?x=y", "acme+ci", "the last = counts"},
    {"dns:*.build.acme.example=acme+build", "dns:w7.build.acme.example", "acme+build", "one label"},
    {"dns:*.build.acme.example=acme+build", "dns:a.b.build.acme.example", nullptr, "not two"},
    {"dns:*.build.acme.example=acme+build", "dns:.build.acme.example", nullptr, "not none"},
    {"dns:*.build.acme.example=acme+build", "dns:build.acme.example", nullptr, "not the host above"},
    {"dns:*.build.acme.example=acme+build", "dns:w7.build.acme.example.evil.example", nullptr, "to the end"},
    {"dns:W7.Acme.Example=acme+build", "dns:w7.acme.example", "acme+build", "hosts in any case"},
    {"email:*@Acme.example=*", "email:ann@acme.example", "ann", "the account is what the star took"},
    {"email:*@acme.example=*", "email:ann@evil.example", nullptr, "another host"},
    {"email:*@acme.example=*", "email:x@evil@acme.example", nullptr, "one part of an address"},
    {"email:*@acme.example=*", "email:acme+ci@acme.example", "", "an address makes nobody a robot"},
    {"email:*@acme.example=*", "email:Ann@acme.example", "", "no account is written so"},
    {"email:*@acme.example=*", "email:acme/devs@acme.example", "", "nor is a team one"},
    {"email:ann@acme.example=root", "email:ann@acme.example", "root", "any account, if it is said"},
    {"email:ann@acme.example=root", "email:Ann@acme.example", nullptr, "the local part as it stands"},
};

TEST(CertificateRule, ComparesTheWholeName) {
  for (const auto& row : kRows) {
    const auto rule = CertificateRule::parse(row.rule);
    ASSERT_TRUE(rule) << row.rule << ": " << rule.error().message;
    const auto account = rule->account_of(row.name);
    const auto expected = row.account != nullptr ? std::optional<std::string>(row.account) : std::nullopt;
    EXPECT_EQ(account, expected) << row.rule << " and " << row.name << ": " << row.why;
  }
}

TEST(CertificateRule, WhatCannotBeMeantIsRefused) {
  const std::pair<const char*, const char*> rows[] = {
      {"uri:spiffe://acme.example/ci", "names no account"},
      {"uri:spiffe://acme.example/ci=", "names no account"},
      {"uri:spiffe://acme.example/ci=Acme", "names no account"},
      {"uri:spiffe://acme.example/ci=acme/devs", "names no account"},
      {"uri:=acme+ci", "no kind of name"},
      {"spiffe://acme.example/ci=acme+ci", "no kind of name"},
      {"cn:ann=ann", "no kind of name"},
      {"ip:192.0.2.1=acme+ci", "no kind of name"},
      {"=acme+ci", "no kind of name"},
      {"", "names no account"},
      {"uri:spiffe://*/ci/*=acme+ci", "more than one star"},
      {"dns:**.acme.example=acme+ci", "more than one star"},
      {"email:ann@acme.example=*", "a star that is not there"},
      {"dns:a b=acme+ci", "characters that no name has"},
  };
  for (const auto& [text, reason] : rows) {
    const auto rule = CertificateRule::parse(text);
    ASSERT_FALSE(rule) << text;
    EXPECT_THAT(rule.error().message, HasSubstr(reason)) << text;
    EXPECT_THAT(rule.error().message, HasSubstr("spiffe://acme.example/ci/*=acme+ci")) << "says how one is written";
  }
}

TEST(CertificateRule, TheFirstThatAnyNameMatchesCounts) {
  const std::vector<std::string> texts = {"dns:a.example=ann", "uri:spiffe://*/x=bob", "dns:*.example=carl"};
  const auto rules = *parse_certificate_rules(texts);
  const std::vector<std::string> both = {"dns:b.example", "uri:spiffe://y/x", "dns:a.example"};
  EXPECT_EQ(match_certificate(rules, both)->account, "ann");
  EXPECT_EQ(match_certificate(rules, both)->name, "dns:a.example");
  EXPECT_EQ(match_certificate(rules, std::span(both).first(2))->account, "bob");
  EXPECT_EQ(match_certificate(rules, std::span(both).first(1))->account, "carl");
  EXPECT_FALSE(match_certificate(rules, {}));
}

}  // namespace
}  // namespace berth::auth
