// Any text as the scope of a secret: only an empty object leaves everything, what is read prints and reads back to the
// same, and nothing is ever added to what the subject has (A16).
#include "auth/identity.h"
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
    BERTH_ASSERT(narrowing.parts.empty(), "and has no parts");
  }
  const Narrowing again = parse_narrowing(print_narrowing(narrowing));
  BERTH_ASSERT(again.is_narrow == narrowing.is_narrow && again.parts.size() == narrowing.parts.size(), "reads back");
  for (std::size_t i = 0; i < narrowing.parts.size(); ++i) {
    BERTH_ASSERT(again.parts[i].pattern == narrowing.parts[i].pattern, "the same pattern");
    BERTH_ASSERT(again.parts[i].rights == narrowing.parts[i].rights, "the same rights");
  }
  for (const std::string_view repo : {"a", "acme/web", "acme/web/x"}) {
    BERTH_ASSERT(narrowing.apply(Right::read, repo) == (narrowing.apply(Rights::all(), repo) & Right::read),
                 "a subset");
    BERTH_ASSERT(narrowing.apply({}, repo).empty(), "of nothing, nothing");
  }
  return 0;
}
