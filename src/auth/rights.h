#pragma once
// What a subject may do with a repository, as a set.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::auth {

/// Stored as bits of grant_.allow and grant_.deny: never renumbered.
enum class Right : std::uint8_t {
  read = 1,
  write = 2,      // push what is new: blobs, manifests, tags that do not exist yet
  overwrite = 4,  // move a tag that exists
  remove = 8,     // delete tags, manifests, blobs
  admin = 16,     // settings, visibility, grants
};
inline constexpr Right kAllRights[] = {Right::read, Right::write, Right::overwrite, Right::remove, Right::admin};

class Rights {
 public:
  constexpr Rights() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): one right is a set of one
  constexpr Rights(Right right) : bits_(static_cast<std::uint8_t>(right)) {}
  static constexpr Rights all() { return from_bits(31); }
  /// Bits nobody knows are dropped.
  static constexpr Rights from_bits(std::int64_t bits) {
    Rights out;
    out.bits_ = static_cast<std::uint8_t>(bits & 31);
    return out;
  }
  constexpr std::int64_t bits() const { return bits_; }

  constexpr bool has(Right right) const { return (bits_ & static_cast<std::uint8_t>(right)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr Rights operator|(Rights a, Rights b) { return from_bits(a.bits_ | b.bits_); }
  friend constexpr Rights operator&(Rights a, Rights b) { return from_bits(a.bits_ & b.bits_); }
  friend constexpr bool operator==(Rights, Rights) = default;

 private:
  std::uint8_t bits_ = 0;
};
constexpr Rights operator|(Right a, Right b) { return Rights(a) | Rights(b); }

/// "read", "write", "overwrite", "delete", "admin".
std::string_view to_string(Right right);
/// Those words, and docker's pull and push (push: write).
std::optional<Right> parse_right(std::string_view word);
/// "read,write": in a fixed order, empty for none.
std::string to_text(Rights rights);
/// A comma-separated list of words; "all" is every one. nullopt if a word is none.
std::optional<Rights> parse_rights(std::string_view text);

}  // namespace berth::auth
