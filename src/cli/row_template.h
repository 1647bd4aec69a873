#pragma once
// What --format may be beside table and json: a text with placeholders, as docker has it, "{{.Name}} {{.ExpiresAt}}".
// A field is named as in the JSON (expires_at) or as docker would write it (ExpiresAt); \t, \n and \\ are what they are
// in C.

#include "base/json.h"
#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

class RowTemplate {
 public:
  /// Errors: parameter_invalid for what is no template, with a sentence.
  static Result<RowTemplate> parse(std::string_view text);

  /// Whether every field it names is one of these keys. Errors: parameter_invalid, with all of them.
  Result<void> check(const std::vector<std::string>& keys) const;
  /// The text of one row; a member that is not there is empty.
  std::string render(const json::Value& row) const;

 private:
  struct Part {
    std::string text;
    bool is_field = false;
  };
  std::vector<Part> parts_;
};

/// A member as text for a table: "" for null, "yes" and "no", numbers as they are, lists joined by commas. What others
/// wrote goes to a terminal: without control characters, which --format json keeps.
std::string shown(const json::Value& object, std::string_view key);

}  // namespace berth::cli
