#pragma once
// The running hashes of an upload. sha256 always; sha512 only when the client hinted at it, since it halves the speed.

#include "crypto/hash.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace berth::blob {

struct UploadHashes {
  crypto::Sha256 sha256;
  std::optional<crypto::Sha512> sha512;

  void update(std::span<const std::byte> bytes) {
    sha256.update(bytes);
    if (sha512) sha512->update(bytes);
  }
};

/// The hashes of what has come so far, on their way through appends that are under way. Nobody else looks at them.
/// shared: an append on the disk pool outlives a lost connection.
using RunningHashes = std::shared_ptr<UploadHashes>;

/// From here on an append is hashed beside its write; below, handing it over costs more than it gains.
inline constexpr std::size_t kPipelineBytes = 256 * 1024;

}  // namespace berth::blob
