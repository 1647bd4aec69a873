// The cursor of a referrers page comes back from the client: only what this registry printed is accepted (R4).

#include "base/assert.h"
#include "registry/listings.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto position = berth::registry::parse_cursor(text);
  if (!position) return 0;
  BERTH_ASSERT(*position >= 0, "a position is a row id");
  BERTH_ASSERT(berth::registry::print_cursor(*position) == text, "print undoes parse");
  return 0;
}
