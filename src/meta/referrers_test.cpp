#include "meta/referrers.h"

#include "support/meta_fixture.h"

#include <algorithm>

namespace berth::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Referrers : public test::MetaFixture {
 protected:
  Referrers() { subject_ = digest(image("app", {"config"})).str(); }

  std::string refer(std::string_view artifact_type, std::string_view note) {
    return image("app", {"config"},
                 {.subject = subject_, .artifact_type = std::string(artifact_type), .note = std::string(note)});
  }
  ReferrerPage list_page(const std::vector<std::string>& types, std::int64_t cursor, ReferrerLimits limits) {
    return list_referrers(*db_, repo_id("app"), subject_, types, cursor, limits).value();
  }
  std::vector<Referrer> list(const std::vector<std::string>& types = {}) { return list_page(types, 0, {}).rows; }
  std::vector<std::string> types(const std::vector<Referrer>& rows) {
    std::vector<std::string> out;
    for (const auto& row : rows) out.push_back(row.artifact_type);
    return out;
  }

  std::string subject_;
};

TEST_F(Referrers, AreListedOldestFirstWithReadyDescriptors) {  // R2, R5
  const std::string text = refer("a/sbom", "1");
  refer("a/sig", "2");
  const auto rows = list();
  EXPECT_THAT(types(rows), ElementsAre("a/sbom", "a/sig"));
  EXPECT_THAT(rows[0].descriptor, ::testing::HasSubstr(digest(text).str()));
  EXPECT_THAT(rows[0].descriptor, ::testing::HasSubstr(R"("note":"1")"));
}

TEST_F(Referrers, WithoutATypeOfItsOwnAnImageHasItsConfigs) {  // R2
  refer("", "1");
  EXPECT_THAT(types(list()), ElementsAre("application/vnd.oci.image.config.v1+json"));
}

TEST_F(Referrers, SeveralTypesAreAnyOfThem) {  // R3
  for (const char* type : {"a/a", "a/b", "a/c", "a/b"}) refer(type, std::to_string(++inc_));
  EXPECT_THAT(types(list({"a/b"})), ElementsAre("a/b", "a/b"));
  EXPECT_THAT(types(list({"a/c", "a/a"})), ElementsAre("a/a", "a/c"));
  EXPECT_THAT(types(list({"a/B"})), IsEmpty()) << "exact";
}

TEST_F(Referrers, OtherRepositoriesAndSubjectsStayOut) {  // R5
  refer("a/a", "1");
  image("other", {"config"}, {.subject = subject_, .artifact_type = "a/b"});
  image("app", {"config"}, {.subject = digest("another").str(), .artifact_type = "a/c"});
  EXPECT_THAT(types(list()), ElementsAre("a/a"));
}

TEST_F(Referrers, TheSubjectNeedNotExist) {  // M7
  image("app", {"config"}, {.subject = digest("never pushed").str(), .artifact_type = "a/a"});
  EXPECT_EQ(list_referrers(*db_, repo_id("app"), digest("never pushed").str(), {}, 0, {})->rows.size(), 1U);
}

TEST_F(Referrers, DeletedOnesGoAndComeBackWithAPush) {  // R5
  const std::string text = refer("a/a", "1");
  ASSERT_TRUE(trash_manifest(*db_, repo_id("app"), digest(text), stamp()).value());
  EXPECT_THAT(list(), IsEmpty());
  put("app", text);
  EXPECT_THAT(types(list()), ElementsAre("a/a"));
}

TEST_F(Referrers, APageEndsAtItsBudgetAndTheNextGoesOnThere) {  // R4
  for (int i = 0; i < 5; ++i) refer("a/a", "note " + std::to_string(i));
  const std::size_t one = list()[0].descriptor.size() + 1;
  for (const std::size_t bytes : {std::size_t{1}, one - 1, one, one * 2, one * 3 + 1, one * 5 - 1, one * 5}) {
    std::vector<Referrer> all;
    std::optional<std::int64_t> next = 0;
    while (next) {
      auto page = list_page({}, *next, {.bytes_max = bytes});
      ASSERT_GE(page.rows.size(), 1U) << "at least one a page";
      EXPECT_LE(page.rows.size(), std::max<std::size_t>(1, bytes / one)) << bytes;
      next = page.next;
      std::ranges::move(page.rows, std::back_inserter(all));
    }
    EXPECT_EQ(all.size(), 5U) << bytes;
    EXPECT_TRUE(std::ranges::is_sorted(all, std::less_equal<>(), &Referrer::cursor)) << "each once, in order";
  }
}

TEST_F(Referrers, AFilterThatMatchesLittleLooksAtNoMoreThanItMay) {  // S21, R3
  for (const char* type : {"a/a", "a/a", "a/b", "a/a", "a/b"}) refer(type, std::to_string(++inc_));
  const auto first = list_page({"a/b"}, 0, {.rows_max = 2});
  EXPECT_THAT(first.rows, IsEmpty());
  ASSERT_TRUE(first.next.has_value()) << "there may be more";
  const auto second = list_page({"a/b"}, *first.next, {.rows_max = 2});
  EXPECT_THAT(types(second.rows), ElementsAre("a/b"));
  ASSERT_TRUE(second.next.has_value());
  const auto third = list_page({"a/b"}, *second.next, {.rows_max = 2});
  EXPECT_THAT(types(third.rows), ElementsAre("a/b"));
  EXPECT_EQ(third.next, std::nullopt);
}

}  // namespace
}  // namespace berth::meta
