#include "content.h"

#include <gtest/gtest.h>

namespace berth::load {
namespace {

TEST(Content, AConfigIsJsonOfItsSize) {
  for (const std::uint64_t size : {Content::kConfigMin, std::uint64_t{3000}, std::uint64_t{65536}}) {
    const std::string text = Content{.seed = 7, .size = size, .is_config = true}.bytes();
    ASSERT_EQ(text.size(), size);
    EXPECT_TRUE(text.starts_with(R"({"architecture":"amd64","os":"linux",)")) << text;
    EXPECT_TRUE(text.ends_with(R"(-"})")) << text;
    EXPECT_EQ(text.find_first_of("\\\n"), std::string::npos) << "nothing in it needs an escape";
  }
}

TEST(Content, SeedsGiveOtherBytes) {
  for (const bool is_config : {false, true}) {
    const Content one{.seed = 1, .size = 3000, .is_config = is_config};
    Content two = one;
    EXPECT_EQ(one.digest(), two.digest());
    two.seed = 2;
    EXPECT_NE(one.digest(), two.digest());
  }
}

TEST(Content, OneBufferServesConfigsAndLayersInAnyOrder) {
  const Content config{.seed = 1, .size = 300, .is_config = true}, longer{.seed = 2, .size = 5000, .is_config = true};
  const Content layer{.seed = 3, .size = Content::kBlock + 10};
  std::string buffer;
  for (const Content& one : {config, longer, layer, config, layer, longer, layer}) {
    std::string whole;
    for (std::uint64_t i = 0; i * Content::kBlock < one.size; ++i) whole += one.block(i, buffer);
    EXPECT_EQ(sha256_digest(whole), one.digest());
    EXPECT_EQ(whole.size(), one.size);
  }
}

}  // namespace
}  // namespace berth::load
