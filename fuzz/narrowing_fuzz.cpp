// Any text as the scope of a secret: only an empty object leaves everything, what is read prints and reads back to the
// same, and nothing is ever added to what the subject has (A16). Likewise as a scope that somebody asks for.
#include "auth/identity.h"
#include "auth/token_scope.h"
#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::auth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Narrowing narrowing = parse_narrowing(text);
  if (!narrowing.is_narrow) {
    BERTH_ASSERT(text.find_first_not_of("{} \t\r\n") == std::string_view::npos, "only {} is not narrow");
    BERTH_ASSERT(scopes_of(narrowing).empty(), "and has no parts");
  }
  const Narrowing again = parse_narrowing(print_narrowing(narrowing));
  BERTH_ASSERT(again.is_narrow == narrowing.is_narrow && again.parts.size() == narrowing.parts.size(), "reads back");
  for (std::size_t i = 0; i < narrowing.parts.size(); ++i) {
    BERTH_ASSERT(again.parts[i].pattern == narrowing.parts[i].pattern, "the same pattern");
    BERTH_ASSERT(again.parts[i].rights == narrowing.parts[i].rights, "the same rights");
  }
  BERTH_ASSERT(scopes_of(again) == scopes_of(narrowing), "and the rest");
  for (const std::string_view repo : {"a", "acme/web", "acme/web/x"}) {
    BERTH_ASSERT(narrowing.apply(Right::read, repo) == (narrowing.apply(Rights::all(), repo) & Right::read),
                 "a subset");
    BERTH_ASSERT(narrowing.apply({}, repo).empty(), "of nothing, nothing");
  }
  Narrowing asked;
  if (add_scope(asked, text)) {
    Narrowing once_more;
    for (const std::string& scope : scopes_of(asked)) {
      BERTH_ASSERT(add_scope(once_more, scope).has_value(), "what is written is a scope");
    }
    BERTH_ASSERT(scopes_of(once_more) == scopes_of(asked), "the same one");
    BERTH_ASSERT(print_narrowing(parse_narrowing(print_narrowing(asked))) == print_narrowing(asked), "and is kept");
  }
  BERTH_ASSERT(asked.is_narrow && !asked.covers(Act::keep_credentials, {}), "no scope makes a token its owner");
  return 0;
}
