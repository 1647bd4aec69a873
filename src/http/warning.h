#pragma once

#include <string>
#include <string_view>

namespace berth::http {

/// The value of a Warning field (H9): `299 - "text"`, quotes and backslashes escaped, control characters removed, cut
/// to at most 4096 bytes without splitting a UTF-8 character.
std::string warning_header(std::string_view text);

}  // namespace berth::http
