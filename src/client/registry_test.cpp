#include "client/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::client {
namespace {

// S15: whoever can answer for a registry must not be able to have its users' passwords sent to him.
TEST(Realm, APasswordGoesToTheRegistryAndItsOwnersServicesOnly) {
  const RegistryAddress hub{"https://registry-1.docker.io", "https://index.docker.io/v1/"};
  const RegistryAddress company{"https://registry.example.com", "registry.example.com"};
  const RegistryAddress top{"https://example.com:8443", "example.com:8443"};
  const RegistryAddress local{"http://localhost:5000", "localhost:5000"};
  const RegistryAddress address{"https://192.0.2.7:5000", "192.0.2.7:5000"};
  const struct {
    RegistryAddress registry;
    std::string_view realm;
    std::string_view also;
    bool may;
    std::string_view why;
  } rows[] = {
      {company, "https://registry.example.com/token", "", true, "itself"},
      {company, "https://registry.example.com:8443/token", "", true, "on another port"},
      {company, "https://gitlab.example.com/jwt/auth", "", true, "a sibling, as with GitLab"},
      {company, "https://example.com/jwt/auth", "", true, "the parent"},
      {top, "https://auth.example.com/token", "", true, "a child"},
      {company, "http://registry.example.com/token", "", false, "unencrypted"},
      {company, "https://evil.example.org/token", "", false, "somebody else"},
      {company, "https://registry.example.com.evil.org/token", "", false, "who begins alike"},
      {company, "https://registry.example.com@evil.org/token", "", false, "which is a user's name"},
      {company, "https://evil.org\\@registry.example.com/token", "", false, "read in two ways"},
      {company, "https://evil.org/token", "evil.org", true, "whom the person named"},
      {company, "http://evil.org/token", "evil.org", false, "but not unencrypted"},
      {company, "https://other.org/token", "evil.org", false, "and nobody else"},
      {{"https://a.com", "a.com"}, "https://b.com/token", "", false, "a top-level domain is nobody's"},
      {hub, "https://auth.docker.io/token", "", true, "Docker Hub's own"},
      {hub, "https://evil.docker.io/token", "", false, "and no other"},
      {local, "http://localhost:5000/token", "", true, "this machine"},
      {local, "http://localhost:50001/token", "", false, "another server on it"},
      {local, "http://192.0.2.1/token", "", false, "somebody else's"},
      {local, "https://evil.example.org/token", "", false, "asked for by whoever is in between"},
      {address, "https://192.0.2.8:5000/token", "", false, "addresses have no owner in common"},
      {company, "", "", false, "nothing"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(may_send_to(row.registry, row.realm, row.also), row.may) << row.realm << ": " << row.why;
}

TEST(RegistryName, IsAHostAndNothingElse) {
  for (const char* good : {"localhost:5000", "reg.example.com", "https://reg.example.com", "http://[::1]:5000/v2/"})
    EXPECT_TRUE(check_registry_name(good)) << good;
  for (const char* bad : {"", "ftp://x", "http://", "https:///x", "http://x y", "x\ny", "x\x1b[31m", "\"",
                          "http://ann:s3cret@localhost:5000"}) {
    const auto checked = check_registry_name(bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().message.find("s3cret"), std::string::npos);
  }
}

}  // namespace
}  // namespace berth::client
