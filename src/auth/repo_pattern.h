#pragma once
// Patterns over repository names: acme/web, acme/web-*, acme/*/ci, acme/**. Component by component and case-exact (S9,
// S30): `*` stands for any run of characters within one component, `**` as the last component for any number of
// components, none included, so that acme/** is all of the namespace acme.

#include "base/result.h"

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

class RepoPattern {
 public:
  static constexpr std::size_t kBytesMax = 255;

  enum class FirstComponent : std::uint8_t { literal, any };
  /// Errors: account_invalid with a sentence. A literal first component names one namespace, as a grant's must.
  static Result<RepoPattern> parse(std::string_view text, FirstComponent first = FirstComponent::literal);

  bool matches(std::string_view repo) const;
  const std::string& str() const { return text_; }
  /// The namespace, if the first component is literal.
  std::string_view first_component() const;

  /// How narrowly it fits: the more specific of two patterns that match one name decides. Without a wildcard is the
  /// most; then whoever has more components without one, more components, more characters that are none, fewer
  /// wildcards. Hence a pattern that matches only what another one matches, and not all of that, is the more specific.
  struct Specificity {
    bool exact = false;
    std::size_t literal_components = 0;
    std::size_t components = 0;  // `**` is none: it may stand for nothing
    std::size_t literal_bytes = 0;
    std::ptrdiff_t minus_stars = 0;
    friend auto operator<=>(const Specificity&, const Specificity&) = default;
  };
  const Specificity& specificity() const { return specificity_; }

  friend bool operator==(const RepoPattern& a, const RepoPattern& b) { return a.text_ == b.text_; }

 private:
  std::string text_;
  Specificity specificity_;
};

}  // namespace berth::auth
