#include "oci/manifest_keys.h"

#include <cstddef>
#include <span>
#include <string_view>

namespace berth::oci {

namespace {

// "blobs" is the artifact manifest's; it is known because V2 forbids it in an index.
constexpr std::string_view kManifestFields[] = {"schemaVersion", "mediaType", "artifactType", "config",     "layers",
                                                "manifests",     "blobs",     "subject",      "annotations"};
constexpr std::string_view kDescriptorFields[] = {"mediaType",   "digest", "size",         "urls",
                                                  "annotations", "data",   "artifactType", "platform"};
constexpr std::string_view kPlatformFields[] = {"architecture", "os",      "os.version",
                                                "os.features",  "variant", "features"};

std::span<const std::string_view> fields_of(Shape shape) {
  switch (shape) {
    case Shape::manifest: return kManifestFields;
    case Shape::descriptor: return kDescriptorFields;
    case Shape::platform: return kPlatformFields;
  }
  return {};
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Takes one folded character from the front of `text`.
char take_folded(std::string_view& text) {
  constexpr std::string_view kLongS = "\xC5\xBF";
  if (text.starts_with(kLongS)) {
    text.remove_prefix(kLongS.size());
    return 's';
  }
  const char c = lower(text.front());
  text.remove_prefix(1);
  return c;
}

bool equal_folded(std::string_view key, std::string_view field) {
  while (!key.empty() && !field.empty()) {
    if (take_folded(key) != lower(field.front())) return false;
    field.remove_prefix(1);
  }
  return key.empty() && field.empty();
}

}  // namespace

const std::string* find_case_variant(const json::Value& object, Shape shape) {
  const auto fields = fields_of(shape);
  for (const auto& [key, value] : object.object()) {
    for (const std::string_view field : fields) {
      if (key != field && equal_folded(key, field)) return &key;
    }
  }
  return nullptr;
}

}  // namespace berth::oci
