#include "registry/listings.h"

#include "support/registry_world.h"

#include <gmock/gmock.h>

namespace berth::registry {
namespace {

using test::code_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Listings : public ::testing::Test {
 protected:
  Listings() {
    world_.limits.tags_page_default = 4;
    world_.limits.tags_page_max = 5;
    world_.limits.catalog_page_default = 2;
    world_.limits.catalog_page_max = 3;
    world_.start();
    text_ = world_.push_image("app", "a", {"config"});
  }
  Result<NamePage> tags(std::optional<std::int64_t> n, std::string last) {
    return test::run_task(world_.listings->tags(test::RegistryWorld::repo("app"), n, std::move(last)));
  }
  Result<NamePage> catalog(std::optional<std::int64_t> n, std::string last) {
    return test::run_task(world_.listings->catalog(n, std::move(last)));
  }
  Result<ReferrersPage> referrers(std::string cursor, std::vector<std::string> types = {}) {
    return test::run_task(world_.listings->referrers(test::RegistryWorld::repo("app"),
                                                     test::RegistryWorld::digest(text_).str(), std::move(types),
                                                     std::nullopt, std::move(cursor)));
  }
  void tag_more(const std::vector<std::string>& names) {
    for (const auto& name : names) ASSERT_TRUE(world_.push_manifest("app", name, text_).has_value());
  }
  void refer(int count, std::string_view type = "a/a") {
    for (int i = 0; i < count; ++i) {
      world_.push_image("app", "ref", {"config"},
                        {.subject = test::RegistryWorld::digest(text_).str(),
                         .artifact_type = std::string(type),
                         .note = std::string(type) + std::to_string(i)});
    }
  }

  test::RegistryWorld world_;
  std::string text_;
};

// S12: or made-up positions would tell where the names that are not shown stand among those that are.
TEST_F(Listings, BehindAHiddenNameAPageGoesOnOnlyWhereItWasTold) {
  const NameFilter nothing = [](const oci::RepoName&) -> Result<bool> { return false; };
  const auto from = [&](std::string last) {
    return test::run_task(world_.listings->catalog(2, std::move(last), nothing));
  };
  const auto told = world_.store->peek([](sql::Connection& db) { return hidden_position(db, 1); });
  ASSERT_TRUE(told.has_value());
  EXPECT_TRUE(from(*told).has_value());
  const std::string seal = told->substr(told->find('.'));
  for (const std::string& made_up :
       {std::string("~1"), std::string("~1."), "~2" + seal, *told + "A", "~1" + seal + ".", std::string("~")})
    EXPECT_EQ(code_of(from(made_up)), Errc::parameter_invalid) << made_up;
}

constexpr struct {
  std::optional<std::int64_t> n;
  std::string_view last;
  std::string_view names;  // joined
  bool more;
  std::string_view why;
} kPages[] = {
    {std::nullopt, "", "abcd", true, "the default page"},
    {100, "", "abcde", true, "clamped to the maximum, with more"},
    {5, "", "abcde", true, "exactly the maximum"},
    {2, "", "ab", true, "a page"},
    {2, "b", "cd", true, "last is exclusive"},
    {2, "bb", "cd", true, "last need not exist"},
    {2, "e", "fg", false, "the end fits: no more"},
    {1, "f", "g", false, "the last one"},
    {3, "e", "fg", false, "less than a page"},
    {3, "g", "", false, "behind the end"},
    {0, "", "", false, "n=0 is empty and has no next page"},
};

TEST_F(Listings, TagPages) {  // L1, L2, S1
  tag_more({"g", "c", "b", "f", "e", "d"});
  for (const auto& row : kPages) {
    const auto page = tags(row.n, std::string(row.last));
    ASSERT_TRUE(page.has_value()) << row.why;
    std::string joined;
    for (const auto& name : page->names) joined += name;
    EXPECT_EQ(joined, row.names) << row.why;
    EXPECT_EQ(page->more, row.more) << row.why;
  }
}

TEST_F(Listings, ThePageSizeIsWhatWasAskedForClamped) {  // L2
  EXPECT_EQ(tags(std::nullopt, "")->page_size, 4);
  EXPECT_EQ(tags(3, "")->page_size, 3);
  EXPECT_EQ(tags(INT64_MAX, "")->page_size, 5);
}

TEST_F(Listings, AKnownRepositoryWithoutTagsIsEmptyAnUnknownOneIsUnknown) {  // L1
  ASSERT_TRUE(world_.delete_manifest("app", "a").has_value());
  EXPECT_THAT(tags(std::nullopt, "")->names, IsEmpty());
  EXPECT_EQ(code_of(test::run_task(world_.listings->tags(test::RegistryWorld::repo("none"), {}, ""))),
            Errc::name_unknown);
}

TEST_F(Listings, CatalogPages) {  // L3
  for (const char* name : {"z", "b/c", "b-c", "b"}) ASSERT_TRUE(world_.push_blob(name, "x").has_value());
  EXPECT_THAT(catalog(std::nullopt, "")->names, ElementsAre("app", "b"));
  EXPECT_TRUE(catalog(std::nullopt, "")->more);
  EXPECT_THAT(catalog(1000, "")->names, ElementsAre("app", "b", "b-c"));
  EXPECT_THAT(catalog(1000, "b-c")->names, ElementsAre("b/c", "z"));
  EXPECT_FALSE(catalog(1000, "b-c")->more);
  EXPECT_THAT(catalog(0, "")->names, IsEmpty());
  EXPECT_FALSE(catalog(0, "")->more);
}

TEST_F(Listings, ReferrersOfAnythingUnknownAreNone) {  // R1
  EXPECT_THAT(referrers("")->descriptors, IsEmpty());
  const auto page =
      test::run_task(world_.listings->referrers(test::RegistryWorld::repo("none"), "sha256:0", {}, {}, ""));
  ASSERT_TRUE(page.has_value());
  EXPECT_THAT(page->descriptors, IsEmpty());
  EXPECT_FALSE(page->next.has_value());
}

TEST_F(Listings, ReferrerPagesAreFullKeepTheirOrderAndMissNothing) {  // R4
  refer(9);
  const auto all = referrers("")->descriptors;
  ASSERT_EQ(all.size(), 9U);
  for (std::size_t bytes = 1; bytes < 10 * all[0].size(); bytes += 97) {
    world_.limits.referrers_page_bytes_max = bytes;
    std::vector<std::string> seen;
    std::size_t pages = 0;
    for (std::string cursor;;) {
      const auto page = referrers(cursor);
      ASSERT_TRUE(page.has_value());
      std::size_t size = 0;
      for (const auto& descriptor : page->descriptors) {
        size += descriptor.size() + 1;
        seen.push_back(descriptor);
      }
      EXPECT_TRUE(size <= bytes || page->descriptors.size() == 1) << "a page of " << size << ", allowed " << bytes;
      ASSERT_LT(++pages, 20U);
      if (!page->next) break;
      cursor = *page->next;
    }
    EXPECT_EQ(seen, all) << bytes;
  }
}

TEST_F(Listings, AFilterHoldsAcrossPages) {  // R3, R4
  refer(5, "a/a");
  refer(5, "a/b");
  world_.limits.referrers_page_bytes_max = 1;
  std::size_t seen = 0;
  for (std::string cursor;;) {
    const auto page = referrers(cursor, {"a/b"});
    for (const auto& descriptor : page->descriptors) {
      EXPECT_THAT(descriptor, ::testing::HasSubstr("a/b"));
      ++seen;
    }
    if (!page->next) break;
    cursor = *page->next;
  }
  EXPECT_EQ(seen, 5U);
}

constexpr struct {
  std::string_view text;
  std::optional<std::int64_t> position;
  std::string_view why;
} kCursors[] = {
    {"r0", 0, "the beginning"},
    {"r1f", 31, "hex"},
    {"r7fffffffffffffff", INT64_MAX, "the largest"},
    {"r8000000000000000", std::nullopt, "beyond it"},
    {"rffffffffffffffff", std::nullopt, "negative"},
    {"r-1", std::nullopt, "signed"},
    {"r01", std::nullopt, "not as we print it"},
    {"r1F", std::nullopt, "uppercase"},
    {"r", std::nullopt, "no number"},
    {"", std::nullopt, "empty"},
    {"1f", std::nullopt, "no mark"},
    {"r1 ", std::nullopt, "something behind"},
    {"r00000000000000000000001", std::nullopt, "too long"},
};

TEST(Cursor, Grammar) {
  for (const auto& row : kCursors) {
    EXPECT_EQ(parse_cursor(row.text), row.position) << row.text << ": " << row.why;
    if (row.position) EXPECT_EQ(print_cursor(*row.position), row.text);
  }
}

TEST_F(Listings, ACursorWeDidNotMakeIsRefused) {  // R4
  EXPECT_EQ(code_of(referrers("x")), Errc::parameter_invalid);
  EXPECT_EQ(code_of(referrers("r-5")), Errc::parameter_invalid);
  EXPECT_TRUE(referrers("r7fffffffffffffff").has_value());
}

}  // namespace
}  // namespace berth::registry
