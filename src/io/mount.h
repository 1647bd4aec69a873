#pragma once
// Which of the machine's file systems a path lies on: what a rename can reach, and what kind it is.

#include "base/result.h"

#include <cstdint>
#include <string>

namespace berth::io {

struct Mount {
  std::uint64_t device = 0;
  std::uint64_t id = 0;     // of the mount; 0 where the kernel does not tell
  std::uint64_t magic = 0;  // the kind of file system, see statfs(2)

  /// A rename works within one mount only, even if another shows the same device.
  bool is_one_with(const Mount& other) const { return device == other.device && id == other.id; }
};

/// Follows links. Blocks. Errors: file_unknown, io_failed.
Result<Mount> find_mount(const std::string& path);

}  // namespace berth::io
