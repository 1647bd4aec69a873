#pragma once

#include "base/result.h"

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace berth::oci {

/// A repository's name, `library/nginx`. Equality and order are bytewise; nothing is ever normalised (S30).
class RepoName {
 public:
  static constexpr std::size_t kBytesMax = 255;  // G1: clients cap host and name together at 255

  /// The grammar of G1: components of [a-z0-9] runs joined by one `.`, `_`, `__` or any number of `-`, separated by
  /// `/`. A first component that starts with `_` (reserved for extensions, E1) cannot occur by grammar. Errors:
  /// name_invalid.
  static Result<RepoName> parse(std::string_view text);

  const std::string& str() const { return text_; }

  /// "library" of "library/nginx"; a view into this object.
  std::string_view first_component() const;

  friend bool operator==(const RepoName&, const RepoName&) = default;
  friend auto operator<=>(const RepoName&, const RepoName&) = default;

 private:
  explicit RepoName(std::string_view text) : text_(text) {}

  std::string text_;
};

}  // namespace berth::oci

template <>
struct std::hash<berth::oci::RepoName> {
  std::size_t operator()(const berth::oci::RepoName& name) const noexcept {
    return std::hash<std::string>{}(name.str());
  }
};
