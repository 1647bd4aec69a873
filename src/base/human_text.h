#pragma once
// Text for people: amounts, and names that came from outside.

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// "12.3 GB": powers of 1000, rounded to a tenth; bytes alone are whole.
std::string size_text(std::uint64_t bytes);

/// `text` with '?' for each control character, those beyond ASCII (U+0080 to U+009F) with them: names of files may hold
/// anything, and a terminal must not obey them. The same for what turns the direction of text.
std::string printable(std::string_view text);

/// The same of several lines, whose ends and tabs are left.
std::string printable_lines(std::string_view text);

}  // namespace berth
