#include "oci/media_type.h"

#include "oci/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::oci {
namespace {

TEST(MediaType, Grammar) {  // V4

  const struct {
    std::string text;
    bool valid;
    std::string_view why;
  } rows[] = {
      {"application/vnd.oci.image.manifest.v1+json", true, "with a suffix"},
      {"text/plain", true, "short"},
      {"a/b", true, "shortest"},
      {"0/1", true, "digits"},
      {"A/B!#$&-^_.+", true, "every other character of RFC 6838"},
      {"text/" + std::string(127, 'x'), true, "longest subtype"},
      {"text/" + std::string(128, 'x'), false, "subtype too long"},
      {std::string(128, 'x') + "/plain", false, "type too long"},
      {"", false, "empty"},
      {"text", false, "no slash"},
      {"text/", false, "no subtype"},
      {"/plain", false, "no type"},
      {"a/b/c", false, "two slashes"},
      {"text/plain; charset=utf-8", false, "parameters"},
      {"text/plain ", false, "blank"},
      {"text/.x", false, "must start with a letter or digit"},
      {"+x/y", false, "must start with a letter or digit"},
      {"text/pl\"ain", false, "quote"},
      {"text/pl\nain", false, "newline"},
      {"text/\xC3\xA9", false, "not ASCII"},
      {"*/*", false, "a range, not a type"},
  };

  for (const auto& row : rows) EXPECT_EQ(is_media_type(row.text), row.valid) << row.text << ": " << row.why;
}

TEST(MediaType, ParametersAreStripped) {  // V1

  constexpr struct {
    std::string_view header;
    std::string_view type;
  } kRows[] = {
      {"a/b", "a/b"},
      {"a/b; charset=x", "a/b"},
      {"a/b;charset=x", "a/b"},
      {"a/b ;", "a/b"},
      {" \ta/b\t ", "a/b"},
      {"a/b;x;y", "a/b"},
      {"", ""},
      {" ", ""},
      {";", ""},
      {"; charset=x", ""},
      {"a b/c", "a b/c"},
  };

  for (const auto& row : kRows) EXPECT_EQ(strip_parameters(row.header), row.type) << row.header;
}

TEST(MediaType, Classes) {
  constexpr struct {
    std::string_view type;
    bool manifest;
    bool index;
    bool nondistributable;
  } kRows[] = {
      {media::kOciManifest, true, false, false},
      {media::kOciIndex, true, true, false},
      {media::kDockerManifest, true, false, false},
      {media::kDockerList, true, true, false},
      {media::kOciArtifactManifest, true, false, false},  // V9: refused itself, but never a blob
      {media::kOrasArtifactManifest, true, false, false},
      {media::kDockerSchema1, true, false, false},
      {media::kDockerSchema1Signed, true, false, false},
      {media::kOciEmpty, false, false, false},
      {media::kNondistributableTar, false, false, true},  // V8: these four and no other
      {media::kNondistributableGzip, false, false, true},
      {media::kNondistributableZstd, false, false, true},
      {media::kDockerForeignLayer, false, false, true},
      {"application/vnd.oci.image.layer.v1.tar+gzip", false, false, false},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+lz4", false, false, false},
      {"application/vnd.buildkit.cacheconfig.v0", false, false, false},
      {"application/json", false, false, false},
      {"", false, false, false},
  };

  for (const auto& row : kRows) {
    EXPECT_EQ(is_manifest_type(row.type), row.manifest) << row.type;
    EXPECT_EQ(is_index_type(row.type), row.index) << row.type;
    EXPECT_EQ(is_nondistributable(row.type), row.nondistributable) << row.type;
  }
}

TEST(MediaType, EmptyDescriptorIsConsistent) {  // V6
  EXPECT_EQ(digest_of(Algorithm::sha256, media::kOciEmptyBody).str(), media::kOciEmptyDigest);
}

}  // namespace
}  // namespace berth::oci
