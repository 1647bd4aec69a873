#pragma once
// V2: one digest must have one reading. Go's JSON decoder, which most clients use, matches keys without regard to case
// and lets the last one win; a byte-exact reader sees another document. Such keys are refused.

#include "base/json.h"

#include <cstdint>
#include <string>

namespace berth::oci {

/// Which object of a manifest: it decides the known fields.
enum class Shape : std::uint8_t { manifest, descriptor, platform };

/// The first key of `object` that equals a known field of `shape` except for letter case, or nullptr. Case is folded as
/// Go folds it: ASCII, and U+017F (long s) as s. Go also takes U+212A for k, but no known field has a k.
/// The pointer goes into `object`.
const std::string* find_case_variant(const json::Value& object, Shape shape);

}  // namespace berth::oci
