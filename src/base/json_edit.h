#pragma once
// Changing a JSON file that others write too: unknown members stay, in their order.

#include "base/result.h"

#include <span>
#include <string>
#include <string_view>

namespace berth {

/// Sets the member at `path` (objects on the way are made) to `json`, or takes it out if `json` is empty; objects that
/// become empty by that stay. Indented by tabs, as docker does. An empty text is an empty object.
/// Errors: parameter_invalid: not a JSON object, or something on the way is none.
Result<std::string> edit_json(std::string_view text, std::span<const std::string> path, std::string_view json);

}  // namespace berth
