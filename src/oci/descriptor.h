#pragma once
// The parts of a manifest that appear in more than one place. Used by manifest.cpp only.

#include "base/json.h"
#include "base/result.h"
#include "oci/manifest.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::oci {

/// Where in the manifest a value stands, for messages: `config`, `layers[3]`. Points to literals only.
struct FieldPath {
  std::string_view name;
  std::optional<std::size_t> index;

  std::string str() const;
};

/// manifest_invalid with "<path>.<what>", or "<what>" at the top level.
std::unexpected<Error> invalid_field(const FieldPath& path, std::string_view what);

/// The member `key` of `object`, or nullptr if it is absent or null: Go prints unset pointers, slices and maps as null.
const json::Value* find_present(const json::Value& object, std::string_view key);

/// The same for a string; an absent one is empty. Errors: manifest_invalid if it is not a string.
Result<std::string> optional_string(const json::Value& object, const FieldPath& path, std::string_view key);

/// V4: string → string. Returns the member, nullptr if absent or null.
Result<const json::Value*> check_annotations(const json::Value& object, const FieldPath& path);

enum class Role : std::uint8_t { config, layer, child, subject };

/// V2, V4, V8, V10 for one descriptor.
Result<Descriptor> parse_descriptor(const json::Value& value, const FieldPath& path, Role role);

}  // namespace berth::oci
