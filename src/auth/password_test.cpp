#include "auth/password.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using namespace std::string_literals;

std::string message_of(const Result<void>& result) { return result.has_value() ? "" : result.error().message; }

TEST(Password, VerifiesWhatItHashes) {
  const std::string hash = hash_password("correct horse");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << hash;
  EXPECT_EQ(message_of(check_password_hash(hash)), "");
  EXPECT_FALSE(needs_rehash(hash));
  EXPECT_TRUE(verify_password(hash, "correct horse"));
  EXPECT_FALSE(verify_password(hash, "correct horsf"));
  EXPECT_NE(hash_password("correct horse"), hash) << "a salt of its own";
}

// S26: an unknown user costs as much as a known one.
TEST(Password, DummyIsAsDearAsARealHash) {
  EXPECT_EQ(message_of(check_password_hash(dummy_hash())), "");
  EXPECT_FALSE(needs_rehash(dummy_hash())) << "the cost of new hashes has changed: draw a new dummy";
  EXPECT_EQ(dummy_hash().size(), hash_password("x").size());
  EXPECT_FALSE(verify_password(dummy_hash(), ""));
}

constexpr std::string_view kLong72 = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
constexpr std::string_view kOfLong72 = "$2y$04$//SkLyfXYlsKlY49yMFw.uE4kQ3ntaZSKvYLmCEvTqsjeUb1inooa";
constexpr std::string_view kBcrypt = "$2b$04$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy";
constexpr std::string_view kArgon2 =
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";

const struct {
  std::string stored;
  std::string given;
  bool matches;
  std::string_view why;
} kRows[] = {
    {std::string(kArgon2), "password", true, "argon2id of its reference implementation, two lanes"},
    {std::string(kArgon2), "Password", false, "another case"},
    {std::string(kArgon2), "", false, "nothing"},
    {std::string(kArgon2), "password\0"s, false, "NUL behind it"},
    {std::string(kArgon2) + "A", "password", false, "a character more"},
    {std::string(kArgon2) + "\0x"s, "password", false, "NUL behind the hash"},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", true, "bcrypt of its first implementation"},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U*", false, "a character more"},
    {std::string(kBcrypt), "correct horse", true, "$2b$"},
    {"$2a" + std::string(kBcrypt.substr(3)), "correct horse", true, "$2a$"},
    {"$2y" + std::string(kBcrypt.substr(3)), "correct horse", true, "$2y$: what htpasswd writes"},
    {"$2x" + std::string(kBcrypt.substr(3)), "correct horse", false, "$2x$: made by a broken implementation"},
    {std::string(kBcrypt), "correct hors", false, "a character less"},
    {std::string(kBcrypt), "correct horse\0x"s, false, "NUL ends the password for crypt, not for us"},
    {"$2b$04$//SkLyfXYlsKlY49yMFw.uKl7UlvCuOWqfVcDPSCoet/nDwCfDuY6", "p\xC3\xA4sswort", true, "bytes over 127"},
    {std::string(kOfLong72), std::string(kLong72), true, "72 bytes"},
    {std::string(kOfLong72), std::string(kLong72) + "y", true, "bcrypt reads 72 bytes of them"},
    {std::string(kOfLong72), std::string(kLong72.substr(1)) + "y", false, "the last of those differs"},
    {std::string(kOfLong72), std::string(kGivenPasswordBytesMax, 'x'), true, "the longest that is tried"},
    {std::string(kOfLong72), std::string(kGivenPasswordBytesMax + 1, 'x'), false, "a longer one is not"},
    {"correct horse", "correct horse", false, "plain text is no hash"},
    {"", "", false, "no hash"},
};

TEST(Password, Verifies) {
  for (const auto& row : kRows) EXPECT_EQ(verify_password(row.stored, row.given), row.matches) << row.why;
}

