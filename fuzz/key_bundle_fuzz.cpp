// Any bytes as a file of public keys: what is read is there under both of its names, and nothing private gets through.
#include "crypto/key_bundle.h"

#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto keys = berth::crypto::parse_key_bundle(input);
  if (!keys) return 0;
  BERTH_ASSERT(!keys->empty() && keys->size() % 2 == 0, "each twice");
  for (std::size_t i = 0; i < keys->size(); i += 2) {
    const auto& [by_thumbprint, by_libtrust] = std::tie((*keys)[i], (*keys)[i + 1]);
    BERTH_ASSERT(by_thumbprint.kid() == by_thumbprint.thumbprint(), "the first name");
    BERTH_ASSERT(by_libtrust.kid().size() == 59 && by_libtrust.thumbprint() == by_thumbprint.kid(), "the second");
  }
  return 0;
}
