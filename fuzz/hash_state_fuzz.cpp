// Saved hash states come from the database of an earlier process: a damaged one is refused or is at least a state that
// prints back to itself; it never reads or writes out of bounds.

#include "base/assert.h"
#include "crypto/hash.h"

#include <cstdint>
#include <vector>

namespace {

template <class Hash>
void check(std::span<const std::byte> state) {
  auto hash = Hash::import_state(state);
  if (!hash) return;
  const auto printed = hash->export_state();
  const auto again = Hash::import_state(printed);
  BERTH_ASSERT(again.has_value() && again->export_state() == printed, "a state prints back to itself");
  const std::vector<std::byte> more(300);
  hash->update(more);
  (void)hash->sum();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto state = std::as_bytes(std::span(data, size));
  check<berth::crypto::Sha256>(state);
  check<berth::crypto::Sha512>(state);
  return 0;
}
