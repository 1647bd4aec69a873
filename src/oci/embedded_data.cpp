#include "oci/embedded_data.h"

#include "base/base64.h"

#include <cstdint>
#include <string>

namespace berth::oci {

Result<void> check_embedded_data(std::string_view data, const Descriptor& descriptor) {
  const auto bytes = decode_base64(data);
  if (!bytes) return fail(Errc::manifest_invalid, "data is not base64");
  if (descriptor.has_size && bytes->size() != static_cast<std::uint64_t>(descriptor.size)) {
    return fail(Errc::manifest_invalid,
                "data has " + std::to_string(bytes->size()) + " bytes, size says " + std::to_string(descriptor.size));
  }
  if (!descriptor.digest) return fail(Errc::manifest_invalid, "data cannot be checked: unsupported digest algorithm");
  if (digest_of(descriptor.digest->algorithm(), *bytes) != *descriptor.digest) {
    return fail(Errc::manifest_invalid, "data does not hash to digest");
  }
  return {};
}

}  // namespace berth::oci
