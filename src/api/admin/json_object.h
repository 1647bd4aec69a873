#pragma once
// Reading and writing the small JSON objects of the administration API.

#include "base/json.h"
#include "base/json_text.h"
#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::api {

/// {"a":1,"b":"x"}, in the order of the calls. Keys need no escapes.
class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) {
    name(key);
    append_json_string(out_, value);
    return *this;
  }
  /// Null if it is empty, where an empty text would be none.
  JsonObject& text_or_null(std::string_view key, std::string_view value) {
    return value.empty() ? raw(key, "null") : text(key, value);
  }
  JsonObject& number(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }
  JsonObject& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  /// A value that is JSON already.
  JsonObject& raw(std::string_view key, std::string_view json) {
    name(key);
    out_ += json;
    return *this;
  }
  JsonObject& texts(std::string_view key, const std::vector<std::string>& values);
  std::string str() const { return out_ + "}"; }

 private:
  void name(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    out_.append("\"").append(key).append("\":");
  }
  std::string out_ = "{";
};

/// The members of an object from outside. Each is taken by name; finish() refuses what nobody took, so that a slip in a
/// name is an error and not silence. What is at fault is told by a JSON pointer, the error's item.
class JsonFields {
 public:
  /// Errors: parameter_invalid: not JSON, or not an object. An empty text is an empty object.
  static Result<JsonFields> parse(std::string_view text);

  /// nullopt: not there, or null. Errors, of all of these: parameter_invalid: of another type.
  Result<std::optional<std::string>> text(std::string_view key);
  Result<std::optional<std::vector<std::string>>> texts(std::string_view key);
  /// For a merge patch (RFC 7396), which takes a text away by null: that is an empty one here.
  Result<std::optional<std::string>> clearable_text(std::string_view key);
  /// nullopt: not there. Null is of another type.
  Result<std::optional<std::string>> word(std::string_view key);
  Result<std::optional<bool>> boolean(std::string_view key);
  Result<std::optional<std::int64_t>> number(std::string_view key);
  /// The members of an object whose values are strings, in the order of the text.
  Result<std::vector<std::pair<std::string, std::string>>> text_members(std::string_view key);
  /// Elements of an array of objects.
  Result<std::vector<JsonFields>> objects(std::string_view key);
  /// Errors: parameter_invalid also if it is not there or empty.
  Result<std::string> required_text(std::string_view key);
  bool has(std::string_view key) const { return value_.find(key) != nullptr; }
  Result<void> finish() const;
  /// "/permissions/0/repo"
  std::string pointer(std::string_view key) const;

 private:
  enum class Null : std::uint8_t { is_nothing, is_a_value };
  const json::Value* take(std::string_view key, Null null);
  std::unexpected<Error> refuse(std::string_view key, const std::string& why) const;

  json::Value value_;
  std::string place_;  // of this object in the body
  std::vector<std::string> taken_;
};

}  // namespace berth::api
