#include "registry/upload_buffers.h"

#include <gtest/gtest.h>

#include <vector>

namespace berth::registry {
namespace {

TEST(UploadBuffers, AFewGetLargeOnesAndManyShare) {
  UploadBuffers buffers(24 * 1024 * 1024);
  EXPECT_EQ(buffers.share_bytes(), UploadBuffers::kBytesMax);
  std::vector<UploadBuffers::Buffer> held;
  for (int i = 0; i < 2000; ++i) held.emplace_back(buffers, buffers.share_bytes());
  EXPECT_EQ(buffers.share_bytes(), UploadBuffers::kBytesMin);
  EXPECT_LE(buffers.used_bytes(), 24U * 1024 * 1024 + 2000U * UploadBuffers::kBytesMin);
  held.clear();
  EXPECT_EQ(buffers.used_bytes(), 0U);
  EXPECT_EQ(buffers.share_bytes(), UploadBuffers::kBytesMax);
}

TEST(UploadBuffers, WhatIsReplacedIsGivenBack) {
  UploadBuffers buffers;
  UploadBuffers::Buffer buffer(buffers, 1000);
  buffer = UploadBuffers::Buffer(buffers, 2000);
  EXPECT_EQ(buffers.used_bytes(), 2000U);
  EXPECT_EQ(buffer.bytes().size(), 2000U);
}

}  // namespace
}  // namespace berth::registry
