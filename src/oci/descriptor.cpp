#include "oci/descriptor.h"

#include "oci/embedded_data.h"
#include "oci/manifest_keys.h"
#include "oci/media_type.h"

#include <algorithm>

namespace berth::oci {

namespace {

using json::Value;

constexpr std::size_t kUrlBytesMax = 2048;  // V8

bool starts_with_ignoring_case(std::string_view text, std::string_view lower_prefix) {
  if (text.size() < lower_prefix.size()) return false;
  return std::ranges::equal(text.substr(0, lower_prefix.size()), lower_prefix, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// V8: http or https with a host, no userinfo, no fragment. Only visible ASCII, and no backslash: some readers take it
/// for a slash and would find another host. Never fetched by the server (S16).
bool is_layer_url(std::string_view url) {
  if (url.size() > kUrlBytesMax) return false;
  if (std::ranges::any_of(url, [](char c) { return c <= ' ' || c >= 0x7f || c == '#' || c == '\\'; })) return false;
  if (starts_with_ignoring_case(url, "http://")) {
    url.remove_prefix(7);
  } else if (starts_with_ignoring_case(url, "https://")) {
    url.remove_prefix(8);
  } else {
    return false;
  }
  const std::string_view authority = url.substr(0, url.find_first_of("/?"));
  return !authority.empty() && authority[0] != ':' && !authority.contains('@');
}

Result<void> read_media_type(const Value& object, const FieldPath& path, Descriptor& out) {
  BERTH_TRY(out.media_type, optional_string(object, path, "mediaType"));
  if (out.media_type.empty()) return invalid_field(path, "mediaType is missing");
  if (!is_media_type(out.media_type))
    return invalid_field(path, "mediaType is not of the form type/subtype (RFC 6838)");
  out.is_manifest = is_manifest_type(out.media_type);
  return {};
}

Result<void> read_digest(const Value& object, const FieldPath& path, Descriptor& out) {
  BERTH_TRY(out.digest_text, optional_string(object, path, "digest"));
  if (out.digest_text.empty()) return invalid_field(path, "digest is missing");
  if (!Digest::is_well_formed(out.digest_text)) return invalid_field(path, "digest is malformed");
  if (auto digest = Digest::parse(out.digest_text); digest.has_value()) out.digest = *digest;
  return {};
}

Result<void> read_size(const Value& object, const FieldPath& path, Role role, Descriptor& out) {
  const Value* size = find_present(object, "size");
  if (size == nullptr) {
    if (role == Role::subject) return {};  // cosign's documented example lacks it (V4)
    return invalid_field(path, "size is missing");
  }
  if (!size->is(Value::Kind::integer) || size->integer() < 0 || size->integer() > kDescriptorSizeBytesMax) {
    return invalid_field(path, "size must be a plain integer from 0 to 2^53");
  }
  out.size = size->integer();
  out.has_size = true;
  return {};
}

bool is_array_of_strings(const Value& value) {
  return value.is(Value::Kind::array) &&
         std::ranges::all_of(value.array(), [](const Value& item) { return item.is(Value::Kind::string); });
}

/// V4 for every descriptor; V8 for the layers it exempts.
Result<void> read_urls(const Value& object, const FieldPath& path, Role role, Descriptor& out) {
  const Value* urls = find_present(object, "urls");
  if (urls == nullptr) return {};
  if (!is_array_of_strings(*urls)) return invalid_field(path, "urls must be an array of strings");
  if (role != Role::layer || !is_nondistributable(out.media_type) || urls->array().empty()) return {};
  if (!std::ranges::all_of(urls->array(), [](const Value& url) { return is_layer_url(url.string()); })) {
    return invalid_field(path, "urls must be http or https, without user or fragment, at most 2048 bytes each");
  }
  out.exempt = true;
  return {};
}

/// Content is never judged (attestations say unknown/unknown); only what a typed reader could not read is refused.
Result<void> read_platform(const Value& object, const FieldPath& path, Descriptor& out) {
  const Value* platform = find_present(object, "platform");
  if (platform == nullptr) return {};
  if (!platform->is(Value::Kind::object)) return invalid_field(path, "platform must be an object");
  if (const std::string* key = find_case_variant(*platform, Shape::platform)) {
    return invalid_field(path, "platform has the key \"" + *key + "\", a known field in other letter case");
  }
  for (const std::string_view key : {"os", "architecture", "variant", "os.version"}) {
    const Value* part = find_present(*platform, key);
    if (part == nullptr) continue;
    if (!part->is(Value::Kind::string))
      return invalid_field(path, "platform." + std::string(key) + " must be a string");
  }
  for (const std::string_view key : {"os.features", "features"}) {
    const Value* list = find_present(*platform, key);
    if (list != nullptr && !is_array_of_strings(*list))
      return invalid_field(path, "platform." + std::string(key) + " must be an array of strings");
  }
  const auto text = [&](std::string_view key) {
    const Value* part = find_present(*platform, key);
    return part == nullptr ? std::string() : part->string();
  };
  const std::string os = text("os");
  const std::string architecture = text("architecture");
  if (os.empty() || architecture.empty()) return {};
  out.platform = os + "/" + architecture;
  if (const std::string variant = text("variant"); !variant.empty()) out.platform += "/" + variant;
  return {};
}

Result<void> check_data(const Value& object, const FieldPath& path, const Descriptor& descriptor) {
  const Value* data = find_present(object, "data");
  if (data == nullptr) return {};
  if (!data->is(Value::Kind::string)) return invalid_field(path, "data must be a string");
  if (const auto checked = check_embedded_data(data->string(), descriptor); !checked.has_value()) {
    return invalid_field(path, checked.error().message);
  }
  return {};
}

}  // namespace

std::string FieldPath::str() const {
  std::string out(name);
  if (index) out += "[" + std::to_string(*index) + "]";
  return out;
}

std::unexpected<Error> invalid_field(const FieldPath& path, std::string_view what) {
  std::string message = path.str();
  if (!message.empty()) message += '.';
  message += what;
  return fail(Errc::manifest_invalid, std::move(message));
}

const Value* find_present(const Value& object, std::string_view key) {
  const Value* value = object.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::string> optional_string(const Value& object, const FieldPath& path, std::string_view key) {
  const Value* value = find_present(object, key);
  if (value == nullptr) return std::string();
  if (!value->is(Value::Kind::string)) return invalid_field(path, std::string(key) + " must be a string");
  return value->string();
}

Result<const Value*> check_annotations(const Value& object, const FieldPath& path) {
  const Value* annotations = find_present(object, "annotations");
  if (annotations == nullptr) return nullptr;
  if (!annotations->is(Value::Kind::object)) return invalid_field(path, "annotations must be an object");
  for (const auto& [key, value] : annotations->object()) {
    if (!value.is(Value::Kind::string)) {
      return invalid_field(path, "annotations: the value of \"" + key.substr(0, 64) + "\" must be a string");
    }
  }
  return annotations;
}

Result<Descriptor> parse_descriptor(const Value& value, const FieldPath& path, Role role) {
  if (!value.is(Value::Kind::object)) return fail(Errc::manifest_invalid, path.str() + " must be an object");
  if (const std::string* key = find_case_variant(value, Shape::descriptor)) {
    return invalid_field(path, *key + " is a known field in other letter case");
  }
  Descriptor out;
  BERTH_TRYV(read_media_type(value, path, out));
  BERTH_TRYV(read_digest(value, path, out));
  BERTH_TRYV(read_size(value, path, role, out));
  BERTH_TRYV(read_urls(value, path, role, out));
  BERTH_TRYV(read_platform(value, path, out));
  BERTH_TRYV(optional_string(value, path, "artifactType"));
  BERTH_TRYV(check_annotations(value, path));
  BERTH_TRYV(check_data(value, path, out));
  return out;
}

}  // namespace berth::oci
