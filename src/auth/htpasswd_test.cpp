#include "auth/htpasswd.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

constexpr std::string_view kHash = "$2y$04$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy";

/// "$H" in the text becomes a good hash. Users and problems as one line each.
std::string outcome(std::string text) {
  for (std::size_t at = 0; (at = text.find("$H", at)) != std::string::npos;) text.replace(at, 2, kHash);
  const Htpasswd file = parse_htpasswd(text);
  std::string out;
  for (const auto& user : file.users) {
    EXPECT_EQ(user.hash, kHash);
    out += std::to_string(user.line) + " " + user.name + "\n";
  }
  for (const auto& problem : file.problems) out += std::to_string(problem.line) + "! " + problem.message + "\n";
  return out;
}

const struct {
  std::string text;
  std::string_view outcome;
  std::string_view why;
} kRows[] = {
    {"", "", "an empty file"},
    {"\n\n  \n# ann:$H\n", "", "empty lines and comments"},
    {"ann:$H\nbob:$H\n", "1 ann\n2 bob\n", "two users"},
    {"ann:$H", "1 ann\n", "no line end"},
    {"\r\nann:$H\r\n\r\nbob:$H\r\n", "2 ann\n4 bob\n", "line ends of Windows"},
    {"  ann:$H \t\n", "1 ann\n", "blanks around, as distribution reads it"},
    {"j\xC3\xB6rg m:$H\n", "1 j\xC3\xB6rg m\n", "any name"},
    {"ann\n", "1! not of the form name:hash\n", "no colon"},
    {":$H\n", "1! the name is empty\n", "no name"},
    {"a\tb:$H\n", "1! the name has control characters\n", "a tab in the name"},
    {std::string(256, 'x') + ":$H\n", "1! the name is longer than 255 bytes\n", "a long name"},
    {"ann:$H\nann:$H\n", "1 ann\n2! ann: is on line 1 already\n", "the same name twice"},
    {"ann:$H:comment\n", "1! ann: the bcrypt hash is malformed\n", "a third field"},
    {"ann:\n", "1! ann: neither argon2id nor bcrypt: plain text or a scheme that is not accepted\n", "no hash"},
    {"ann:$apr1$abc$def\nbob:$H\n", "2 bob\n1! ann: the scheme MD5 (apr1) is not accepted\n", "MD5: the others count"},
    {"ann:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n", "1! ann: the scheme SHA-1 is not accepted\n", "SHA-1"},
    {"ann:$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAA\n",
     "1! ann: the scheme argon2id is not one of htpasswd files\n", "argon2id"},
    {"ann:$2y$20$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy\n",
     "1! ann: the bcrypt hash has the cost 20; at most 14 is accepted\n", "a minute a login"},
    {"\xEF\xBB\xBF"
     "ann:$H\n",
     "1 ann\n", "byte order mark"},
};

TEST(Htpasswd, Lines) {
  for (const auto& row : kRows) EXPECT_EQ(outcome(row.text), row.outcome) << row.why;
}

TEST(Htpasswd, ProblemsDoNotRepeatHashes) {
  const Htpasswd file = parse_htpasswd("ann:s3cret-in-plain-text\nbob:$1$abc$s3cret\ns3cret\n");
  ASSERT_EQ(file.problems.size(), 3U);
  for (const auto& problem : file.problems) EXPECT_FALSE(problem.message.contains("s3cret")) << problem.message;
}

}  // namespace
}  // namespace berth::auth
