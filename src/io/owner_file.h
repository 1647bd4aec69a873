#pragma once
// Small files for their owner's eyes alone: keys, credentials. Blocks.

#include "base/result.h"

#include <string>
#include <string_view>

namespace berth::io {

/// Puts a whole new file, mode 0600, in the place of what is there; durable under its name when it returns.
/// Errors: io_failed with a sentence that names the path.
Result<void> replace_owner_file(const std::string& path, std::string_view text);
/// Makes the names in a folder durable.
Result<void> sync_folder(const std::string& path);

}  // namespace berth::io
