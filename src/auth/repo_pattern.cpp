#include "auth/repo_pattern.h"

#include <algorithm>
#include <utility>

namespace berth::auth {

namespace {

constexpr std::string_view kDeep = "**";

/// The component up to the next '/', which is taken off `rest`.
std::string_view take_component(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view component = rest.substr(0, slash);
  rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  return component;
}

bool is_wild(std::string_view component) { return component.find('*') != std::string_view::npos; }

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/// Any run of characters for each '*'. Linear in practice and never worse than the product of the lengths: on a
/// mismatch only the last '*' takes one more.
bool component_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(), [](char c) { return c == '*'; });
}

void add(RepoPattern::Specificity& sum, std::string_view component) {
  const std::ptrdiff_t stars = std::ranges::count(component, '*');
  sum.minus_stars -= stars;
  sum.literal_bytes += component.size() - static_cast<std::size_t>(stars);
  if (component != kDeep) ++sum.components;
  if (stars == 0) ++sum.literal_components;
}

std::unexpected<Error> invalid(std::string_view text, std::string_view why) {
  return fail(Errc::account_invalid, "'" + std::string(text) + "' is not a repository pattern: " + std::string(why));
}

}  // namespace

Result<RepoPattern> RepoPattern::parse(std::string_view text, FirstComponent first) {
  if (text.empty() || text.size() > kBytesMax) return invalid(text.substr(0, 40), "it must have 1 to 255 characters");
  RepoPattern out;
  out.text_ = text;
  std::string_view rest = text;
  bool is_first = true;
  do {
    const std::string_view component = take_component(rest);
    const bool is_last = rest.empty() && !text.ends_with('/');
    if (component.empty()) return invalid(text, "a component between two slashes is empty");
    if (component.find(kDeep) != std::string_view::npos && (component != kDeep || !is_last))
      return invalid(text, "** may only be all of the last component");
    if (std::exchange(is_first, false) && first == FirstComponent::literal && is_wild(component))
      return invalid(text, "it must begin with a namespace, as in acme/** or acme/web-*");
    if (!std::ranges::all_of(component, [](char c) { return c == '*' || is_name_char(c); }))
      return invalid(text, "repository names are made of a-z, 0-9, '.', '_', '-' and '/'");
    add(out.specificity_, component);
    if (rest.empty() && text.ends_with('/')) return invalid(text, "it ends with a slash");
  } while (!rest.empty());
  out.specificity_.exact = out.specificity_.minus_stars == 0;
  return out;
}

bool RepoPattern::matches(std::string_view repo) const {
  std::string_view pattern = text_;
  while (!pattern.empty()) {
    const std::string_view component = take_component(pattern);
    if (component == kDeep) return true;
    if (repo.empty()) return false;
    if (!component_matches(component, take_component(repo))) return false;
  }
  return repo.empty();
}

std::string_view RepoPattern::first_component() const { return std::string_view(text_).substr(0, text_.find('/')); }

}  // namespace berth::auth
