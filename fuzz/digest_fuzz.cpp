// Any text as digest: what is accepted prints back identically and survives storage (G3).
#include "oci/digest.h"

#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using berth::oci::Digest;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool well_formed = Digest::is_well_formed(text);
  const auto digest = Digest::parse(text);
  if (digest.has_value()) {
    BERTH_ASSERT(well_formed, "G3: what is parsed is well-formed");
    BERTH_ASSERT(digest->str() == text, "G3: print undoes parse");
    BERTH_ASSERT(Digest::from_storage(digest->storage()) == *digest, "storage is read back");
    BERTH_ASSERT(digest->hex().size() == 2 * digest->raw().size(), "hex shows the whole hash");
  } else {
    BERTH_ASSERT(digest.error().message.starts_with(well_formed ? "unsupported" : "malformed"),
                 "G3: the message tells");
  }
  const auto stored = Digest::from_storage(std::as_bytes(std::span(data, size)));
  if (stored) BERTH_ASSERT(Digest::parse(stored->str()).value() == *stored, "stored digests have a text");
  return 0;
}
