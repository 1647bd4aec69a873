#pragma once
// The word somebody probably meant.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// The nearest of the words by edits, or empty if none is within two.
std::string nearest_of(const std::vector<std::string>& words, std::string_view meant);

/// " Did you mean 'x'?", or empty for an empty word.
std::string did_you_mean(const std::string& nearest);

}  // namespace berth
