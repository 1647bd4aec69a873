#pragma once
// Writing JSON: the few lines the server needs to print bodies by hand, in a fixed key order, without building a tree.

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// Appends `text` quoted and escaped. Control characters become \u00xx; bytes that are not UTF-8 become U+FFFD, so the
/// output is always valid JSON whatever came in.
void append_json_string(std::string& out, std::string_view text);

inline std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// Appends `,"key":value`: a member that is not the first of its object. `key` must need no escapes.
inline void append_json_member(std::string& out, std::string_view key, std::string_view value) {
  out.append(",\"").append(key).append("\":");
  append_json_string(out, value);
}
inline void append_json_member(std::string& out, std::string_view key, std::uint64_t value) {
  out.append(",\"").append(key).append("\":").append(std::to_string(value));
}

/// The members of two objects as one: {"a":1} and {"b":2} are {"a":1,"b":2}. Neither has blanks around it.
inline std::string joined_objects(std::string_view first, std::string_view second) {
  if (first == "{}") return std::string(second);
  if (second == "{}") return std::string(first);
  std::string out(first.substr(0, first.size() - 1));
  return out.append(",").append(second.substr(1));
}

}  // namespace berth
