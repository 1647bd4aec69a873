// What parse_manifest reads from documents it accepts. What it refuses: manifest_rules_test.cpp.
#include "oci/manifest.h"

#include "base/json.h"
#include "base/random.h"
#include "oci/manifest_samples_test.h"
#include "oci/media_type.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::oci {
namespace {

using namespace std::string_view_literals;

Manifest parsed(std::string_view text, std::string_view header = "") {
  auto manifest = parse_manifest(expand(text), header);
  EXPECT_TRUE(manifest.has_value()) << text << ": " << manifest.error().message;
  return manifest.has_value() ? *std::move(manifest) : Manifest{};
}

TEST(Manifest, ImageIsRead) {
  const Manifest m = parsed(R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":[$L,$L2,$L],
                                "annotations":{"b":"1","a":"\u00e9\n"}})",
                            media::kOciManifest);
  EXPECT_EQ(m.kind, ManifestKind::image);
  EXPECT_EQ(m.media_type, media::kOciManifest);
  ASSERT_TRUE(m.config.has_value());
  const Descriptor config = m.config.value_or(Descriptor{});
  EXPECT_EQ(config.media_type, "application/vnd.oci.image.config.v1+json");
  EXPECT_EQ(config.digest_text, expand("$A"));
  EXPECT_EQ(config.digest, *Digest::parse(expand("$A")));
  EXPECT_EQ(config.size, 7);
  EXPECT_TRUE(config.has_size);
  ASSERT_EQ(m.layers.size(), 3U) << "order and repeats are kept";
  EXPECT_EQ(m.layers[0].digest_text, expand("$B"));
  EXPECT_EQ(m.layers[1].digest_text, expand("$D"));
  EXPECT_EQ(m.layers[2].digest_text, expand("$B"));
  EXPECT_FALSE(m.layers[0].exempt);
  EXPECT_FALSE(m.layers[0].is_manifest);
  EXPECT_TRUE(m.children.empty());
  EXPECT_EQ(m.subject, "");
  EXPECT_EQ(m.annotations_json, "{\"b\":\"1\",\"a\":\"\xC3\xA9\\u000a\"}");
  EXPECT_EQ(m.artifact_type, "application/vnd.oci.image.config.v1+json") << "an image's config type (R2)";
  EXPECT_TRUE(m.warnings.empty());
}

TEST(Manifest, IndexIsRead) {
  const Manifest m = parsed(R"({"schemaVersion":2,"mediaType":"$IX","manifests":[
      {"mediaType":"$IM","digest":"$A","size":1,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}},
      {"mediaType":"$IX","digest":"$B","size":2,"platform":{"os":"unknown","architecture":"unknown"}},
      {"mediaType":"$DM","digest":"$D","size":3,"platform":{"os":"windows","architecture":"amd64",
          "os.version":"10.0.17763.1","os.features":["win32k"],"features":null,"variant":null}},
      {"mediaType":"application/vnd.buildkit.cacheconfig.v0","digest":"$A","size":4,"platform":{}}]})",
                            media::kOciIndex);
  EXPECT_EQ(m.kind, ManifestKind::index);
  EXPECT_FALSE(m.config.has_value());
  EXPECT_TRUE(m.layers.empty());
  ASSERT_EQ(m.children.size(), 4U);
  EXPECT_EQ(m.children[0].platform, "linux/arm64/v8");
  EXPECT_EQ(m.children[1].platform, "unknown/unknown") << "attestations are not judged";
  EXPECT_EQ(m.children[2].platform, "windows/amd64");
  EXPECT_EQ(m.children[3].platform, "");
  EXPECT_TRUE(m.children[0].is_manifest) << "V9";
  EXPECT_TRUE(m.children[1].is_manifest) << "V9: nested index";
  EXPECT_TRUE(m.children[2].is_manifest) << "V9: docker's";
  EXPECT_FALSE(m.children[3].is_manifest) << "V9: BuildKit's cache refers to blobs";
  EXPECT_EQ(m.artifact_type, "") << "nothing to derive it from (R2)";
}

TEST(Manifest, TypeComesFromTheBytes) {  // V1
  const std::string_view image = R"({"schemaVersion":2,"config":$C,"layers":[]})";
  const std::string_view index = R"({"schemaVersion":2,"manifests":[]})";
  EXPECT_EQ(parsed(image).media_type, media::kOciManifest) << "inferred";
  EXPECT_EQ(parsed(index).media_type, media::kOciIndex) << "inferred";
  EXPECT_EQ(parsed(image, media::kOciManifest).media_type, media::kOciManifest) << "inferred, header agrees";
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"mediaType":null,"manifests":[]})").media_type, media::kOciIndex)
      << "null is absent";
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"mediaType":"$DM","config":$C})").media_type, media::kDockerManifest)
      << "without header the body's";
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"mediaType":"$DL","manifests":[]})", media::kDockerList).kind,
            ManifestKind::index);
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"mediaType":"$DM","config":$C})",
                   std::string(media::kDockerManifest) + "; charset=utf-8")
                .media_type,
            media::kDockerManifest)
      << "parameters of the header do not count";
}

