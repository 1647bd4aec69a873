#include "blob/open_files.h"

#include "io/streams.h"

#include <gtest/gtest.h>

namespace berth::blob {
namespace {

class Fake final : public io::RandomSource {
 public:
  std::uint64_t size_bytes() const override { return 0; }
  io::Task<Result<void>> read_at(std::uint64_t, std::span<std::byte>) override { co_return Result<void>{}; }
  io::Task<Result<void>> prefetch(std::uint64_t, std::uint64_t) override { co_return Result<void>{}; }
};

TEST(OpenFileCache, TheLeastRecentlyUsedGoesFirst) {
  OpenFileCache cache(3);
  for (const std::uint64_t inc : {1, 2, 3}) cache.put(inc, std::make_shared<Fake>());
  EXPECT_NE(cache.find(1), nullptr);  // 2 is the oldest now
  cache.put(4, std::make_shared<Fake>());
  EXPECT_NE(cache.find(1), nullptr);
  EXPECT_EQ(cache.find(2), nullptr);
  EXPECT_NE(cache.find(3), nullptr);
  EXPECT_NE(cache.find(4), nullptr);
}

TEST(OpenFileCache, TheFirstEntryOfAnIncarnationStays) {
  OpenFileCache cache(3);
  const auto first = std::make_shared<Fake>();
  cache.put(1, first);
  cache.put(1, std::make_shared<Fake>());
  EXPECT_EQ(cache.find(1), first);
}

TEST(OpenFileCache, ADroppedOrEvictedEntryLivesOnWithItsReaders) {
  OpenFileCache cache(1);
  const auto reader = std::make_shared<Fake>();
  const std::weak_ptr<Fake> watch = reader;
  cache.put(1, reader);
  cache.drop(1);
  cache.drop(1);
  EXPECT_EQ(cache.find(1), nullptr);
  EXPECT_EQ(reader.use_count(), 1);
  cache.put(2, std::make_shared<Fake>());
  const auto held = cache.find(2);
  cache.put(3, std::make_shared<Fake>());
  EXPECT_EQ(cache.find(2), nullptr);
  EXPECT_EQ(held.use_count(), 1) << "closed by the last reader, not by the cache";
}

}  // namespace
}  // namespace berth::blob
