// Any bytes as Authorization header: Basic and Bearer exclude each other, what is read as Basic is what the base64
// says, and the name holds no colon.
#include "auth/authenticator.h"
#include "base/assert.h"
#include "base/base64.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  const std::string_view header(reinterpret_cast<const char*>(data), size);
  const auto basic = auth::parse_basic(header);
  const auto bearer = auth::parse_bearer(header);
  BERTH_ASSERT(!basic || !bearer, "one scheme");
  if (bearer) {
    BERTH_ASSERT(header.ends_with(*bearer) && header.size() > bearer->size() + 6, "the rest of the header");
    BERTH_ASSERT(!bearer->starts_with(' '), "without the blanks before it");
  }
  if (!basic) return 0;
  BERTH_ASSERT(header.size() > 6 && header[5] == ' ', "the scheme and a blank");
  BERTH_ASSERT(!basic->name.contains(':'), "the first colon ends the name");
  std::string encoded = encode_base64url(basic->name + ":" + basic->secret);
  std::ranges::replace(encoded, '-', '+');
  std::ranges::replace(encoded, '_', '/');
  std::string_view given = header.substr(6);
  while (given.starts_with(' ')) given.remove_prefix(1);
  while (given.ends_with('=')) given.remove_suffix(1);
  BERTH_ASSERT(given == encoded, "one content, one spelling");
  return 0;
}
