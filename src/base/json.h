#pragma once
// Reading JSON from outside, strictly (V2, V3): one value, UTF-8 without BOM, only white space after it, no duplicate
// keys at any depth, bounded depth and element count, integers exact. A parsed tree is immutable.

#include "base/result.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::json {

struct Limits {
  std::size_t depth_max = 64;            // V3
  std::size_t elements_max = 2'000'000;  // values and keys together; bounds memory for a 4 MiB text
};

/// A JSON value. `integer` holds only numbers written as plain integer literals that fit 64 bits signed; everything
/// else numeric (1e3, 2.0, 10^30) is `number`, with its text kept, so that a caller can refuse it (V3).
class Value {
 public:
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };
  using Member = std::pair<std::string, Value>;

  Kind kind() const { return kind_; }
  bool is(Kind k) const { return kind_ == k; }
  bool is_null() const { return kind_ == Kind::null; }
  bool boolean() const { return integer_ != 0; }
  std::int64_t integer() const { return integer_; }
  const std::string& string() const { return text_; }  // string, or a number's text
  const std::vector<Value>& array() const { return array_; }
  const std::vector<Member>& object() const { return object_; }  // in the order of the text

  /// The member named `key`, byte for byte, or nullptr. Linear: objects here are small.
  const Value* find(std::string_view key) const;
  /// The text of that member; empty if there is none or it is no string.
  const std::string& text(std::string_view key) const;

 private:
  friend class Builder;
  Kind kind_ = Kind::null;
  std::int64_t integer_ = 0;
  std::string text_;
  std::vector<Value> array_;
  std::vector<Member> object_;
};

/// Parses `text`. Errors: manifest_invalid with a message that says what and where (byte offset), fit to be shown.
Result<Value> parse(std::string_view text, Limits limits = {});

/// Serialises compactly, members in the tree's order.
void append(std::string& out, const Value& value);

}  // namespace berth::json