TEST(Manifest, ArtifactTypeIsDerived) {  // R2
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"config":$C,"artifactType":"a/own"})").artifact_type, "a/own");
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"config":$C,"artifactType":null})").artifact_type,
            "application/vnd.oci.image.config.v1+json");
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"config":$C,"artifactType":""})").artifact_type,
            "application/vnd.oci.image.config.v1+json");
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"manifests":[$M],"artifactType":"a/own"})").artifact_type, "a/own");
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"manifests":[$M]})").artifact_type, "");
}

TEST(Manifest, EmptyConfigWithoutArtifactTypeWarns) {  // V6
  const Manifest without = parsed(R"({"schemaVersion":2,"config":$E,"layers":[$E]})");
  ASSERT_EQ(without.warnings.size(), 1U);
  EXPECT_NE(without.warnings[0].find("artifactType"), std::string::npos);
  EXPECT_EQ(without.artifact_type, media::kOciEmpty);
  EXPECT_TRUE(parsed(R"({"schemaVersion":2,"config":$E,"layers":[$E],"artifactType":"a/b"})").warnings.empty());
}

TEST(Manifest, SubjectIsIndexedForOciOnly) {  // V13
  constexpr std::string_view kTail = R"(,"subject":{"mediaType":"$IM","digest":"$B","size":9}})";
  const auto with_subject = [&](std::string_view head) { return parsed(std::string(head) + std::string(kTail)); };
  EXPECT_EQ(with_subject(R"({"schemaVersion":2,"config":$C)").subject, expand("$B"));
  EXPECT_EQ(with_subject(R"({"schemaVersion":2,"manifests":[])").subject, expand("$B"));
  const Manifest docker = with_subject(R"({"schemaVersion":2,"mediaType":"$DM","config":$C)");
  EXPECT_EQ(docker.subject, "");
  EXPECT_EQ(docker.warnings.size(), 1U);
  EXPECT_EQ(with_subject(R"({"schemaVersion":2,"mediaType":"$DL","manifests":[])").subject, "");
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"config":$C,"subject":null})").subject, "");
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"config":$C,"subject":{"mediaType":"$IM","digest":"$B"}})").subject,
            expand("$B"))
      << "size may be missing (V4)";
  EXPECT_EQ(
      parsed(R"({"schemaVersion":2,"config":$C,"subject":{"mediaType":"$IM","digest":"sha256+b64u:Zm9v"}})").subject,
      "sha256+b64u:Zm9v")
      << "any algorithm";
  EXPECT_EQ(parsed(R"({"schemaVersion":2,"mediaType":"$DM","config":$C,"subject":7})").subject, "")
      << "what is ignored is not checked";
}

TEST(Manifest, UnsupportedAlgorithmCountsAsMissing) {  // V12, V14
  const Manifest m = parsed(
      R"({"schemaVersion":2,"config":$C,"layers":[
          {"mediaType":"a/b","digest":"blake3:0000000000000000000000000000000000000000000000000000000000000000","size":1},
          {"mediaType":"a/b","digest":"$5","size":1}]})");
  ASSERT_EQ(m.layers.size(), 2U);
  EXPECT_FALSE(m.layers[0].digest.has_value());
  EXPECT_TRUE(m.layers[0].digest_text.starts_with("blake3:"));
  EXPECT_EQ(m.layers[1].digest, *Digest::parse(expand("$5"))) << "algorithms may be mixed";
}

