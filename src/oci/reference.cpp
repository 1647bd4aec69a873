#include "oci/reference.h"

#include "base/assert.h"

#include <algorithm>

namespace berth::oci {

namespace {

constexpr bool is_tag_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

constexpr bool is_tag_char(char c) { return is_tag_start(c) || c == '.' || c == '-'; }

}  // namespace

Result<Tag> Tag::parse(std::string_view text) {
  if (text.size() > kBytesMax) return fail(Errc::tag_invalid, "tag is longer than 128 characters");
  if (text.empty() || !is_tag_start(text[0]) || !std::ranges::all_of(text, is_tag_char)) {
    return fail(Errc::tag_invalid, "tag must be letters, digits, _ . - and must not start with . or -");
  }
  return Tag(text);
}

Result<Reference> Reference::parse(std::string_view text) {
  if (text.contains(':')) {
    BERTH_TRY(const auto digest, Digest::parse(text));
    return Reference(digest);
  }
  BERTH_TRY(auto tag, Tag::parse(text));
  return Reference(std::move(tag));
}

const Digest& Reference::digest() const {
  const Digest* digest = std::get_if<Digest>(&value_);
  BERTH_ASSERT(digest != nullptr, "Reference::digest() asked of a tag");
  return *digest;
}

const Tag& Reference::tag() const {
  const Tag* tag = std::get_if<Tag>(&value_);
  BERTH_ASSERT(tag != nullptr, "Reference::tag() asked of a digest");
  return *tag;
}

std::string Reference::str() const { return is_digest() ? digest().str() : tag().str(); }

}  // namespace berth::oci
