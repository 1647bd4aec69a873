#pragma once
// What stands behind `…/manifests/` in a path: a tag or a digest.

#include "base/result.h"
#include "oci/digest.h"

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace berth::oci {

/// Case-sensitive, bytewise ordered (G2, L1).
class Tag {
 public:
  static constexpr std::size_t kBytesMax = 128;  // G2

  /// `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (G2). Errors: tag_invalid.
  static Result<Tag> parse(std::string_view text);

  const std::string& str() const { return text_; }

  friend bool operator==(const Tag&, const Tag&) = default;
  friend auto operator<=>(const Tag&, const Tag&) = default;

 private:
  explicit Tag(std::string_view text) : text_(text) {}

  std::string text_;
};

/// A tag or a digest. `digest()` and `tag()` may be asked only for what it is.
class Reference {
 public:
  explicit Reference(Tag tag) : value_(std::move(tag)) {}

  explicit Reference(const Digest& digest) : value_(digest) {}

  /// Text with a `:` is a digest, any other a tag (G4).
  /// Errors: digest_invalid (see Digest::parse), tag_invalid.
  static Result<Reference> parse(std::string_view text);

  bool is_digest() const { return std::holds_alternative<Digest>(value_); }

  const Digest& digest() const;
  const Tag& tag() const;
  std::string str() const;

  friend bool operator==(const Reference&, const Reference&) = default;

 private:
  std::variant<Tag, Digest> value_;
};

}  // namespace berth::oci

template <>
struct std::hash<berth::oci::Tag> {
  std::size_t operator()(const berth::oci::Tag& tag) const noexcept { return std::hash<std::string>{}(tag.str()); }
};
