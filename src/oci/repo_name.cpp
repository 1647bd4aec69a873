#include "oci/repo_name.h"

namespace berth::oci {

namespace {

constexpr bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// What may join two alphanumeric runs: `/`, `.`, `_`, `__`, or dashes only.
bool is_joint(std::string_view joint) {
  if (joint == "/" || joint == "." || joint == "_" || joint == "__") return true;
  return joint.find_first_not_of('-') == std::string_view::npos;
}

/// The name is runs of alphanumerics with one joint between each two; so it starts and ends with a run.
bool is_repo_name(std::string_view text) {
  std::size_t i = 0;
  for (;;) {
    const std::size_t run = i;
    while (i < text.size() && is_alnum(text[i])) ++i;
    if (i == run) return false;
    if (i == text.size()) return true;
    const std::size_t joint = i;
    while (i < text.size() && !is_alnum(text[i])) ++i;
    if (!is_joint(text.substr(joint, i - joint))) return false;
  }
}

}  // namespace

Result<RepoName> RepoName::parse(std::string_view text) {
  if (text.size() > kBytesMax) return fail(Errc::name_invalid, "repository name is longer than 255 characters");
  if (!is_repo_name(text)) {
    return fail(Errc::name_invalid,
                "repository name must be components of a-z and 0-9, joined by one of . _ __ or dashes, separated by /");
  }
  return RepoName(text);
}

std::string_view RepoName::first_component() const { return std::string_view(text_).substr(0, text_.find('/')); }

}  // namespace berth::oci
