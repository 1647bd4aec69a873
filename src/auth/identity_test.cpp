#include "auth/identity.h"

#include "auth/token_scope.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

/// "everything", or the scopes, one a line.
std::string printed(const Narrowing& narrowing) {
  if (!narrowing.is_narrow) return "everything";
  std::string out;
  for (const std::string& scope : scopes_of(narrowing)) out += scope + "\n";
  return out;
}

// A16: what cannot be read for certain leaves nothing, never everything.
constexpr struct {
  std::string_view json;
  std::string_view narrowing;
  std::string_view why;
} kRows[] = {
    {"{}", "everything", "a token that is not narrowed"},
    {R"({"repos":[]})", "", "narrowed to nothing"},
    {R"({"repos":[{"pattern":"acme/**","rights":"read,write"}]})", "acme/**:read,write\n", "one part"},
    {R"({"repos":[{"pattern":"**","rights":"read"},{"pattern":"*/ci","rights":"all"}]})",
     "**:read\n*/ci:read,write,overwrite,delete,admin\n", "patterns over every namespace"},
    {R"({"repos":[{"pattern":"acme/web","rights":"read","note":1}]})", "acme/web:read\n", "a member we do not know"},
    {R"({"repos":[{"pattern":"acme/web","rights":"everything"}]})", "", "a right we do not know"},
    {R"({"repos":[{"pattern":"acme//web","rights":"read"}]})", "", "no pattern"},
    {R"({"repos":[{"pattern":"acme/web"}]})", "", "without rights"},
    {R"({"repos":[{"rights":"read"}]})", "", "without a pattern"},
    {R"({"repos":[{"pattern":1,"rights":2}]})", "", "of other types"},
    {R"({"repos":["acme/web"]})", "", "a text in place of a part"},
    {R"({"repos":{"pattern":"**","rights":"read"}})", "", "an object in place of the list"},
    {R"({"repos":null})", "", "null in its place"},
    {R"({"orgs":["acme"]})", "", "narrowed in a way of another version"},
    {R"({"repos":[],"namespaces":["acme","crew"],"profile":true,"registry":"read"})",
     "org:admin:acme\norg:admin:crew\nuser\nadmin:read\n", "to what is no right on a repository"},
    {R"({"registry":"write"})", "admin:write\n", "to the registry"},
    {R"({"namespaces":["acme/web","Acme","",1,null,["acme"]]})", "", "no namespaces"},
    {R"({"namespaces":"acme"})", "", "a text in place of the list"},
    {R"({"profile":1})", "", "a number in place of a truth value"},
    {R"({"profile":false})", "", "said to be none"},
    {R"({"registry":"everything"})", "", "a way we do not know"},
    {R"({"registry":true})", "", "of another type"},
    {"", "", "nothing"},
    {"{", "", "cut off"},
    {"null", "", "null"},
    {"[]", "", "a list"},
    {"\"everything\"", "", "a text"},
    {"0", "", "a number"},
    {R"({"repos":[],"repos":[{"pattern":"**","rights":"all"}]})", "", "a key twice: two readings (S3)"},
};

TEST(NarrowingText, Reads) {
  for (const auto& row : kRows) EXPECT_EQ(printed(parse_narrowing(row.json)), row.narrowing) << row.why;
}

TEST(NarrowingText, ReadsBackAsItPrints) {
  EXPECT_EQ(print_narrowing({}), "{}");
  for (const auto& row : kRows) {
    const Narrowing once = parse_narrowing(row.json);
    EXPECT_EQ(printed(parse_narrowing(print_narrowing(once))), printed(once)) << row.json;
  }
}

TEST(Identity, ATokenIsForTheRepositoriesItNames) {
  Identity identity;
  identity.access = {{Scope::Type::repository, "acme/web", Actions(Actions::pull) | Actions::push},
                     {Scope::Type::repository, "catalog", Actions::pull}};
  EXPECT_EQ(identity.actions_on("acme/web").to_text(), "pull,push");
  EXPECT_TRUE(identity.actions_on("acme/web/x").empty()) << "S9";
  EXPECT_TRUE(identity.actions_on("acme").empty()) << "S9";
  EXPECT_FALSE(identity.may_list_catalog()) << "a repository of that name is another thing";
  identity.access.push_back({Scope::Type::catalog, "catalog", Actions::pull});
  EXPECT_TRUE(identity.may_list_catalog());
}

}  // namespace
}  // namespace berth::auth
