#pragma once
// Short words for what the C++ tests of this folder push.

#include "support/test_server_client.h"
#include "support/transcript_values.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::test {

inline constexpr const char* kConfig = "{}";

inline WireResponse push_blob(WireClient& client, const std::string& repo, const std::string& bytes) {
  return client.ask("POST", "/v2/" + repo + "/blobs/uploads/?digest=" + sha256_of(bytes), bytes);
}

inline std::string blob_path(const std::string& repo, const std::string& bytes) {
  return "/v2/" + repo + "/blobs/" + sha256_of(bytes);
}

inline WireResponse push_manifest(WireClient& client, const std::string& repo, const std::string& reference,
                                  const std::string& bytes, Fields fields = {}) {
  return client.ask("PUT", "/v2/" + repo + "/manifests/" + reference, bytes, std::move(fields));
}

/// The Location of a new session.
inline std::string open_session(WireClient& client, const std::string& repo) {
  const WireResponse opened = client.ask("POST", "/v2/" + repo + "/blobs/uploads/");
  EXPECT_EQ(opened.status, 202);
  return opened.field("Location").value_or("");
}

inline std::string descriptor_of(const std::string& type, const std::string& bytes) {
  return R"({"mediaType":")" + type + R"(","digest":")" + sha256_of(bytes) + R"(","size":)" +
         std::to_string(bytes.size()) + "}";
}

/// An image over kConfig alone that differs by its note.
inline std::string image(const std::string& note) {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
         descriptor_of("application/vnd.oci.image.config.v1+json", kConfig) + R"(,"layers":[],"annotations":{"n":")" +
         note + R"("}})";
}

}  // namespace berth::test
