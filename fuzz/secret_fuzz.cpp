// Any text as secret: an accepted one is of the form that scanners know, and of one kind only.
#include "auth/secret.h"

#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::auth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto kind = parse_secret(text);
  if (!kind) return 0;
  BERTH_ASSERT(text.starts_with("berth_" + std::string(to_string(*kind)) + "_"), "the prefix says the kind");
  BERTH_ASSERT(text.size() == (*kind == SecretKind::refresh ? 59U : 48U), "A15: length");
  std::string other(text);
  other.back() = other.back() == '0' ? '1' : '0';
  BERTH_ASSERT(!parse_secret(other), "the checksum notices");
  return 0;
}
