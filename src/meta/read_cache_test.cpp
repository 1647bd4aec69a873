#include "meta/read_cache.h"

#include <gtest/gtest.h>

namespace berth::meta {
namespace {

constexpr Epochs::Stripe kStripe = 3;

struct ReadCacheTest : ::testing::Test {
  Epochs epochs;
  ReadCache<std::string> cache{epochs, 1024 * 1024};

  void put(std::string_view item, std::string value, std::size_t bytes = 10) {
    cache.put("app", item, *epochs.stamp(kStripe), std::make_shared<const std::string>(std::move(value)), bytes);
  }
  std::string get(std::string_view item, std::string_view repo = "app") {
    const auto found = cache.find(repo, item);
    return found ? *found : "";
  }
};

TEST_F(ReadCacheTest, WhatWasPutIsFoundUnderItsRepositoryOnly) {  // S5
  put("v1", "one");
  EXPECT_EQ(get("v1"), "one");
  EXPECT_EQ(get("v2"), "");
  EXPECT_EQ(get("v1", "other"), "");
  EXPECT_EQ(cache.hits(), 1U);
  EXPECT_EQ(cache.misses(), 2U);
}

TEST_F(ReadCacheTest, TheBoundaryBetweenRepositoryAndItemCounts) {
  cache.put("a", "bc", *epochs.stamp(kStripe), std::make_shared<const std::string>("x"), 1);
  EXPECT_EQ(cache.find("ab", "c"), nullptr);
}

TEST_F(ReadCacheTest, AnEntryEndsWithItsStamp) {
  put("v1", "one");
  {
    const Epochs::Change change(epochs, {kStripe}, false);
  }
  EXPECT_EQ(get("v1"), "");
  EXPECT_EQ(cache.bytes(), 0U) << "and gives back its room";
  put("v1", "two");
  EXPECT_EQ(get("v1"), "two");
}

TEST_F(ReadCacheTest, ThePutOfAKeyReplacesWhatWasThere) {
  put("v1", "one");
  const std::size_t once = cache.bytes();
  put("v1", "two");
  EXPECT_EQ(get("v1"), "two");
  EXPECT_EQ(cache.bytes(), once);
}

TEST_F(ReadCacheTest, StaysWithinItsBytesAndForgetsWhatWasNotAskedForLongest) {
  constexpr std::size_t kEach = 1000;
  put("kept", "yes", kEach);
  for (int i = 0; i < 5'000; ++i) {
    put("item" + std::to_string(i), "x", kEach);
    EXPECT_EQ(get("kept"), "yes") << "asked for all the time";
    ASSERT_LE(cache.bytes(), 1024U * 1024);
  }
  EXPECT_EQ(get("item0"), "");
  EXPECT_EQ(get("item4999"), "x");
}

TEST_F(ReadCacheTest, KeepsNothingThatIsLargerThanItsShare) {
  put("large", "x", 512 * 1024);
  EXPECT_EQ(get("large"), "");
  ReadCache<std::string> none(epochs, 0);
  none.put("app", "v1", *epochs.stamp(kStripe), std::make_shared<const std::string>("x"), 1);
  EXPECT_EQ(none.find("app", "v1"), nullptr);
}

TEST_F(ReadCacheTest, WhoHoldsAValueKeepsIt) {
  put("v1", "one");
  const auto held = cache.find("app", "v1");
  put("v1", "two");
  EXPECT_EQ(*held, "one");
}

TEST_F(ReadCacheTest, NoTagIsTakenForADigest) {
  const auto digest = oci::digest_of(oci::Algorithm::sha256, "x");
  EXPECT_LT(cache_item(digest)[0], ' ');
  EXPECT_EQ(cache_item(oci::Reference(digest)), cache_item(digest));
  EXPECT_EQ(cache_item(oci::Reference(*oci::Tag::parse("v1"))), "v1");
}

}  // namespace
}  // namespace berth::meta
