#pragma once
// Manifests for tests: real JSON from the digests of what they refer to.

#include "oci/digest.h"
#include "oci/media_type.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {

/// Bytes that something refers to.
struct Piece {
  oci::Digest digest;
  std::uint64_t size = 0;
};

/// The piece that is `text`.
inline Piece piece_of(std::string_view text, oci::Algorithm algorithm = oci::Algorithm::sha256) {
  return {oci::digest_of(algorithm, text), text.size()};
}

struct ManifestExtras {
  std::string subject;        // digest text
  std::string artifact_type;  // media type
  std::string note;           // an annotation, so that two manifests of the same parts differ
};

namespace detail {

inline std::string descriptor(std::string_view type, const Piece& piece) {
  return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + piece.digest.str() + R"(","size":)" +
         std::to_string(piece.size) + "}";
}

inline std::string descriptors(std::string_view type, const std::vector<Piece>& pieces, std::size_t from) {
  std::string out = "[";
  for (std::size_t i = from; i < pieces.size(); ++i) {
    if (i > from) out += ',';
    out += descriptor(type, pieces[i]);
  }
  return out + "]";
}

inline std::string extras(const ManifestExtras& extras) {
  std::string out;
  if (!extras.artifact_type.empty()) out += R"(,"artifactType":")" + extras.artifact_type + "\"";
  if (!extras.subject.empty()) {
    out += R"(,"subject":{"mediaType":")" + std::string(oci::media::kOciManifest) + R"(","digest":")" + extras.subject +
           R"(","size":1})";
  }
  if (!extras.note.empty()) out += R"(,"annotations":{"note":")" + extras.note + "\"}";
  return out;
}

}  // namespace detail

/// An image whose config is the first piece and whose layers are the others.
inline std::string image_text(const std::vector<Piece>& pieces, const ManifestExtras& extras = {}) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(oci::media::kOciManifest) + R"(","config":)" +
         detail::descriptor("application/vnd.oci.image.config.v1+json", pieces.at(0)) + R"(,"layers":)" +
         detail::descriptors("application/vnd.oci.image.layer.v1.tar+gzip", pieces, 1) + detail::extras(extras) + "}";
}

inline std::string index_text(const std::vector<Piece>& children, const ManifestExtras& extras = {}) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(oci::media::kOciIndex) + R"(","manifests":)" +
         detail::descriptors(oci::media::kOciManifest, children, 0) + detail::extras(extras) + "}";
}

}  // namespace berth::test
