#pragma once
// Writing JSON: the few lines the server needs to print bodies by hand, in a fixed key order, without building a tree.

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

}  // namespace berth
