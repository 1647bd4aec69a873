#include "lifecycle/distribution_tree.h"

#include <gtest/gtest.h>

namespace berth::lifecycle {
namespace {

struct LinkRow {
  std::string text;
  const char* says;  // of the error; nullptr: it is a digest
  const char* why;
};

TEST(DistributionLink, HoldsADigestAndNothingElse) {
  const std::string hex(64, 'a');
  const std::vector<LinkRow> rows = {
      {"sha256:" + hex, nullptr, "as it is written"},
      {"sha512:" + hex + hex, nullptr, "of the other algorithm"},
      {"", "empty", "a power cut"},
      {"sha256:" + hex + "\n", "no digest", "the old registry does not read it either"},
      {"sha256:" + hex.substr(1), "no digest", "too short"},
      {"sha256:" + std::string(64, 'A'), "no digest", "upper case"},
      {"md5:" + hex.substr(32), "no digest", "an algorithm Berth has not"},
      {std::string(71, '\0'), "no digest", "zeros after a power cut"},
      {"tarsum.v1+sha256:" + hex, "no digest", "the first format of all"},
  };
  for (const LinkRow& row : rows) {
    SCOPED_TRACE(row.why);
    const auto link = parse_link(row.text);
    ASSERT_EQ(link.has_value(), row.says == nullptr);
    if (link) EXPECT_EQ(link->str(), row.text);
    if (!link) EXPECT_NE(link.error().message.find(row.says), std::string::npos) << link.error().message;
  }
}

}  // namespace
}  // namespace berth::lifecycle
