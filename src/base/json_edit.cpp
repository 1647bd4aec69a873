#include "base/json_edit.h"

#include <nlohmann/json.hpp>

namespace berth {

Result<std::string> edit_json(std::string_view text, std::span<const std::string> path, std::string_view json) {
  using Tree = nlohmann::ordered_json;
  Tree root = text.empty() ? Tree::object() : Tree::parse(text, nullptr, false);
  if (!root.is_object()) return fail(Errc::parameter_invalid, "not a JSON object");
  Tree* at = &root;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    Tree& next = (*at)[path[i]];
    if (next.is_null()) next = Tree::object();
    if (!next.is_object()) return fail(Errc::parameter_invalid, "'" + path[i] + "' is not a JSON object");
    at = &next;
  }
  if (json.empty()) {
    at->erase(path.back());
  } else {
    Tree value = Tree::parse(json, nullptr, false);
    if (value.is_discarded()) return fail(Errc::internal, {}, "a value that is no JSON");
    (*at)[path.back()] = std::move(value);
  }
  return root.dump(1, '\t', false, Tree::error_handler_t::replace);
}

}  // namespace berth
