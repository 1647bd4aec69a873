#pragma once
// A configuration file as the list of what it sets, before anything of it is understood.

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace berth::app {

struct FileEntry {
  std::string key;  // "limits.manifest"
  enum class Kind : std::uint8_t { text, number, boolean, list, other };
  Kind kind = Kind::text;
  std::vector<std::string> values;  // texts; numbers and booleans as they are written
  std::size_t line = 0;             // from 1
};

/// TOML (https://toml.io, 1.0). Errors: parameter_invalid; the message names line and column, `number` is the line.
Result<std::vector<FileEntry>> parse_config_file(std::string_view text);

}  // namespace berth::app
