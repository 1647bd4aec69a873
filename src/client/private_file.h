#pragma once
// Small files with secrets in them, changed by several programs of one person.

#include "base/result.h"

#include <span>
#include <string>
#include <string_view>

namespace berth::client {

class CredentialKey;

/// Empty if there is none.
std::string read_private_file(const std::string& path);

/// Changes one member of a JSON file (base/json_edit.h): read again under a lock, written whole, mode 0600, durable,
/// renamed into place. Makes the folder. With a key the file is written encrypted, whatever it was before.
/// Returns the new text, not encrypted. Errors: io_failed, parameter_invalid.
Result<std::string> edit_private_json(const std::string& path, std::span<const std::string> members,
                                      std::string_view json, const CredentialKey* key = nullptr);

}  // namespace berth::client
