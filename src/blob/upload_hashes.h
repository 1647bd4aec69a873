#pragma once
// The running hashes of an upload. sha256 always; sha512 only when the client hinted at it, since it halves the speed.

#include "crypto/hash.h"

#include <optional>

namespace berth::blob {

struct UploadHashes {
  crypto::Sha256 sha256;
  std::optional<crypto::Sha512> sha512;

  void update(std::span<const std::byte> bytes) {
    sha256.update(bytes);
    if (sha512) sha512->update(bytes);
  }
};

}  // namespace berth::blob