TEST(Manifest, OnlyNondistributableLayersWithUrlsAreExempt) {  // V8

  constexpr struct {
    std::string_view layer;
    bool exempt;
    std::string_view why;
  } kRows[] = {
      {R"({"mediaType":"$ND","digest":"$A","size":1,"urls":["https://example.com/x"]})", true, "with a url"},
      {R"({"mediaType":"$ND+gzip","digest":"$A","size":1,"urls":["http://h"]})", true, "gzip, shortest url"},
      {R"({"mediaType":"$ND+zstd","digest":"$A","size":1,"urls":["HTTPS://h:1/a?b=c@d","http://[::1]/"]})", true,
       "zstd"},
      {R"({"mediaType":"$FL","digest":"$A","size":1,"urls":["https://go.microsoft.com/x"]})", true, "docker's foreign"},
      {R"({"mediaType":"$ND","digest":"$A","size":1,"urls":[]})", false, "no url"},
      {R"({"mediaType":"$ND","digest":"$A","size":1,"urls":null})", false, "null"},
      {R"({"mediaType":"$ND","digest":"$A","size":1})", false, "urls absent"},
      {R"({"mediaType":"a/b","digest":"$A","size":1,"urls":["https://example.com/x"]})", false, "an ordinary layer"},
      {R"({"mediaType":"a/b","digest":"$A","size":1,"urls":["ftp://x"]})", false, "its urls are not judged"},
  };

  for (const auto& row : kRows) {
    const Manifest m = parsed(R"({"schemaVersion":2,"config":$C,"layers":[)" + std::string(row.layer) + "]}");
    ASSERT_EQ(m.layers.size(), 1U) << row.why;
    EXPECT_EQ(m.layers[0].exempt, row.exempt) << row.why;
    const Manifest index = parsed(R"({"schemaVersion":2,"manifests":[)" + std::string(row.layer) + "]}");
    ASSERT_EQ(index.children.size(), 1U) << row.why;
    EXPECT_FALSE(index.children[0].exempt) << "layers only: " << row.why;
  }
}

// What the conformance suite and well-known clients push.
TEST(Manifest, AcceptsWhatClientsPush) {
  for (const Sample& sample : kAcceptedSamples) {
    const auto manifest = parse_manifest(expand(sample.text), "");
    EXPECT_TRUE(manifest.has_value()) << sample.why << ": " << manifest.error().message;
  }
}

TEST(Manifest, AcceptsTheLargeManifest) {  // conformance: 390 annotations of 10 000 bytes
  std::string body = R"({"schemaVersion":2,"config":$C,"layers":[$L],"annotations":{)";
  for (int i = 0; i < 390; ++i) {
    body += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" + std::string(10'000, 'x') + "\"";
  }
  const Manifest m = parsed(body + "}}");
  EXPECT_GT(m.annotations_json.size(), 3'900'000U);
}

TEST(Manifest, AcceptsTenThousandDescriptors) {  // V3; the other side is in manifest_rules_test.cpp
  EXPECT_EQ(parsed(index_of(ManifestLimits{}.descriptors_max)).children.size(), ManifestLimits{}.descriptors_max);
}

TEST(Manifest, AcceptsAsManyDescriptorsAsTheLimitWasRaisedTo) {
  const std::size_t most = kManifestLimitsMax.descriptors_max;
  EXPECT_EQ(parse_manifest(index_of(most), "", kManifestLimitsMax).value().children.size(), most);
}

TEST(Manifest, ReferrerDescriptor) {  // R2
  const Digest digest = *Digest::parse(expand("$D"));
  const Manifest full =
      parsed(R"({"schemaVersion":2,"config":$C,"artifactType":"a/\"b","annotations":{"k":"v","a":"b"}})");
  EXPECT_EQ(referrer_descriptor(full, digest, 123),
            expand(R"({"mediaType":"$IM","digest":"$D","size":123,"artifactType":"a/\"b",)"
                   R"("annotations":{"k":"v","a":"b"}})"));
  const Manifest bare = parsed(R"({"schemaVersion":2,"manifests":[],"annotations":{}})");
  EXPECT_EQ(referrer_descriptor(bare, digest, 0), expand(R"({"mediaType":"$IX","digest":"$D","size":0})"))
      << "an index without artifactType has none; no annotations, no field";
}

// Property: a damaged manifest is refused or read, never worse; and one that is read keeps the promises of the header.
TEST(Manifest, RandomMutationsNeverCrash) {
  SeededRandom random(17);
  constexpr std::string_view kBytes = "{}[]\":,0129nul\\ eEdiMsz\xFF\0"sv;
  int accepted = 0;
  for (const Sample& sample : kAcceptedSamples) {
    const std::string original = expand(sample.text);
    for (int round = 0; round < 400; ++round) {
      std::string body = original;
      for (std::uint64_t edits = 1 + random.u64() % 3; edits > 0 && !body.empty(); --edits) {
        const std::size_t at = random.u64() % body.size();
        switch (random.u64() % 3) {
          case 0: body[at] = kBytes[random.u64() % kBytes.size()]; break;
          case 1: body.erase(at, 1 + random.u64() % 8); break;
          default: body.insert(at, body.substr(random.u64() % body.size(), random.u64() % 30)); break;
        }
      }
      const auto manifest = parse_manifest(body, "");
      if (!manifest.has_value()) {
        ASSERT_EQ(manifest.error().code, Errc::manifest_invalid);
        ASSERT_FALSE(manifest.error().message.empty());
        continue;
      }
      ++accepted;
      ASSERT_EQ(manifest->config.has_value(), manifest->kind == ManifestKind::image) << body;
      ASSERT_TRUE(parse_manifest(body, manifest->media_type).has_value()) << body;
      ASSERT_FALSE(parse_manifest(body, "application/json").has_value()) << body;
      ASSERT_TRUE(json::parse(referrer_descriptor(*manifest, *Digest::parse(expand("$A")), 1)).has_value()) << body;
    }
  }
  EXPECT_GT(accepted, 100) << "mutations must also reach what lies behind the parser";
}

}  // namespace
}  // namespace berth::oci
