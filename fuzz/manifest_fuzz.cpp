// Any bytes as manifest: an accepted one is of the type its bytes say, whatever header comes with it (V1), and keeps
// what oci/manifest.h promises.
#include "oci/manifest.h"

#include "base/assert.h"
#include "base/json.h"
#include "oci/media_type.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace berth;
using namespace berth::oci;

bool present(const json::Value& root, std::string_view key) {
  const json::Value* value = root.find(key);
  return value != nullptr && !value->is_null();
}

void check_type(std::string_view body, const Manifest& manifest) {
  const auto root = json::parse(body);
  BERTH_ASSERT(root.has_value() && root->is(json::Value::Kind::object), "V3: one JSON object");
  BERTH_ASSERT(!body.contains('\0'), "V3: only white space behind the object");

  const json::Value* written = root->find("mediaType");
  if (written != nullptr && written->is(json::Value::Kind::string) && !written->string().empty()) {
    BERTH_ASSERT(manifest.media_type == written->string(), "V1: the bytes' own type");
  } else {
    BERTH_ASSERT(manifest.media_type == (present(*root, "manifests") ? media::kOciIndex : media::kOciManifest),
                 "V1: inferred, OCI only");
  }
  const bool index = manifest.kind == ManifestKind::index;
  BERTH_ASSERT(is_index_type(manifest.media_type) == index, "kind follows type");
  BERTH_ASSERT(!(index ? present(*root, "config") || present(*root, "layers") || present(*root, "blobs")
                       : present(*root, "manifests")),
               "V2: one reading");

  BERTH_ASSERT(parse_manifest(body, manifest.media_type).has_value(), "V1: a header that agrees changes nothing");
  for (const std::string_view other :
       {media::kOciManifest, media::kOciIndex, media::kDockerManifest, media::kDockerList}) {
    if (other != manifest.media_type) {
      BERTH_ASSERT(!parse_manifest(body, other).has_value(), "V1: a header that disagrees is refused");
    }
  }
}

void check_descriptor(const Descriptor& descriptor) {
  BERTH_ASSERT(is_media_type(descriptor.media_type), "V4: mediaType");
  BERTH_ASSERT(Digest::is_well_formed(descriptor.digest_text), "V4: digest");
  if (descriptor.digest) BERTH_ASSERT(descriptor.digest->str() == descriptor.digest_text, "V4: digest is its text");
  BERTH_ASSERT(descriptor.has_size && descriptor.size >= 0 && descriptor.size <= kDescriptorSizeBytesMax, "V4: size");
  BERTH_ASSERT(!descriptor.exempt || is_nondistributable(descriptor.media_type), "V8: exempt by type only");
  BERTH_ASSERT(descriptor.is_manifest == is_manifest_type(descriptor.media_type), "V9: manifest types");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto manifest = parse_manifest(body, "");
  if (!manifest.has_value()) {
    BERTH_ASSERT(manifest.error().code == Errc::manifest_invalid && !manifest.error().message.empty(), "an answer");
    return 0;
  }
  check_type(body, *manifest);
  BERTH_ASSERT(manifest->config.has_value() == (manifest->kind == ManifestKind::image), "images have a config");
  BERTH_ASSERT(manifest->layers.size() + manifest->children.size() <= ManifestLimits{}.descriptors_max,
               "V3: descriptors");
  if (const auto& config = manifest->config) check_descriptor(*config);
  for (const Descriptor& layer : manifest->layers) check_descriptor(layer);
  for (const Descriptor& child : manifest->children) {
    check_descriptor(child);
    BERTH_ASSERT(!child.exempt, "V8: layers only");
  }
  BERTH_ASSERT(manifest->subject.empty() || Digest::is_well_formed(manifest->subject), "V13: subject");
  const auto entry = json::parse(referrer_descriptor(*manifest, digest_of(Algorithm::sha256, body), size));
  BERTH_ASSERT(entry.has_value() && entry->find("digest") != nullptr, "R2: the entry is JSON");
  BERTH_ASSERT(present(*entry, "annotations") == !manifest->annotations_json.empty(), "R2: annotations");
  return 0;
}
