#include "oci/manifest.h"

#include "base/json.h"
#include "base/json_text.h"
#include "oci/descriptor.h"
#include "oci/manifest_keys.h"
#include "oci/media_type.h"

namespace berth::oci {

namespace {

using json::Value;

// A tree costs about 100 bytes a value, so a 4 MiB text of `[0,0,…` would take 200 MB. 10 000 descriptors of 20 keys
// and values each stay well below this.
constexpr std::size_t kJsonElementsMax = 500'000;
constexpr std::size_t kElementsPerDescriptor = 20;  // who allows more descriptors means them with their keys
constexpr FieldPath kTop{"", {}};

bool is_accepted(std::string_view type) {
  return type == media::kOciManifest || type == media::kOciIndex || type == media::kDockerManifest ||
         type == media::kDockerList;
}

bool is_oci(std::string_view type) { return type == media::kOciManifest || type == media::kOciIndex; }

std::unexpected<Error> refuse_type(std::string_view type) {
  return fail(Errc::manifest_invalid, "manifest type " + std::string(type.substr(0, 255)) + " is not accepted");
}

bool is_integer(const Value* value, std::int64_t expected) {
  return value != nullptr && value->is(Value::Kind::integer) && value->integer() == expected;
}

/// V1: the type the bytes declare, or what they look like where only OCI's types can be meant.
Result<std::string> type_of_bytes(const Value& root, std::string_view header_type) {
  BERTH_TRY(auto written, optional_string(root, kTop, "mediaType"));
  if (!written.empty()) {
    if (!is_accepted(written)) return refuse_type(written);
    return written;
  }
  if (is_integer(find_present(root, "schemaVersion"), 1)) return refuse_type(media::kDockerSchema1);
  if (find_present(root, "manifests") != nullptr) return std::string(media::kOciIndex);
  if (find_present(root, "config") != nullptr) return std::string(media::kOciManifest);
  if (!header_type.empty() && !is_accepted(header_type)) return refuse_type(header_type);
  return fail(Errc::manifest_invalid, "mediaType is missing, and neither manifests nor config tells the type");
}

/// V1: the header can agree or be refused, never decide.
Result<std::string> effective_type(const Value& root, std::string_view header) {
  const std::string_view header_type = strip_parameters(header);
  BERTH_TRY(auto type, type_of_bytes(root, header_type));
  if (!header_type.empty() && header_type != type) {
    return fail(Errc::manifest_invalid,
                "mediaType: the body is " + type + ", Content-Type says " + std::string(header_type.substr(0, 255)));
  }
  return type;
}

/// V2: a document that could be read as the other kind too.
Result<void> check_other_kind(const Value& root, ManifestKind kind) {
  if (kind == ManifestKind::image) {
    if (find_present(root, "manifests") != nullptr)
      return invalid_field(kTop, "manifests must not be in an image manifest");
    return {};
  }
  for (const std::string_view key : {"config", "layers", "blobs"}) {
    if (find_present(root, key) != nullptr) return invalid_field(kTop, std::string(key) + " must not be in an index");
  }
  return {};
}

Result<std::vector<Descriptor>> read_descriptors(const Value& list, std::string_view name, Role role) {
  if (!list.is(Value::Kind::array)) return invalid_field(kTop, std::string(name) + " must be an array");
  std::vector<Descriptor> out;
  out.reserve(list.array().size());
  for (const Value& item : list.array()) {
    BERTH_TRY(auto descriptor, parse_descriptor(item, {name, out.size()}, role));
    out.push_back(std::move(descriptor));
  }
  return out;
}

/// V3; before the descriptors are read one by one.
Result<void> check_descriptor_count(const Value& root, std::size_t descriptors_max) {
  std::size_t count = 0;
  for (const std::string_view key : {"config", "subject"}) count += find_present(root, key) != nullptr ? 1U : 0U;
  for (const std::string_view key : {"layers", "manifests"}) {
    if (const Value* list = find_present(root, key)) count += list->array().size();
  }
  if (count > descriptors_max) {
    return fail(Errc::manifest_invalid, "more than " + std::to_string(descriptors_max) + " descriptors");
  }
  return {};
}

Result<void> read_image(const Value& root, Manifest& out) {
  const Value* config = find_present(root, "config");
  if (config == nullptr) return invalid_field(kTop, "config is missing");
  BERTH_TRY(out.config, parse_descriptor(*config, {"config", {}}, Role::config));
  if (const Value* layers = find_present(root, "layers")) {
    BERTH_TRY(out.layers, read_descriptors(*layers, "layers", Role::layer));
  }
  return {};
}

Result<void> read_index(const Value& root, Manifest& out) {
  const Value* children = find_present(root, "manifests");
  if (children == nullptr) return invalid_field(kTop, "manifests is missing");
  BERTH_TRY(out.children, read_descriptors(*children, "manifests", Role::child));
  return {};
}

/// V13.
Result<void> read_subject(const Value& root, Manifest& out) {
  const Value* subject = find_present(root, "subject");
  if (subject == nullptr) return {};
  if (!is_oci(out.media_type)) {
    out.warnings.push_back("subject is ignored: " + out.media_type + " does not define it");
    return {};
  }
  BERTH_TRY(auto descriptor, parse_descriptor(*subject, {"subject", {}}, Role::subject));
  out.subject = std::move(descriptor.digest_text);
  return {};
}

/// R2, V6.
Result<void> read_artifact_type(const Value& root, Manifest& out) {
  BERTH_TRY(out.artifact_type, optional_string(root, kTop, "artifactType"));
  if (!out.artifact_type.empty() || !out.config) return {};
  out.artifact_type = out.config->media_type;
  if (out.config->media_type == media::kOciEmpty) {
    out.warnings.emplace_back("artifactType is missing: it must be set when the config is the empty descriptor");
  }
  return {};
}

Result<void> read_annotations(const Value& root, Manifest& out) {
  BERTH_TRY(const Value* annotations, check_annotations(root, kTop));
  if (annotations != nullptr && !annotations->object().empty()) json::append(out.annotations_json, *annotations);
  return {};
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view body, std::string_view header_type, ManifestLimits limits) {
  const std::size_t elements_max = std::max(kJsonElementsMax, limits.descriptors_max * kElementsPerDescriptor);
  BERTH_TRY(const Value root, json::parse(body, {.depth_max = limits.depth_max, .elements_max = elements_max}));
  if (!root.is(Value::Kind::object)) return fail(Errc::manifest_invalid, "a manifest must be a JSON object");
  if (const std::string* key = find_case_variant(root, Shape::manifest)) {
    return invalid_field(kTop, *key + " is a known field in other letter case");
  }
  Manifest out;
  BERTH_TRY(out.media_type, effective_type(root, header_type));
  out.kind = is_index_type(out.media_type) ? ManifestKind::index : ManifestKind::image;
  if (!is_integer(find_present(root, "schemaVersion"), 2)) return invalid_field(kTop, "schemaVersion must be 2");
  BERTH_TRYV(check_other_kind(root, out.kind));
  BERTH_TRYV(check_descriptor_count(root, limits.descriptors_max));
  BERTH_TRYV(out.kind == ManifestKind::image ? read_image(root, out) : read_index(root, out));
  BERTH_TRYV(read_subject(root, out));
  BERTH_TRYV(read_artifact_type(root, out));
  BERTH_TRYV(read_annotations(root, out));
  return out;
}

std::string referrer_descriptor(const Manifest& manifest, const Digest& digest, std::uint64_t size) {
  std::string out = "{\"mediaType\":";
  append_json_string(out, manifest.media_type);
  out += ",\"digest\":\"" + digest.str() + "\",\"size\":" + std::to_string(size);
  if (!manifest.artifact_type.empty()) {
    out += ",\"artifactType\":";
    append_json_string(out, manifest.artifact_type);
  }
  if (!manifest.annotations_json.empty()) out += ",\"annotations\":" + manifest.annotations_json;
  out += '}';
  return out;
}

}  // namespace berth::oci
