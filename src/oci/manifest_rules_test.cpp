// What parse_manifest refuses, one row per way to break a rule. What it reads: manifest_test.cpp.
#include "oci/manifest.h"
#include "oci/manifest_samples_test.h"
#include "oci/media_type.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::oci {
namespace {

struct Row {
  std::string_view text;
  std::string_view message;  // must contain this: the field's name
  std::string_view why;
  std::string_view header = "";
};

void expect_refused(const Row& row) {
  const auto manifest = parse_manifest(expand(row.text), expand(row.header));
  ASSERT_FALSE(manifest.has_value()) << row.why << ": " << row.text;
  EXPECT_EQ(manifest.error().code, Errc::manifest_invalid) << row.why;
  const std::string message = expand(row.message);
  EXPECT_NE(manifest.error().message.find(message), std::string::npos)
      << row.why << ": expected \"" << message << "\" in \"" << manifest.error().message << "\"";
}

constexpr Row kTypes[] = {
    // V1 and the table before it
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C})", "Content-Type says $IX", "header of the other kind",
     "$IX"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C})", "Content-Type says $DM", "docker over OCI bytes", "$DM"},
    {R"({"schemaVersion":2,"mediaType":"$DM","config":$C})", "Content-Type says $IM", "OCI over docker bytes", "$IM"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C})", "Content-Type says application/json", "vague header",
     "application/json"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C})", "Content-Type says", "header in other letter case",
     "application/vnd.OCI.image.manifest.v1+json"},
    {R"({"schemaVersion":2,"config":$C})", "Content-Type says $DM", "docker types are never inferred", "$DM"},
    {R"({"schemaVersion":2,"manifests":[]})", "Content-Type says $DL", "docker types are never inferred", "$DL"},
    {R"({"schemaVersion":2,"manifests":[]})", "Content-Type says $IM", "header against inferred type", "$IM"},
    {R"({"schemaVersion":2})", "mediaType is missing", "nothing to infer from"},
    {R"({"schemaVersion":2,"layers":[]})", "mediaType is missing", "the header never decides", "$IM"},
    {R"({"schemaVersion":2,"config":null,"manifests":null})", "mediaType is missing", "null tells nothing"},
    {R"({"schemaVersion":2,"mediaType":7,"config":$C})", "mediaType must be a string", "number as type"},
    {R"({"schemaVersion":2,"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[]})",
     "application/vnd.oci.artifact.manifest.v1+json is not accepted", "withdrawn artifact manifest"},
    {R"({"schemaVersion":2,"mediaType":"application/vnd.cncf.oras.artifact.manifest.v1+json","blobs":[]})",
     "application/vnd.cncf.oras.artifact.manifest.v1+json is not accepted", "ORAS artifact manifest"},
    {R"({"blobs":[]})", "application/vnd.cncf.oras.artifact.manifest.v1+json is not accepted",
     "ORAS artifact manifest by header", "application/vnd.cncf.oras.artifact.manifest.v1+json"},
    {R"({"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+json","fsLayers":[]})",
     "application/vnd.docker.distribution.manifest.v1+json is not accepted", "docker schema 1"},
    {R"({"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[],"signatures":[]})",
     "application/vnd.docker.distribution.manifest.v1+json is not accepted", "docker schema 1 without mediaType",
     "application/vnd.docker.distribution.manifest.v1+prettyjws"},
    {R"({"schemaVersion":2,"mediaType":"application/vnd.example+json","config":$C})",
     "application/vnd.example+json is not accepted", "unknown type"},
    {R"({"a":1})", "application/vnd.example+json is not accepted", "unknown type by header",
     "application/vnd.example+json; v=1"},
    {R"({"mediaType":"$IM","config":$C})", "schemaVersion must be 2", "schemaVersion missing"},
    {R"({"schemaVersion":1,"mediaType":"$IM","config":$C})", "schemaVersion must be 2", "schemaVersion 1"},
    {R"({"schemaVersion":3,"mediaType":"$IM","config":$C})", "schemaVersion must be 2", "schemaVersion 3"},
    {R"({"schemaVersion":"2","mediaType":"$IM","config":$C})", "schemaVersion must be 2", "a string"},
    {R"({"schemaVersion":2.0,"mediaType":"$IM","config":$C})", "schemaVersion must be 2", "a fraction (V3)"},
    {R"({"schemaVersion":2e0,"mediaType":"$IM","config":$C})", "schemaVersion must be 2", "an exponent (V3)"},
    {R"({"schemaVersion":2,"mediaType":"$IM","layers":[]})", "config is missing", "image without config"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":null})", "config is missing", "image with null config"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":[]})", "config must be an object", "config is an array"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":{}})", "layers must be an array", "layers: object"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"layers":[null]})", "layers[0] must be an object",
     "null layer"},
    {R"({"schemaVersion":2,"mediaType":"$IX"})", "manifests is missing", "index without manifests"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":null})", "manifests is missing", "null manifests"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":{}})", "manifests must be an array", "manifests: object"},
    {R"([{"schemaVersion":2,"config":$C}])", "must be a JSON object", "array at the top (V3)"},
    {R"(null)", "must be a JSON object", "null at the top (V3)"},
};

