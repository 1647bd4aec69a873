#pragma once
// Manifests for tests, with `$X` for what would be repeated.

#include <string>
#include <string_view>
#include <utility>

namespace berth::oci {

/// Replaces the abbreviations. Longer names first, so that `$L2` is not taken for `$L`.
inline std::string expand(std::string_view text) {
  static const std::pair<std::string_view, std::string> kAbbreviations[] = {
      {"$L2", R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"$D","size":12})"},
      {"$L", R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"$B","size":11})"},
      {"$C", R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":"$A","size":7})"},
      {"$E", R"({"mediaType":"application/vnd.oci.empty.v1+json","digest":"$Z","size":2})"},
      {"$M", R"({"mediaType":"$IM","digest":"$A","size":500})"},
      {"$IM", "application/vnd.oci.image.manifest.v1+json"},
      {"$IX", "application/vnd.oci.image.index.v1+json"},
      {"$DM", "application/vnd.docker.distribution.manifest.v2+json"},
      {"$DL", "application/vnd.docker.distribution.manifest.list.v2+json"},
      {"$ND", "application/vnd.oci.image.layer.nondistributable.v1.tar"},
      {"$FL", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"},
      {"$Z", "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
      {"$A", "sha256:" + std::string(64, 'a')},
      {"$B", "sha256:" + std::string(64, 'b')},
      {"$D", "sha256:" + std::string(64, 'd')},
      {"$5", "sha512:" + std::string(128, '5')},
  };
  std::string out(text);
  for (const auto& [name, meaning] : kAbbreviations) {
    for (std::size_t at = out.find(name); at != std::string::npos; at = out.find(name, at + meaning.size())) {
      out.replace(at, name.size(), meaning);
    }
  }
  return out;
}

/// An index with `count` children.
inline std::string index_of(std::size_t count) {
  const std::string child = expand("$M");
  std::string out = R"({"schemaVersion":2,"manifests":[)";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    out += child;
  }
  return out + "]}";
}

struct Sample {
  std::string_view text;
  std::string_view why;
};

inline constexpr Sample kAcceptedSamples[] = {
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":[$L,$L2]})", "image"},
    {R"({"schemaVersion":2,"config":$C,"layers":[]})", "conformance no-layers"},
    {R"({"schemaVersion":2,"config":$C,"layers":null})", "a nil slice of Go"},
    {R"({"schemaVersion":2,"config":$C})", "layers missing"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[$M,$M]})", "index"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[]})", "conformance empty-index"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[{"mediaType":"$IX","digest":"$A","size":5}]})",
     "nested index"},
    {R"({"schemaVersion":2,"mediaType":"$IM","artifactType":"application/vnd.example","config":$E,"layers":[$L]})",
     "artifact"},
    {R"({"schemaVersion":2,"mediaType":"$IM","artifactType":"application/vnd.example","config":$E,"layers":[$E]})",
     "conformance artifacts-without-layers"},
    {R"({"schemaVersion":2,"mediaType":"$IX","artifactType":"application/vnd.example","manifests":[$M]})",
     "conformance artifact-index"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":[],"annotations":{"a":"b"},
         "subject":{"mediaType":"$IM","digest":"$A","size":3}})",
     "referrer without artifactType"},
    {R"({"schemaVersion":2,"mediaType":"$IX","artifactType":"a/b","manifests":[$M],
         "subject":{"mediaType":"$IX","digest":"$5","size":3},"annotations":{"org.example":""}})",
     "conformance index-with-subject"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":[],"subject":{"digest":"$A","mediaType":"$IM"}})",
     "subject without size, as cosign documents it"},
    {R"({"schemaVersion":2,"mediaType":"$IM","artifactType":"a/b",
         "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"$Z","size":2,"data":"e30="},
         "layers":[{"mediaType":"application/vnd.oci.empty.v1+json","digest":"$Z","size":2,"data":"e30="}],
         "subject":{"mediaType":"a/b","digest":"$Z","size":2,"data":"e30="}})",
     "conformance data-field"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":[
         {"mediaType":"$ND+gzip","digest":"$A","size":1,"urls":["https://store.example.com/blobs/x"]}]})",
     "conformance non-distributable-layers"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":[],"org.example.field":{"x":[1,2.5,null]},
         "config2":true})",
     "conformance custom-fields"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[],"Custom":"value"})", "custom field in an index"},
    {R"({"schemaVersion":2,"mediaType":"$IM","artifactType":null,"annotations":null,"subject":null,"manifests":null,
         "config":{"mediaType":"a/b","digest":"$A","size":1,"urls":null,"annotations":null,"platform":null,"data":null,
                   "artifactType":null}})",
     "unset fields printed as null by Go"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[],"config":null,"layers":null,"blobs":null})",
     "unset fields printed as null by Go, index"},
    {R"({"schemaVersion":2,"mediaType":"$DM",
         "config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":7,"digest":"$A"},
         "layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":8,"digest":"$B"}]})",
     "docker image"},
    {R"({"schemaVersion":2,"mediaType":"$DL","manifests":[{"mediaType":"$DM","size":7,"digest":"$A",
         "platform":{"architecture":"arm","os":"linux","variant":"v7","features":["sse4"]}}]})",
     "docker manifest list"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[{"mediaType":"$IM","size":7,"digest":"$A",
         "annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"$B"},
         "platform":{"architecture":"unknown","os":"unknown"}}]})",
     "BuildKit attestation"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[
         {"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":7,"digest":"$A"},
         {"mediaType":"application/vnd.buildkit.cacheconfig.v0","size":7,"digest":"$B"}]})",
     "BuildKit cache: blobs in an index (V9)"},
    {R"({"schemaVersion":2,"mediaType":"$IM",
         "config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","size":7,"digest":"$A"},
         "layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","size":7,"digest":"$B"},
                   {"mediaType":"application/vnd.cncf.helm.chart.provenance.v1.prov","size":7,"digest":"$D"}]})",
     "helm chart: no allow-list (V5)"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":[{"mediaType":"x/y","digest":"$5",
         "size":9007199254740992}]})",
     "size 2^53 (V4)"},
    {"\r\n\t {\"schemaVersion\" : 2, \"config\": $C }\n  ", "white space around"},
};

}  // namespace berth::oci
