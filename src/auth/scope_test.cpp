#include "auth/scope.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

/// "repository team/app pull,push\n", one line a scope.
std::string printed(const std::vector<std::string>& values) {
  std::string out;
  for (const Scope& scope : parse_scopes(values)) {
    out += scope.type == Scope::Type::catalog ? "catalog " : "repository ";
    out += scope.name + " " + scope.actions.to_text() + "\n";
  }
  return out;
}

// A6
const struct {
  std::vector<std::string> values;
  std::string_view scopes;
  std::string_view why;
} kRows[] = {
    {{}, "", "nothing asked"},
    {{""}, "", "an empty value"},
    {{"repository:team/app:pull"}, "repository team/app pull\n", "one action"},
    {{"repository:team/app:push,pull"}, "repository team/app pull,push\n", "pull first, as it was granted"},
    {{"repository:team/app:pull,pull"}, "repository team/app pull\n", "twice"},
    {{"repository:team/app:*"}, "repository team/app pull,push,delete\n", "* is every action"},
    {{"repository:team/app:pull,*"}, "repository team/app pull,push,delete\n", "* among others"},
    {{"repository:team/app:delete"}, "repository team/app delete\n", "delete alone"},
    {{"repository(plugin):team/app:pull"}, "repository team/app pull\n", "the class is ignored"},
    {{"repository():team/app:pull"}, "repository team/app pull\n", "an empty class"},
    {{"repository(plugin:team/app:pull"}, "", "a class without its end"},
    {{"(plugin):team/app:pull"}, "", "a class without a type"},
    {{"repository:a:pull repository:b:push"}, "repository a pull\nrepository b push\n", "several in one value"},
    {{"repository:a:pull", "repository:b:push"}, "repository a pull\nrepository b push\n", "several values"},
    {{"  repository:a:pull   repository:b:push "}, "repository a pull\nrepository b push\n", "blanks between"},
    {{"repository:a:pull", "repository:a:pull,push"}, "repository a pull,push\n", "the same twice: the union"},
    {{"repository:a:pull repository(plugin):a:push"}, "repository a pull,push\n", "whatever the class"},
    {{"registry:catalog:*"}, "catalog catalog pull\n", "the catalog"},
    {{"registry:catalog:pull"}, "", "which has one action"},
    {{"registry:other:*"}, "", "and no sibling"},
    {{"registry(x):catalog:*"}, "catalog catalog pull\n", "its class is ignored, too"},
    {{"repository:catalog:pull registry:catalog:*"},
     "repository catalog pull\ncatalog catalog pull\n",
     "a repository of that name is another thing"},
    {{"repository:host:5000/team/app:pull repository:a:pull"},
     "repository a pull\n",
     "the actions begin behind the last colon: a name with a port is no name of ours, and no other scope"},
    {{"repository:a:b:pull"}, "", "a colon in the name (S9)"},
    {{"repository:team/app:run repository:a:pull"}, "repository a pull\n", "an unknown action"},
    {{"repository:team/app:pull,run"}, "repository team/app pull\n", "beside a known one"},
    {{"repository:team/app:PULL"}, "", "case counts (S30)"},
    {{"repository:Team/App:pull"}, "", "a bad name (S30)"},
    {{"repository:team//app:pull"}, "", "an empty component"},
    {{"repository:../app:pull"}, "", "no path tricks (S14)"},
    {{"repository:*:pull"}, "", "no wildcard for names (S9)"},
    {{"repository::pull"}, "", "no name"},
    {{"repository:team/app:"}, "", "no action"},
    {{"repository:team/app"}, "", "one colon"},
    {{"repository"}, "", "none"},
    {{"::"}, "", "colons only"},
    {{"image:team/app:pull"}, "", "an unknown type"},
    {{"repository\t:a:pull"}, "", "a tab is no separator"},
    {{std::string("repository:a\0b:pull", 19)}, "", "NUL"},
};

TEST(Scope, Grammar) {
  for (const auto& row : kRows) EXPECT_EQ(printed(row.values), row.scopes) << row.why;
}

// S1: what is asked does not decide how much is kept.
TEST(Scope, AreBounded) {
  std::string many;
  for (std::size_t i = 0; i < 10 * kScopesMax; ++i) many += "repository:r" + std::to_string(i) + ":pull ";
  auto scopes = parse_scopes(std::vector{many});
  ASSERT_EQ(scopes.size(), kScopesMax);
  EXPECT_EQ(scopes.back().name, "r" + std::to_string(kScopesMax - 1)) << "the first are kept";
  scopes = parse_scopes(std::vector{many + "repository:r0:push"});
  EXPECT_EQ(scopes.front().actions, Actions(Actions::pull) | Actions::push) << "of those kept more may be asked";
  EXPECT_TRUE(parse_scopes(std::vector{"repository:" + std::string(256, 'a') + ":pull"}).empty()) << "G1";
  EXPECT_EQ(parse_scopes(std::vector{many}, 2).size(), 2U) << "and by what is set";
}

TEST(Actions, AreSetsThatPrintInOneOrder) {
  const Actions some = Actions(Actions::remove) | Actions::pull;
  EXPECT_EQ(some.to_text(), "pull,delete");
  EXPECT_EQ(some.to_words(), (std::vector<std::string>{"pull", "delete"}));
  EXPECT_TRUE(Actions::all().includes(some));
  EXPECT_FALSE(some.includes(Actions::all()));
  EXPECT_TRUE(some.includes(Actions())) << "nothing is in everything";
  EXPECT_EQ(Actions().to_text(), "");
}

// S9: `*` of a token, whoever signed it, is not more than was written.
TEST(Actions, WordsOfATokenAreTakenLiterally) {
  EXPECT_EQ(Actions::parse_words(std::vector<std::string>{"push", "pull", "run"}).to_text(), "pull,push");
  EXPECT_TRUE(Actions::parse_words(std::vector<std::string>{"*"}).empty());
}

}  // namespace
}  // namespace berth::auth
