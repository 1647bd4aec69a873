#pragma once
// A connection is a descriptor, and so is an open file: what the process may have is shared out at start, so that a
// busy registry refuses a connection too many instead of failing in the middle of everybody's requests.

#include "base/result.h"
#include "blob/fs_store.h"

#include <cstddef>

namespace berth::app {

struct DescriptorPlan {
  std::size_t connections_max = 0;
  blob::OpenFiles open_files;
};

/// The least a registry can work with.
inline constexpr std::size_t kDescriptorsMin = 1024;

/// Shares out `limit` descriptors. Errors: parameter_invalid with a sentence if they are too few.
Result<DescriptorPlan> plan_descriptors(std::size_t limit);

/// Raises the process's soft limit to its hard one (many shells give 1024 and allow more) and returns what it is now.
std::size_t raise_descriptor_limit();

}  // namespace berth::app