const struct {
  std::string stored;
  std::string_view message;
  std::string_view why;
} kHashes[] = {
    {std::string(kArgon2), "", "argon2id"},
    {std::string(kBcrypt), "", "bcrypt"},
    {"$argon2id$v=19$m=1048576,t=4,p=1$c29tZXNhbHQ$AAAA", "", "the most memory, the most work"},
    {"$argon2id$v=19$m=1048577,t=1,p=1$c29tZXNhbHQ$AAAA",
     "the argon2id hash costs more memory or time than is accepted", "over 1 GiB"},
    {"$argon2id$v=19$m=1048576,t=5,p=1$c29tZXNhbHQ$AAAA",
     "the argon2id hash costs more memory or time than is accepted", "too many passes for so much memory"},
    {"$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHQ$AAAA",
     "the argon2id hash costs more memory or time than is accepted", "too many passes"},
    {"$argon2id$v=19$m=18446744073709551617,t=1,p=1$c29tZXNhbHQ$AAAA", "the argon2id hash is malformed",
     "a number beyond 64 bits"},
    {"$argon2id$v=19$m=-1,t=1,p=1$c29tZXNhbHQ$AAAA", "the argon2id hash is malformed", "a negative number"},
    {"$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$AAAA", "the argon2id hash is malformed", "another order"},
    {"$argon2id$v=19$", "the argon2id hash is malformed", "cut short"},
    {"$argon2id$v=19$m=256,t=2,p=1$" + std::string(128, 'A'), "the argon2id hash is malformed", "long"},
    {"$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$AAAA", "the scheme argon2id of another version is not accepted",
     "version 1.0"},
    {"$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAA", "the scheme argon2i is not accepted", "argon2i"},
    {"$2b$14$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy", "", "the highest cost"},
    {"$2b$15$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy",
     "the bcrypt hash has the cost 15; at most 14 is accepted", "two seconds"},
    {"$2b$31$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy",
     "the bcrypt hash has the cost 31; at most 14 is accepted", "a day"},
    {"$2b$03$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy", "the bcrypt hash is malformed",
     "below the lowest"},
    {"$2b$4$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy", "the bcrypt hash is malformed", "one digit"},
    {"$2b$04$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGT", "the bcrypt hash is malformed", "cut short"},
    {"$2b$04$//SkLyfXYlsKlY49yMFw:uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy", "the bcrypt hash is malformed",
     "no digit of bcrypt's"},
    {"$2b$", "the bcrypt hash is malformed", "the beginning alone"},
    {"$2x$04$//SkLyfXYlsKlY49yMFw.uK7U6pGJ0mIWRkQ1TY5Q7djY6PJ/eGTy", "the scheme broken bcrypt ($2x$) is not accepted",
     "$2x$"},
    {"$apr1$abc$def", "the scheme MD5 (apr1) is not accepted", "htpasswd's default"},
    {"{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "the scheme SHA-1 is not accepted", "htpasswd -s"},
    {"$6$abc$def", "the scheme SHA-512 (crypt) is not accepted", "of /etc/shadow"},
    {"rl.3StKT.4T8M", "neither argon2id nor bcrypt: plain text or a scheme that is not accepted", "the old crypt"},
    {"hunter2", "neither argon2id nor bcrypt: plain text or a scheme that is not accepted", "htpasswd -p"},
    {"", "neither argon2id nor bcrypt: plain text or a scheme that is not accepted", "nothing"},
};

TEST(Password, HashesAreCheckedBeforeTheyCost) {
  for (const auto& row : kHashes) EXPECT_EQ(message_of(check_password_hash(row.stored)), row.message) << row.why;
}

TEST(Password, OldHashesAreReplaced) {
  EXPECT_TRUE(needs_rehash(kBcrypt));
  EXPECT_TRUE(needs_rehash(kArgon2)) << "256 KiB";
  EXPECT_TRUE(needs_rehash("")) << "nothing";
  EXPECT_TRUE(needs_rehash(std::string(500, '$'))) << "nonsense";
}

const struct {
  std::string text;
  std::string_view message;
  std::string_view why;
} kNew[] = {
    {"12345678", "", "the shortest"},
    {std::string(256, 'x'), "", "the longest"},
    {"p\xC3\xA4ss w\xC3\xB6rt", "", "not ASCII, with a blank"},
    {"a:b:c:d:e", "", "colons: Basic cuts at the first, which is behind the name"},
    {"1234567", "a password has at least 8 bytes", "short"},
    {"", "a password has at least 8 bytes", "empty"},
    {std::string(257, 'x'), "a password has at most 256 bytes", "long"},
    {"12345678\0"s, "a password has no control characters, such as tabs and line ends", "NUL"},
    {"12345678\n", "a password has no control characters, such as tabs and line ends", "a line end, from a file"},
    {"1234\t5678", "a password has no control characters, such as tabs and line ends", "a tab"},
    {"12345678\x7F", "a password has no control characters, such as tabs and line ends", "delete"},
};

TEST(Password, NewOnesFollowRules) {
  for (const auto& row : kNew) EXPECT_EQ(message_of(check_new_password(row.text)), row.message) << row.why;
}

}  // namespace
}  // namespace berth::auth
