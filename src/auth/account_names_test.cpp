#include "auth/accounts.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using meta::Role;

std::string outcome(const Result<void>& result) {
  return result.has_value() ? "ok" : std::string(to_string(result.error().code));
}

const struct {
  std::string name;
  bool is_good;
  std::string_view why;
} kNames[] = {
    {"ann", true, "letters"},
    {"a1", true, "two characters"},
    {"ann.smith-2_x", true, "single joints"},
    {std::string(64, 'a'), true, "the longest"},
    {"a", false, "one character"},
    {"", false, "none"},
    {std::string(65, 'a'), false, "longer"},
    {"Ann", false, "uppercase (S30)"},
    {"ann__x", false, "a double joint, though repositories may have it (G1)"},
    {"ann..x", false, "likewise"},
    {"ann.-x", false, "two joints"},
    {"-ann", false, "a joint first"},
    {"ann_", false, "a joint last"},
    {"ann x", false, "a blank"},
    {"ann/x", false, "a team's sign"},
    {"ann+x", false, "a robot's sign"},
    {"ann\n", false, "a line end (S23)"},
    {std::string("an\0n", 4), false, "NUL"},
    {"\xC3\xA4nn", false, "ASCII only (S30)"},
    {"library", false, "what docker puts before short names"},
    {"token", false, "any secret's name"},
    {"anonymous", false, "callers without an account"},
    {"everybody", false, "likewise"},
    {"v2", false, "the protocol's path"},
    {"_catalog", false, "likewise (E1)"},
};

TEST(AccountNames, Grammar) {
  for (const auto& row : kNames) {
    EXPECT_EQ(outcome(check_account_name(row.name)), row.is_good ? "ok" : "account_invalid") << row.name << row.why;
    if (row.is_good) EXPECT_TRUE(oci::RepoName::parse(row.name).has_value()) << "the name of its namespace (G1)";
  }
}

const struct {
  std::string name;
  std::string_view ns;  // "!": refused; empty: a plain name
  std::string_view why;
} kRobots[] = {
    {"acme+ci", "acme", "of a namespace"},
    {"build-bot", "", "a plain name"},
    {"acme+c", "acme", "one character will do behind the sign"},
    {"token", "!", "a plain name that is reserved"},
    {"b", "!", "a plain name that is too short"},
    {"+ci", "!", "no namespace"},
    {"acme+", "!", "no name"},
    {"acme+ci+x", "!", "two signs"},
    {"acme/web+ci", "!", "a repository is no namespace"},
    {"Acme+ci", "!", "uppercase (S30)"},
    {"acme+" + std::string(124, 'a'), "!", "129 bytes"},
};

TEST(AccountNames, OfRobots) {
  for (const auto& row : kRobots) {
    const auto ns = check_robot_name(row.name);
    EXPECT_EQ(ns.has_value() ? ns->value_or("") : "!", row.ns) << row.name << ": " << row.why;
  }
}

constexpr struct {
  std::string_view email;
  bool is_good;
} kEmails[] = {
    {"", true},       {"ann@example.com", true},  {"a@b", true},    {"ann", false},     {"@b", false}, {"a@", false},
    {"a b@c", false}, {"a@b\r\nBcc: c@d", false}, {"<a@b>", false}, {"a@b\x7f", false},
};

TEST(AccountNames, EmailAddresses) {
  for (const auto& row : kEmails)
    EXPECT_EQ(outcome(check_email(row.email)), row.is_good ? "ok" : "account_invalid") << row.email;
  EXPECT_FALSE(check_email("a@" + std::string(253, 'b')).has_value());
}

TEST(AccountNames, WordsOfRolesAndVisibilitiesReadBack) {
  for (const Role role : {Role::reader, Role::writer, Role::admin, Role::owner})
    EXPECT_EQ(parse_role(to_word(role)), role);
  for (const auto v : {meta::Visibility::closed, meta::Visibility::internal, meta::Visibility::open})
    EXPECT_EQ(parse_visibility(to_word(v)), v);
  EXPECT_FALSE(parse_role("Owner"));
  EXPECT_FALSE(parse_visibility("open"));
}

}  // namespace
}  // namespace berth::auth
