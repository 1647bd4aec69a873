#include "auth/ldap_text.h"

#include "auth/ldap_dn.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace berth::auth {
namespace {

TEST(LdapUrl, Parses) {
  const struct {
    std::string text;
    std::string_view url;  // empty: refused
    bool is_loopback;
    std::string_view why;
  } rows[] = {
      {"ldap://ldap.acme.example", "ldap://ldap.acme.example:389", false, "the usual port"},
      {"ldaps://ldap.acme.example", "ldaps://ldap.acme.example:636", false, "the other usual port"},
      {"ldaps://ldap.acme.example/", "ldaps://ldap.acme.example:636", false, "a slash says nothing"},
      {"ldap://10.1.2.3:3389", "ldap://10.1.2.3:3389", false, "a port"},
      {"ldap://[::1]:3389", "ldap://[::1]:3389", true, "IPv6"},
      {"ldap://[2001:DB8::1]", "ldap://[2001:DB8::1]:389", false, "IPv6 elsewhere"},
      {"ldap://127.0.0.1", "ldap://127.0.0.1:389", true, "here"},
      {"ldap://127.9.9.9", "ldap://127.9.9.9:389", true, "here as well"},
      {"ldap://localhost", "ldap://localhost:389", true, "here by name"},
      {"ldap://127.evil.example", "ldap://127.evil.example:389", false, "only looks like here"},
      {"ldap://localhost.evil.example", "ldap://localhost.evil.example:389", false, "likewise"},
      {"ldap://", "", false, "no host"},
      {"ldap:///", "", false, "no host, which libldap takes for this machine"},
      {"ldap://:389", "", false, "no host either"},
      {"ldap.acme.example", "", false, "no scheme"},
      {"ldapi:///run/slapd", "", false, "another scheme"},
      {"LDAP://ldap.acme.example", "", false, "one spelling"},
      {"ldap://a:0", "", false, "no port"},
      {"ldap://a:", "", false, "an empty port"},
      {"ldap://a:65536", "", false, "too large a port"},
      {"ldap://a:389x", "", false, "something behind the port"},
      {"ldap://a:389/dc=acme", "", false, "a base has a setting of its own"},
      {"ldap://a b", "", false, "two addresses to libldap"},
      {"ldap://a,b", "", false, "likewise"},
      {"ldap://ann@a", "", false, "a name before the host"},
      {"ldap://[::1", "", false, "an open bracket"},
      {"ldap://[localhost]", "", false, "a name in brackets"},
      {std::string("ldap://a\0b", 10), "", false, "NUL"},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_ldap_url(row.text);
    EXPECT_EQ(parsed ? parsed->url() : "", row.url) << row.text << ": " << row.why;
    if (parsed) EXPECT_EQ(parsed->is_loopback(), row.is_loopback) << row.text << ": " << row.why;
  }
}

TEST(LdapFilter, ValuesStandForThemselves) {
  const struct {
    std::string text;
    std::string_view escaped;
  } rows[] = {
      {"ann.lee", "ann.lee"},
      {"*", "\\2a"},
      {"ann)(uid=*", "ann\\29\\28uid=\\2a"},
      {"a\\b", "a\\5cb"},
      {std::string("a\0b", 3), "a\\00b"},
      {"\n\x7f", "\\0a\\7f"},
      {"j\xc3\xb6rg", "j\\c3\\b6rg"},
      {"\xff", "\\ff"},
      {"a b,c=d&e|f!g", "a b,c=d&e|f!g"},
      {"{name}", "{name}"},
      {"", ""},
  };
  for (const auto& row : rows) EXPECT_EQ(escape_ldap_value(row.text), row.escaped);
}

TEST(LdapFilter, IsFilledEverywhereAndOnce) {
  EXPECT_EQ(fill_ldap_filter("(uid={name})", "name", "ann"), "(uid=ann)");
  EXPECT_EQ(fill_ldap_filter("(|(uid={name})(mail={name}))", "name", "a*"), "(|(uid=a\\2a)(mail=a\\2a))");
  EXPECT_EQ(fill_ldap_filter("(uid={name})", "name", "{name}"), "(uid={name})") << "a value is not filled again";
  EXPECT_EQ(fill_ldap_filter("(member={dn})", "dn", "cn=Lee\\, Ann (x),dc=a"),
            "(member=cn=Lee\\5c, Ann \\28x\\29,dc=a)");
}

TEST(LdapFilter, IsOneInParentheses) {
  const struct {
    std::string_view filter;
    bool valid;
  } rows[] = {{"(uid={name})", true},
              {"(&(objectClass=person)(|(uid={name})(mail={name})))", true},
              {"uid={name}", false},
              {"(uid={name}", false},
              {"(uid={name}))", false},
              {"(uid={name})(x=*)", false},
              {")uid={name}(", false},
              {" (uid={name})", false},
              {"(uid={name}) ", false},
              {"(uid={name}\n)", false},
              {"(uid=ann)", false},
              {"(uid=name)", false},
              {"", false}};
  for (const auto& row : rows) EXPECT_EQ(check_ldap_filter(row.filter, "name").has_value(), row.valid) << row.filter;
}

TEST(LdapName, HoldsNothingThatIsNoText) {
  EXPECT_TRUE(is_ldap_name("ann"));
  EXPECT_TRUE(is_ldap_name("ACME\\j\xc3\xb6rg (x)"));
  for (const std::string& text : {std::string(), std::string("a\0b", 3), std::string("a\nb"), std::string("a\x7f"),
                                  std::string("\t"), std::string(257, 'a')})
    EXPECT_FALSE(is_ldap_name(text)) << text;
}

TEST(LdapId, IsTextThatLeadsBack) {
  const std::string guid("\x90\x39\x5f\x19\x1a\xb5\x1b\x4a\x9e\x96\x86\xc6\x6c\xb1\x8d\x11", 16);
  const struct {
    std::string_view attribute;
    std::string value;
    std::string_view text;
  } rows[] = {
      {"entryUUID", "0e6e4a9c-1f0e-103f-8f5e-3b2c7c7f1d11", "0e6e4a9c-1f0e-103f-8f5e-3b2c7c7f1d11"},
      {"objectGUID", guid, "195f3990-b51a-4a1b-9e96-86c66cb18d11"},
      {"OBJECTguid", guid, "195f3990-b51a-4a1b-9e96-86c66cb18d11"},
      {"objectGUID", "short", "hex:73686f7274"},
      {"objectSid", std::string("\x01\x05\x00", 3), "hex:010500"},
      {"uid", "j\xc3\xb6rg", "hex:6ac3b67267"},
      {"uid", "hex:010500", "hex:6865783a303130353030"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(ldap_id_text(row.attribute, row.value), row.text);
    EXPECT_EQ(ldap_id_value(row.attribute, row.text), row.value) << row.text;
  }
  EXPECT_EQ(ldap_id_value("objectGUID", "195f3990"), "");
  EXPECT_EQ(ldap_id_value("objectSid", "hex:0g"), "");
}

TEST(LdapDn, TheFirstPartNamesAGroup) {
  const struct {
    std::string dn;
    std::optional<std::string> name;
    std::string_view why;
  } rows[] = {
      {"cn=devs,ou=groups,dc=acme", "devs", "plain"},
      {"CN=Devs, OU=Groups, DC=acme", "Devs", "as Active Directory writes it"},
      {"cn=Research\\, all,dc=acme", "Research, all", "an escaped comma"},
      {"cn=a\\2cb\\+c,dc=acme", "a,b+c", "escaped as hex"},
      {"cn=j\\C3\\B6rg,dc=acme", "j\xc3\xb6rg", "escaped UTF-8"},
      {"cn=\" a,b \",dc=acme", std::nullopt, "quotes are not of LDAP version 3"},
      {"ou=devs+cn=ops,dc=acme", "ops", "two attributes"},
      {"ou=devs,cn=ops,dc=acme", std::nullopt, "another attribute"},
      {"cn=#04024869,dc=acme", std::nullopt, "bytes"},
      {"", std::nullopt, "the root"},
      {"devs", std::nullopt, "no DN"},
      {"cn=devs,", std::nullopt, "half a DN"},
      {std::string("cn=a\0,dc=b", 10), std::nullopt, "NUL"},
  };
  for (const auto& row : rows) EXPECT_EQ(first_value_of_dn(row.dn, "cn"), row.name) << row.dn << ": " << row.why;
}

TEST(LdapDn, WhatIsBelowWhat) {
  const struct {
    std::string_view dn;
    std::string_view base;
    bool is_below;
  } rows[] = {
      {"cn=a,ou=groups,dc=acme", "ou=groups,dc=acme", true},
      {"CN=a, OU=Groups, DC=Acme", "ou=groups,dc=acme", true},
      {"ou=groups,dc=acme", "ou=groups,dc=acme", true},
      {"cn=a,dc=acme", "", true},
      {"cn=a,ou=evil,dc=acme", "ou=groups,dc=acme", false},
      {"cn=a\\,ou=groups\\,dc=acme", "ou=groups,dc=acme", false},
      {"cn=a\\,ou=groups,dc=acme", "ou=groups,dc=acme", false},
      {"dc=acme", "ou=groups,dc=acme", false},
      {"cn=a,xou=groups,dc=acme", "ou=groups,dc=acme", false},
      {"nothing", "dc=acme", false},
      {"cn=a,dc=acme", "nothing", false},
  };
  for (const auto& row : rows)
    EXPECT_EQ(is_below_dn(std::string(row.dn), std::string(row.base)), row.is_below) << row.dn << " / " << row.base;
}

}  // namespace
}  // namespace berth::auth
