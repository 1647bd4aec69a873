#pragma once
// Manifests as the registry needs to see them: which type, what they refer to, what the referrers list says of them.
// The bytes themselves are stored and served untouched; nothing here is ever written back (V3).

#include "base/result.h"
#include "oci/digest.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::oci {

/// V3.
struct ManifestLimits {
  std::size_t descriptors_max = 10'000;  // config, layers, children, subject together
  std::size_t depth_max = 64;            // of the JSON
};
/// No registry can be configured to accept more; what is stored already is read with these.
inline constexpr ManifestLimits kManifestLimitsMax{.descriptors_max = 100'000, .depth_max = 64};
inline constexpr std::int64_t kDescriptorSizeBytesMax = std::int64_t{1} << 53;  // V4: what JavaScript reads exactly

/// The values are stored: never renumber.
enum class ManifestKind : std::uint8_t { image = 1, index = 2 };

struct Descriptor {
  std::string media_type;
  std::string digest_text;       // as written; well-formed
  std::optional<Digest> digest;  // nullopt: well-formed, but of an algorithm Berth has not; counts as missing (V12)
  std::int64_t size = 0;         // 0 … 2^53
  bool has_size = false;         // false only for a subject without size
  bool exempt = false;           // a nondistributable layer with urls: its bytes need not be here (V8)
  bool is_manifest = false;      // of a manifest type; such an index child must exist as a manifest (V9)
  std::string platform;          // "os/arch[/variant]", empty if not given or incomplete
};

struct Manifest {
  ManifestKind kind = ManifestKind::image;
  std::string media_type;             // the effective type (V1), one of the four accepted
  std::string artifact_type;          // derived: its own; else of an image the config's type; else empty (R2)
  std::optional<Descriptor> config;   // every image has one, no index
  std::vector<Descriptor> layers;     // of an image, in order, repeats kept
  std::vector<Descriptor> children;   // of an index, in order, repeats kept
  std::string subject;                // digest exactly as written; empty if none or if the type is docker's (V13)
  std::string annotations_json;       // top-level annotations as compact JSON in their order; empty if none
  std::vector<std::string> warnings;  // what the pusher should hear (V6, V13); short, no control characters
};

/// Reads and checks a manifest: V1–V6, V8–V10, V13. That what it refers to exists (V7, V9) is for the caller to check.
/// header_type: Content-Type as sent, parameters and all; may be empty.
/// The type is a function of the bytes alone: a header can only agree or be refused (V1).
/// Errors: manifest_invalid; the message names the field, as in `layers[3].digest`.
Result<Manifest> parse_manifest(std::string_view body, std::string_view header_type, ManifestLimits limits = {});

/// The manifest's entry in a referrers list as compact JSON:
/// {"mediaType":…,"digest":…,"size":…,"artifactType":…,"annotations":…}, the last two left out if empty (R2).
std::string referrer_descriptor(const Manifest& manifest, const Digest& digest, std::uint64_t size);

}  // namespace berth::oci
