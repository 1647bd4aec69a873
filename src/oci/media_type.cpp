#include "oci/media_type.h"

#include <algorithm>

namespace berth::oci {

namespace {

constexpr bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// restricted-name of RFC 6838, 4.2.
bool is_restricted_name(std::string_view text) {
  constexpr std::string_view kOthers = "!#$&-^_.+";
  return !text.empty() && text.size() <= 127 && is_alnum(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || kOthers.contains(c); });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_restricted_name(text.substr(0, slash)) &&
         is_restricted_name(text.substr(slash + 1));
}

std::string_view strip_parameters(std::string_view header_value) {
  return trim(header_value.substr(0, header_value.find(';')));
}

bool is_index_type(std::string_view type) { return type == media::kOciIndex || type == media::kDockerList; }

bool is_manifest_type(std::string_view type) {
  return type == media::kOciManifest || type == media::kDockerManifest || is_index_type(type) ||
         type == media::kOciArtifactManifest || type == media::kOrasArtifactManifest || type == media::kDockerSchema1 ||
         type == media::kDockerSchema1Signed;
}

bool is_nondistributable(std::string_view type) {
  return type == media::kNondistributableTar || type == media::kNondistributableGzip ||
         type == media::kNondistributableZstd || type == media::kDockerForeignLayer;
}

}  // namespace berth::oci