TEST(ManifestRules, Types) {
  for (const Row& row : kTypes) expect_refused(row);
}

constexpr Row kConfusing[] = {
    // V2
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[],"config":$C})", "config must not be", "config in an index"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[],"config":{}})", "config must not be", "even an empty one"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[],"layers":[]})", "layers must not be", "layers in an index"},
    {R"({"schemaVersion":2,"mediaType":"$IX","manifests":[],"blobs":[]})", "blobs must not be", "blobs in an index"},
    {R"({"schemaVersion":2,"mediaType":"$DL","manifests":[],"layers":[]})", "layers must not be", "docker's list"},
    {R"({"schemaVersion":2,"mediaType":"$IM","config":$C,"manifests":[]})", "manifests must not be", "in an image"},
    {R"({"schemaVersion":2,"mediaType":"$DM","config":$C,"manifests":[$M]})", "manifests must not be",
     "docker's image"},
    {R"({"schemaVersion":2,"config":$C,"manifests":[$M]})", "config must not be", "both, type inferred"},
    {R"({"schemaVersion":2,"config":$C,"config":$C})", "duplicate key \"config\"", "duplicate key"},
    {R"({"schemaVersion":2,"config":{"mediaType":"a/b","digest":"$A","size":1,"digest":"$B"}})",
     "duplicate key \"digest\"", "duplicate key below"},
    {R"({"schemaVersion":2,"config":$C,"Manifests":[$M]})", "Manifests is a known field",
     "other case of a known field"},
    {R"({"schemaVersion":2,"config":$C,"mediatype":"$IX"})", "mediatype is a known field", "other case of mediaType"},
    {R"({"SCHEMAVERSION":1,"schemaVersion":2,"config":$C})", "SCHEMAVERSION is a known field", "all capitals"},
    {R"({"schemaVersion":2,"config":$C,"Subject":null})", "Subject is a known field", "even if null"},
    {R"({"schemaVersion":2,"config":$C,"layer\u017f":[$L]})", "is a known field", "long s folds to s in Go"},
    {R"({"schemaVersion":2,"config":$C,"blob\u017F":[]})", "is a known field", "long s folds to s in Go"},
    {R"({"schemaVersion":2,"config":$C,"arti\u0046actType":"a/b"})", "artiFactType is a known",
     "escapes do not hide it"},
    {R"({"schemaVersion":2,"config":{"mediaType":"a/b","digest":"$A","size":1,"Digest":"$B"}})",
     "config.Digest is a known field", "in a descriptor"},
    {R"({"schemaVersion":2,"config":$C,"layers":[$L,{"mediaType":"a/b","digest":"$A","size":1,"URLs":[]}]})",
     "layers[1].URLs is a known field", "in a layer"},
    {R"({"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"$A","size":1,"platform":{"OS":"linux"}}]})",
     "manifests[0].platform has the key \"OS\"", "in a platform"},
    {R"({"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"$A","size":1,"platform":{"o\u017f":"x"}}]})",
     "manifests[0].platform has the key", "in a platform, long s"},
    {R"({"schemaVersion":2,"config":$C,"subject":{"digest":"$A","DATA":""}})", "subject.DATA is a known field",
     "subject"},
};

TEST(ManifestRules, NothingHasTwoReadings) {
  for (const Row& row : kConfusing) expect_refused(row);
}

