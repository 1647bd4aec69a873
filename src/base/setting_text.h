#pragma once
// How sizes, durations and numbers are written in a configuration, and read back.

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// "1048576", "64 MiB", "1.5 GB": B, kB MB GB TB (powers of 1000), KiB MiB GiB TiB (of 1024).
/// Errors, of all of these: parameter_invalid with a sentence.
Result<std::int64_t> parse_bytes(std::string_view text);
std::string print_bytes(std::int64_t bytes);

/// "500ms", "30s", "2m", "24h", "7d"; whole numbers. In milliseconds.
Result<std::int64_t> parse_duration_ms(std::string_view text);
std::string print_duration_ms(std::int64_t duration_ms);

Result<std::int64_t> parse_integer(std::string_view text);
Result<bool> parse_boolean(std::string_view text);  // true, false, on, off

}  // namespace berth
