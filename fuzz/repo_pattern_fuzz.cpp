// Any text as pattern, and as name that it is matched against: a pattern keeps the grammar, fits what it spells out,
// crosses no slash and agrees with a matcher that tries every split (S9). Input: pattern, line end, name.
#include "auth/repo_pattern.h"

#include "base/assert.h"
#include "oci/repo_name.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

/// Every split among the stars: for short texts only.
bool fits(std::string_view pattern, std::string_view name) {
  if (pattern == "**") return true;
  if (pattern == "/**") return name.empty() || name.front() == '/';
  if (pattern.empty()) return name.empty();
  if (pattern.front() != '*')
    return !name.empty() && name.front() == pattern.front() && fits(pattern.substr(1), name.substr(1));
  for (;; name.remove_prefix(1)) {
    if (fits(pattern.substr(1), name)) return true;
    if (name.empty() || name.front() == '/') return false;
  }
}

void check_pattern(const berth::auth::RepoPattern& pattern, std::string_view text) {
  BERTH_ASSERT(pattern.str() == text && text.size() <= berth::auth::RepoPattern::kBytesMax, "print undoes parse");
  BERTH_ASSERT(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-/*") == std::string_view::npos, "S30");
  BERTH_ASSERT(!text.contains("//") && !text.starts_with('/') && !text.ends_with('/'), "no empty component");
  std::string spelled;  // with every star standing for one x
  for (const char c : text) spelled += c == '*' ? 'x' : c;
  if (text.ends_with("**")) spelled.pop_back();
  BERTH_ASSERT(pattern.matches(spelled), "fits what it spells out");
  BERTH_ASSERT(text.ends_with("**") || !pattern.matches(spelled + "/x"), "S9: * crosses no slash");
  BERTH_ASSERT(pattern.specificity().exact == !text.contains('*'), "exact is without a wildcard");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using berth::auth::RepoPattern;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = input.substr(0, input.find('\n'));
  const auto pattern = RepoPattern::parse(text, RepoPattern::FirstComponent::any);
  const auto of_grant = RepoPattern::parse(text);
  if (of_grant) {
    BERTH_ASSERT(pattern.has_value(), "what a grant may say a token may say");
    BERTH_ASSERT(!of_grant->first_component().contains('*'), "S9: a grant names its namespace");
  }
  if (!pattern) return 0;
  check_pattern(*pattern, text);
  if (text.size() == input.size()) return 0;
  const std::string_view name = input.substr(text.size() + 1);
  if (!berth::oci::RepoName::parse(name)) return 0;
  const bool matches = pattern->matches(name);
  const bool is_short = text.size() <= 24 && name.size() <= 24;
  BERTH_ASSERT(!is_short || matches == fits(text, name), "agrees with every split");
  return 0;
}