constexpr Row kDescriptors[] = {
    // V4, each broken descriptor is tried as config, layer and child
    {R"({"digest":"$A","size":1})", "mediaType is missing", "no mediaType"},
    {R"({"mediaType":"","digest":"$A","size":1})", "mediaType is missing", "empty mediaType"},
    {R"({"mediaType":1,"digest":"$A","size":1})", "mediaType must be a string", "mediaType is a number"},
    {R"({"mediaType":"tar","digest":"$A","size":1})", "mediaType is not of the form", "no subtype"},
    {R"({"mediaType":"a/b;c=d","digest":"$A","size":1})", "mediaType is not of the form", "parameters"},
    {R"({"mediaType":"a/b","size":1})", "digest is missing", "no digest"},
    {R"({"mediaType":"a/b","digest":null,"size":1})", "digest is missing", "null digest"},
    {R"({"mediaType":"a/b","digest":7,"size":1})", "digest must be a string", "digest is a number"},
    {R"({"mediaType":"a/b","digest":"sha256:baddigeststring","size":1})", "digest is malformed", "malformed (G3)"},
    {R"({"mediaType":"a/b","digest":"$A ","size":1})", "digest is malformed", "trailing blank (G3)"},
    {R"({"mediaType":"a/b","digest":"latest","size":1})", "digest is malformed", "a tag"},
    {R"({"mediaType":"a/b","digest":"$A"})", "size is missing", "no size"},
    {R"({"mediaType":"a/b","digest":"$A","size":null})", "size is missing", "null size"},
    {R"({"mediaType":"a/b","digest":"$A","size":-1})", "size must be a plain integer", "negative"},
    {R"({"mediaType":"a/b","digest":"$A","size":9007199254740993})", "size must be a plain integer", "2^53 + 1"},
    {R"({"mediaType":"a/b","digest":"$A","size":18446744073709551617})", "size must be a plain integer", "2^64 + 1"},
    {R"({"mediaType":"a/b","digest":"$A","size":1.0})", "size must be a plain integer", "fraction (V3)"},
    {R"({"mediaType":"a/b","digest":"$A","size":1e3})", "size must be a plain integer", "exponent (V3)"},
    {R"({"mediaType":"a/b","digest":"$A","size":"1"})", "size must be a plain integer", "string"},
    {R"({"mediaType":"a/b","digest":"$A","size":true})", "size must be a plain integer", "boolean"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"urls":"http://x"})", "urls must be an array", "urls is a string"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"urls":["http://x",null]})", "urls must be an array", "null url"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"annotations":[]})", "annotations must be an object", "array"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"annotations":{"k":1}})", "annotations: the value of \"k\"",
     "number as value"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"annotations":{"k":null}})", "annotations: the value of \"k\"",
     "null as value"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"artifactType":{}})", "artifactType must be a string", "object"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"platform":"linux"})", "platform must be an object", "string"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"platform":{"os":1}})", "platform.os must be", "os is a number"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"platform":{"architecture":[]}})", "platform.architecture must be",
     "array"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"platform":{"variant":{}}})", "platform.variant must be", "object"},
    {R"({"mediaType":"a/b","digest":"$A","size":1,"platform":{"os.version":1}})", "platform.os.version must be",
     "number"},
    {R"({"mediaType":"a/b","digest":"$Z","size":2,"data":7})", "data must be a string", "data is a number (V10)"},
    {R"({"mediaType":"a/b","digest":"$Z","size":2,"data":"e30"})", "data is not base64", "padding missing (V10)"},
    {R"({"mediaType":"a/b","digest":"$Z","size":3,"data":"e30="})", "data has 2 bytes", "size differs (V10)"},
    {R"({"mediaType":"a/b","digest":"$A","size":2,"data":"e30="})", "data does not hash", "digest differs (V10)"},
    {R"({"mediaType":"a/b","digest":"a:b","size":2,"data":"e30="})", "data cannot be checked", "unverifiable (V10)"},
    {R"("$A")", " must be an object", "a string instead of a descriptor"},
    {R"([])", " must be an object", "an array instead of a descriptor"},
};

TEST(ManifestRules, Descriptors) {
  for (const Row& row : kDescriptors) {
    const std::string text(row.text);
    const std::string dot = row.message.starts_with(' ') ? "" : ".";
    const auto message = [&](std::string_view field) { return std::string(field) + dot + std::string(row.message); };
    expect_refused({R"({"schemaVersion":2,"config":)" + text + "}", message("config"), row.why});
    expect_refused({R"({"schemaVersion":2,"config":$C,"layers":[$L,)" + text + "]}", message("layers[1]"), row.why});
    expect_refused({R"({"schemaVersion":2,"manifests":[)" + text + "]}", message("manifests[0]"), row.why});
  }
}

