#include "oci/embedded_data.h"

#include <gtest/gtest.h>

namespace berth::oci {
namespace {

Descriptor descriptor_of(std::string_view bytes) {
  Descriptor out;
  out.digest = digest_of(Algorithm::sha256, bytes);
  out.digest_text = out.digest->str();
  out.size = static_cast<std::int64_t>(bytes.size());
  out.has_size = true;
  return out;
}

TEST(EmbeddedData, MustBeTheContent) {  // V10
  Descriptor descriptor = descriptor_of("{}");
  EXPECT_TRUE(check_embedded_data("e30=", descriptor).has_value());
  EXPECT_FALSE(check_embedded_data("e30", descriptor).has_value()) << "not base64";
  EXPECT_FALSE(check_embedded_data("W10=", descriptor).has_value()) << "two other bytes";
  EXPECT_FALSE(check_embedded_data("", descriptor).has_value()) << "empty, but size is 2";
  EXPECT_TRUE(check_embedded_data("", descriptor_of("")).has_value()) << "empty content";

  descriptor.size = 3;
  EXPECT_FALSE(check_embedded_data("e30=", descriptor).has_value()) << "size differs";
  descriptor.has_size = false;
  EXPECT_TRUE(check_embedded_data("e30=", descriptor).has_value()) << "a subject may lack its size (V4)";
  descriptor.digest = digest_of(Algorithm::sha512, "{}");
  EXPECT_TRUE(check_embedded_data("e30=", descriptor).has_value()) << "sha512 (V14)";
  descriptor.digest.reset();
  EXPECT_FALSE(check_embedded_data("e30=", descriptor).has_value()) << "an algorithm that cannot be checked";
}

}  // namespace
}  // namespace berth::oci
