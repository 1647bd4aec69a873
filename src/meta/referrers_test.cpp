#include "meta/referrers.h"

#include "support/meta_fixture.h"

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
  std::vector<Referrer> list(const std::vector<std::string>& types = {}, std::int64_t cursor = 0,
                             std::size_t bytes_max = SIZE_MAX) {
    return list_referrers(*db_, repo_id("app"), subject_, types, cursor, bytes_max).value();
  }
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
  EXPECT_EQ(list_referrers(*db_, repo_id("app"), digest("never pushed").str(), {}, 0, SIZE_MAX)->size(), 1U);
}

TEST_F(Referrers, DeletedOnesGoAndComeBackWithAPush) {  // R5
  const std::string text = refer("a/a", "1");
  ASSERT_TRUE(trash_manifest(*db_, repo_id("app"), digest(text), stamp()).value());
  EXPECT_THAT(list(), IsEmpty());
  put("app", text);
  EXPECT_THAT(types(list()), ElementsAre("a/a"));
}

TEST_F(Referrers, TheRowBeyondTheBudgetTellsThatThereIsMore) {  // R4
  for (int i = 0; i < 5; ++i) refer("a/a", "note " + std::to_string(i));
  const std::size_t one = list()[0].descriptor.size() + 1;
  EXPECT_EQ(list({}, 0, 3 * one).size(), 4U);
  EXPECT_EQ(list({}, 0, 5 * one).size(), 5U);
  EXPECT_EQ(list({}, 0, 1).size(), 1U);
}

TEST_F(Referrers, EveryRowIsMetOnceGoingOnFromTheLastCursor) {  // R4
  for (int i = 0; i < 7; ++i) refer(i % 2 == 0 ? "a/even" : "a/odd", std::to_string(i));
  for (const std::vector<std::string>& wanted : {std::vector<std::string>{}, {"a/even"}}) {
    std::vector<std::int64_t> seen;
    for (std::int64_t cursor = 0;;) {
      const auto page = list(wanted, cursor, 1);
      if (page.empty()) break;
      cursor = page.front().cursor;
      seen.push_back(cursor);
    }
    EXPECT_EQ(seen.size(), wanted.empty() ? 7U : 4U);
    EXPECT_TRUE(std::ranges::is_sorted(seen, std::less_equal<>())) << "strictly ascending";
  }
}

}  // namespace
}  // namespace berth::meta
