#pragma once
// What a client asks a token for (A6): "repository:team/app:pull,push registry:catalog:*".

#include "oci/repo_name.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

/// Of a repository, in a token. `*` of a request stands for all three.
class Actions {
 public:
  enum Bit : std::uint8_t { pull = 1, push = 2, remove = 4 };

  constexpr Actions() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): one action is a set of one
  constexpr Actions(Bit bit) : bits_(bit) {}
  static constexpr Actions all() { return Actions(pull) | push | remove; }

  constexpr bool has(Bit bit) const { return (bits_ & bit) != 0; }
  constexpr bool includes(Actions other) const { return (bits_ & other.bits_) == other.bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr Actions operator|(Actions a, Actions b) { return from(a.bits_ | b.bits_); }
  friend constexpr Actions operator&(Actions a, Actions b) { return from(a.bits_ & b.bits_); }
  friend constexpr bool operator==(Actions, Actions) = default;

  /// "pull,push,delete": in the order that clients and other registries write (A2).
  std::string to_text() const;
  std::vector<std::string> to_words() const;
  /// Unknown words are dropped.
  static Actions parse_words(std::span<const std::string> words);

 private:
  static constexpr Actions from(int bits) {
    Actions out;
    out.bits_ = static_cast<std::uint8_t>(bits);
    return out;
  }
  std::uint8_t bits_ = 0;
};

/// What is asked of one resource. Each appears once: what was asked twice is united.
struct Scope {
  enum class Type : std::uint8_t { repository, catalog };
  Type type = Type::repository;
  std::string name;  // of the repository
  Actions actions;
};

/// Of one request, whatever is set. With names of full length the token still fits into a header, and the answer stays
/// below the 64 KiB that clients read (A8).
inline constexpr std::size_t kScopesMax = 48;

/// From the values of `scope`, each of which may hold several, separated by spaces. Types, names and actions that
/// nobody knows are dropped without a word, and so are the class in parentheses and whatever is beyond count_max.
std::vector<Scope> parse_scopes(std::span<const std::string> values, std::size_t count_max = kScopesMax);

}  // namespace berth::auth
