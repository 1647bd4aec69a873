#pragma once
// Media types the registry knows by name. Every other one is fine as config, layer or artifact type (V5).

#include <string_view>

namespace berth::oci {

namespace media {

// accepted manifests
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

// manifests that are refused by name: what they refer to cannot be followed
inline constexpr std::string_view kOciArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json";
inline constexpr std::string_view kOrasArtifactManifest = "application/vnd.cncf.oras.artifact.manifest.v1+json";
inline constexpr std::string_view kDockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";
inline constexpr std::string_view kDockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";

// the empty descriptor (V6): two bytes, `{}`
inline constexpr std::string_view kOciEmpty = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view kOciEmptyBody = "{}";
inline constexpr std::string_view kOciEmptyDigest =
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

// layers that may live elsewhere (V8)
inline constexpr std::string_view kNondistributableTar = "application/vnd.oci.image.layer.nondistributable.v1.tar";
inline constexpr std::string_view kNondistributableGzip =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
inline constexpr std::string_view kNondistributableZstd =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
inline constexpr std::string_view kDockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

// what everything else is served as
inline constexpr std::string_view kOctetStream = "application/octet-stream";

}  // namespace media

/// `type/subtype` of RFC 6838 (4.2: each part starts with a letter or digit, ≤ 127 characters), without parameters
/// (V4).
bool is_media_type(std::string_view text);

/// "a/b; charset=x" → "a/b": up to the first `;`, surrounding blanks removed. A view into the argument; not validated.
std::string_view strip_parameters(std::string_view header_value);

/// Whether the type names a manifest of any kind, indexes and the refused ones included. An index child of such a type
/// must exist as a manifest, of any other type as a blob (V9).
bool is_manifest_type(std::string_view type);

/// kOciIndex or kDockerList.
bool is_index_type(std::string_view type);

/// The four layer types whose bytes need not be here if they carry `urls` (V8).
bool is_nondistributable(std::string_view type);

}  // namespace berth::oci