constexpr Row kSubjects[] = {
    // V4, V13
    {R"("$A")", "subject must be an object", "a string"},
    {R"({})", "subject.mediaType is missing", "nothing"},
    {R"({"digest":"$A","size":1})", "subject.mediaType is missing", "only size may be missing"},
    {R"({"mediaType":"a/b"})", "subject.digest is missing", "no digest"},
    {R"({"mediaType":"a/b","digest":"sha256:x"})", "subject.digest is malformed", "malformed"},
    {R"({"mediaType":"a/b","digest":"$A","size":-1})", "subject.size must be", "negative size"},
    {R"({"mediaType":"a/b","digest":"$A","size":"1"})", "subject.size must be", "size is a string"},
    {R"({"digest":"$A","mediaType":"x"})", "subject.mediaType is not", "a bad mediaType is not tolerated"},
    {R"({"mediaType":"a/b","digest":"$A","data":"e30="})", "subject.data does not hash", "data (V10)"},
};

TEST(ManifestRules, Subjects) {
  for (const Row& row : kSubjects) {
    expect_refused(
        {R"({"schemaVersion":2,"config":$C,"subject":)" + std::string(row.text) + "}", row.message, row.why});
    expect_refused(
        {R"({"schemaVersion":2,"manifests":[],"subject":)" + std::string(row.text) + "}", row.message, row.why});
  }
}

constexpr Row kTopLevel[] = {
    {R"({"schemaVersion":2,"config":$C,"annotations":"x"})", "annotations must be an object", "annotations (V4)"},
    {R"({"schemaVersion":2,"config":$C,"annotations":{"k":{}}})", "the value of \"k\"", "annotation value (V4)"},
    {R"({"schemaVersion":2,"config":$C,"artifactType":1})", "artifactType must be a string", "artifactType"},
};

TEST(ManifestRules, TopLevelFields) {
  for (const Row& row : kTopLevel) expect_refused(row);
}

TEST(ManifestRules, UrlsOfExemptLayers) {  // V8
  const std::string longest = "http://h/" + std::string(2048 - 9, 'x');
  const std::string bad[] = {"",
                             "ftp://h/x",
                             "file:///etc/passwd",
                             "//h/x",
                             "/x",
                             "http:",
                             "http://",
                             "https:///x",
                             "http://?q",
                             "http://:80/",
                             "http:/h",
                             "http://u@h/",
                             "http://u:p@h/",
                             "http://h/#f",
                             "http://h#",
                             "http://h/ x",
                             "http://h\\\\.e/",
                             "http://h/\x7f",
                             "http://h/\\u0000",
                             "http://h/\\n",
                             "http://\xC3\xA9/",
                             longest + "x"};
  const auto with_url = [](const std::string& url) {
    return R"({"schemaVersion":2,"config":$C,"layers":[{"mediaType":"$ND","digest":"$A","size":1,
               "urls":["https://good.example/x",")" +
           url + "\"]}]}";
  };
  for (const std::string& url : bad) expect_refused({with_url(url), "layers[0].urls must be http or https", url});
  EXPECT_TRUE(parse_manifest(expand(with_url(longest)), "").has_value()) << "2048 bytes are allowed";
}

TEST(ManifestRules, JsonLimits) {  // V3
  expect_refused({"", "invalid JSON", "empty body"});
  expect_refused({"\xEF\xBB\xBF{}", "byte order mark", "BOM"});
  expect_refused({R"({"schemaVersion":2,"config":$C} x)", "invalid JSON", "text after the object"});
  const auto nested = [](std::size_t depth) {
    return R"({"schemaVersion":2,"config":$C,"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(parse_manifest(expand(nested(63)), "").has_value());
  expect_refused({nested(64), "nested deeper than 64", "depth"});
}

TEST(ManifestRules, DescriptorCount) {  // V3
  expect_refused(
      {index_of(ManifestLimits{}.descriptors_max + 1), "more than 10000 descriptors", "too many descriptors"});
  std::string mixed = index_of(ManifestLimits{}.descriptors_max);
  mixed.insert(mixed.size() - 1, R"(,"subject":{"digest":"$A"})");
  expect_refused({mixed, "more than 10000 descriptors", "the subject counts"});
}

TEST(ManifestRules, ValueCount) {
  std::string many = R"({"schemaVersion":2,"config":$C,"x":[0)";
  for (int i = 0; i < 500'000; ++i) many += ",0";
  expect_refused({many + "]}", "more than 500000 values", "bounds the memory of the tree"});
}

TEST(ManifestRules, MessagesStayShort) {
  const std::string long_type(100'000, 'x');
  const auto manifest = parse_manifest(R"({"schemaVersion":2,"mediaType":")" + long_type + "\"}", long_type);
  ASSERT_FALSE(manifest.has_value());
  EXPECT_LT(manifest.error().message.size(), 1000U);
}

}  // namespace
}  // namespace berth::oci
