#include "auth/rights.h"

namespace berth::auth {

std::string_view to_string(Right right) {
  switch (right) {
    case Right::read: return "read";
    case Right::write: return "write";
    case Right::overwrite: return "overwrite";
    case Right::remove: return "delete";
    case Right::admin: return "admin";
  }
  return "";
}

std::optional<Right> parse_right(std::string_view word) {
  if (word == "pull") return Right::read;
  if (word == "push") return Right::write;
  for (const Right right : kAllRights) {
    if (word == to_string(right)) return right;
  }
  return std::nullopt;
}

std::string to_text(Rights rights) {
  std::string out;
  for (const Right right : kAllRights) {
    if (!rights.has(right)) continue;
    if (!out.empty()) out += ',';
    out += to_string(right);
  }
  return out;
}

std::optional<Rights> parse_rights(std::string_view text) {
  if (text == "all") return Rights::all();
  Rights out;
  for (;;) {
    const std::size_t comma = text.find(',');
    const auto right = parse_right(text.substr(0, comma));
    if (!right) return std::nullopt;
    out = out | *right;
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace berth::auth
