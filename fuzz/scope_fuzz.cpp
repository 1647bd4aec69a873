// Any text as `scope` of a token request: what is kept is of names the registry has, each once, bounded, and asks for
// the same when it is asked for as it prints (A6).
#include "auth/scope.h"

#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  using auth::Scope;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Several values, as in a query: one a line.
  std::vector<std::string> values(1);
  for (const char c : text) {
    if (c == '\n') {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  const auto scopes = auth::parse_scopes(values);
  BERTH_ASSERT(scopes.size() <= auth::kScopesMax, "S1: bounded");
  std::set<std::pair<Scope::Type, std::string>> seen;
  std::string again;
  for (const Scope& scope : scopes) {
    BERTH_ASSERT(seen.emplace(scope.type, scope.name).second, "A6: the same resource twice is united");
    BERTH_ASSERT(!scope.actions.empty() && auth::Actions::all().includes(scope.actions), "A6: known actions");
    BERTH_ASSERT(oci::RepoName::parse(scope.name).has_value(), "S9: a name is one of ours");
    const bool is_catalog = scope.type == Scope::Type::catalog;
    again += is_catalog ? "registry:catalog:* " : "repository:" + scope.name + ":" + scope.actions.to_text() + " ";
  }
  const auto twice = auth::parse_scopes(std::vector{again});
  BERTH_ASSERT(twice.size() == scopes.size(), "print undoes parse");
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    BERTH_ASSERT(twice[i].type == scopes[i].type && twice[i].name == scopes[i].name, "print undoes parse");
    BERTH_ASSERT(twice[i].actions == scopes[i].actions, "print undoes parse");
  }
  return 0;
}
