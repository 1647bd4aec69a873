#include "registry/uploads.h"

#include "support/registry_world.h"

#include <gmock/gmock.h>

namespace berth::registry {
namespace {

using test::code_of;
using test::MemorySource;

class Uploads : public ::testing::Test {
 protected:
  Uploads() { world_.start(); }
  static oci::Digest digest(std::string_view text) { return test::RegistryWorld::digest(text); }
  static UploadKey key(const std::string& id, std::string_view name = "app") {
    return {test::RegistryWorld::repo(name), id};
  }
  std::string open() { return world_.start_upload("app").value(); }
  Result<UploadState> append(const std::string& id, Chunk chunk, std::string text) {
    MemorySource body(std::move(text));
    return test::run_task(world_.uploads->append(key(id), chunk, body));
  }
  std::uint64_t offset(const std::string& id) {
    return test::run_task(world_.uploads->status(key(id))).value().offset_bytes;
  }
  bool is_stored(std::string_view text) { return world_.pull_blob("app", digest(text)).value_or("-") == text; }

  test::RegistryWorld world_;
};

TEST_F(Uploads, BytesInOneRequest) {
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  EXPECT_TRUE(is_stored("layer"));
  EXPECT_EQ(test::run_task(world_.blobs->head(test::RegistryWorld::repo("app"), digest("layer"))).value(), 5U);
  EXPECT_EQ(world_.uploads->open_sessions(), 0U);
}

TEST_F(Uploads, BytesInPieces) {  // U4
  const std::string id = open();
  EXPECT_EQ(id.size(), 32U) << "128 random bits (U1)";
  EXPECT_EQ(world_.append("app", id, "0123")->offset_bytes, 4U);
  EXPECT_EQ(world_.append("app", id, "4567", {.piece_bytes = 1})->offset_bytes, 8U);
  ASSERT_TRUE(world_.finish("app", id, digest("0123456789"), "89").has_value());
  EXPECT_TRUE(is_stored("0123456789"));
}

TEST_F(Uploads, ManyMebibytesInConstantPieces) {  // U13
  std::string text(5'000'017, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761U >> 24);
  const std::string id = open();
  ASSERT_TRUE(world_.append("app", id, text.substr(0, 3'333'333), {.piece_bytes = 70'001}).has_value());
  ASSERT_TRUE(world_.finish("app", id, digest(text), text.substr(3'333'333)).has_value());
  EXPECT_TRUE(is_stored(text));
}

TEST_F(Uploads, TheEmptyBlob) {  // U9
  ASSERT_TRUE(world_.finish("app", open(), digest("")).has_value());
  EXPECT_TRUE(is_stored(""));
}

TEST_F(Uploads, ASessionIsBoundToItsRepository) {  // U1
  const std::string id = open();
  EXPECT_EQ(code_of(test::run_task(world_.uploads->status(key(id, "other")))), Errc::upload_unknown);
  EXPECT_EQ(code_of(world_.append("other", id, "x")), Errc::upload_unknown);
  EXPECT_EQ(code_of(test::run_task(world_.uploads->cancel(key(id, "other")))), Errc::upload_unknown);
  EXPECT_EQ(offset(id), 0U);
}

constexpr struct {
  Chunk chunk;
  std::string_view body;
  Errc error;
  std::string_view why;
} kRefusals[] = {
    {{.kind = Chunk::Kind::ranged, .first = 5, .last = 6}, "xx", Errc::upload_range, "ahead"},
    {{.kind = Chunk::Kind::ranged, .first = 0, .last = 3}, "0123", Errc::upload_range, "stored already"},
    {{.kind = Chunk::Kind::ranged, .first = 2, .last = 5}, "2345", Errc::upload_range, "overlapping"},
    {{.kind = Chunk::Kind::ranged, .first = 4, .last = 3}, "", Errc::upload_range, "end before start"},
    {{.kind = Chunk::Kind::malformed}, "45", Errc::upload_range, "unreadable"},
    {{.kind = Chunk::Kind::ranged, .first = 4, .last = 5, .declared_length = 3},
     "456",
     Errc::size_invalid,
     "Content-Range and Content-Length disagree"},
};

TEST_F(Uploads, ARefusedChunkLeavesTheSessionAsItWas) {  // U5
  const std::string id = open();
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  for (const auto& row : kRefusals) {
    MemorySource body{std::string(row.body)};
    const auto refused = test::run_task(world_.uploads->append(key(id), row.chunk, body));
    ASSERT_EQ(code_of(refused), row.error) << row.why;
    if (row.error == Errc::upload_range) EXPECT_EQ(refused.error().number, 4U) << row.why;
    EXPECT_EQ(body.position(), 0U) << "nothing is read: " << row.why;
    EXPECT_EQ(offset(id), 4U) << row.why;
  }
  const Chunk next{.kind = Chunk::Kind::ranged, .first = 4, .last = 5, .declared_length = 2};
  EXPECT_EQ(append(id, next, "45")->offset_bytes, 6U);
  EXPECT_TRUE(world_.finish("app", id, digest("012345")).has_value());
}

TEST_F(Uploads, AClosingRequestWithARangeObeysTheSameRule) {  // U5, U8
  const std::string id = open();
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  MemorySource wrong("45");
  const Chunk ahead{.kind = Chunk::Kind::ranged, .first = 9, .last = 10};
  EXPECT_EQ(code_of(test::run_task(world_.uploads->finish(key(id), digest("012345"), ahead, wrong))),
            Errc::upload_range);
  MemorySource right("45");
  const Chunk next{.kind = Chunk::Kind::ranged, .first = 4, .last = 5};
  EXPECT_TRUE(test::run_task(world_.uploads->finish(key(id), digest("012345"), next, right)).has_value());
}

TEST_F(Uploads, ABodyThatIsNotAsLongAsDeclaredIsRefused) {
  const std::string id = open();
  EXPECT_EQ(code_of(append(id, {.declared_length = 5}, "0123")), Errc::size_invalid);
  EXPECT_EQ(offset(id), 4U) << "what arrived stays (U11)";
  const Chunk next{.kind = Chunk::Kind::ranged, .first = 4, .last = 5};
  EXPECT_EQ(code_of(append(id, next, "456789")), Errc::size_invalid);
  EXPECT_LE(offset(id), 6U) << "nothing beyond the range is kept";
}

TEST_F(Uploads, ABrokenConnectionKeepsWhatArrived) {  // U11
  const std::string id = open();
  const auto broken = world_.append("app", id, "0123", {.piece_bytes = 2, .error_at_end = Errc::disconnected});
  EXPECT_EQ(code_of(broken), Errc::disconnected);
  EXPECT_EQ(offset(id), 4U);
  EXPECT_TRUE(world_.finish("app", id, digest("012345"), "45").has_value());
}

TEST_F(Uploads, ASecondWriterWaitsAndThenMeetsTheNewOffset) {  // U11
  const std::string id = open();
  MemorySource first("0123", {.piece_bytes = 1});
  MemorySource second("0123", {.piece_bytes = 1});
  const Chunk chunk{.kind = Chunk::Kind::ranged, .first = 0, .last = 3};
  std::vector<io::Task<Result<UploadState>>> tasks;
  tasks.push_back(world_.uploads->append(key(id), chunk, first));
  tasks.push_back(world_.uploads->append(key(id), chunk, second));
  const auto results = test::run_tasks(std::move(tasks));
  EXPECT_EQ(results[0]->offset_bytes, 4U);
  EXPECT_EQ(code_of(results[1]), Errc::upload_range);
}

TEST_F(Uploads, AWrongDigestEndsTheSessionAndItsBytes) {  // U8
  const std::string id = open();
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  const auto refused = world_.finish("app", id, digest("other"));
  EXPECT_EQ(code_of(refused), Errc::digest_mismatch);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(digest("0123").str()));
  EXPECT_EQ(code_of(test::run_task(world_.uploads->status(key(id)))), Errc::upload_unknown);
  EXPECT_THAT(world_.fs.files(), ::testing::IsEmpty());
  EXPECT_FALSE(is_stored("other"));
}

TEST_F(Uploads, KnownContentIsReadAndVerifiedInFull) {  // U14, S6
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  MemorySource wrong("wrong");
  EXPECT_EQ(
      code_of(test::run_task(world_.uploads->put_whole(test::RegistryWorld::repo("other"), digest("layer"), 5, wrong))),
      Errc::digest_mismatch);
  EXPECT_EQ(wrong.position(), 5U);
  EXPECT_FALSE(world_.pull_blob("other", digest("layer")).has_value()) << "a digest is no proof of possession";
  ASSERT_TRUE(world_.push_blob("other", "layer").has_value());
  EXPECT_EQ(world_.fs.files().size(), 1U) << "one file for both";
}

TEST_F(Uploads, RepeatingTheClosingRequestGivesTheSameAnswer) {  // U10
  const std::string id = open();
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  ASSERT_TRUE(world_.finish("app", id, digest("0123")).has_value());
  EXPECT_TRUE(world_.finish("app", id, digest("0123")).has_value());
  EXPECT_EQ(code_of(world_.finish("app", id, digest("other"))), Errc::upload_unknown);
  EXPECT_EQ(code_of(world_.append("app", id, "x")), Errc::upload_unknown);
  EXPECT_EQ(code_of(world_.finish("other", id, digest("0123"))), Errc::upload_unknown);
  world_.restart();
  EXPECT_TRUE(world_.finish("app", id, digest("0123")).has_value()) << "in the next process too";
  world_.clock.advance_ms(world_.limits.tombstone_ms + 1);
  EXPECT_EQ(code_of(world_.finish("app", id, digest("0123"))), Errc::upload_unknown);
}

TEST_F(Uploads, TwoClosingRequestsAtOnceBothSucceed) {  // U10
  const std::string id = open();
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  MemorySource nothing("");
  MemorySource nothing_either("");
  std::vector<io::Task<Result<void>>> tasks;
  tasks.push_back(world_.uploads->finish(key(id), digest("0123"), {}, nothing));
  tasks.push_back(world_.uploads->finish(key(id), digest("0123"), {}, nothing_either));
  for (const auto& result : test::run_tasks(std::move(tasks))) EXPECT_TRUE(result.has_value());
}

TEST_F(Uploads, BothAlgorithmsWithOrWithoutAHint) {  // U13
  const auto wide = oci::digest_of(oci::Algorithm::sha512, "0123");
  const auto hinted =
      test::run_task(world_.uploads->start(test::RegistryWorld::repo("app"), oci::Algorithm::sha512)).value().id;
  ASSERT_TRUE(world_.append("app", hinted, "0123").has_value());
  ASSERT_TRUE(world_.finish("app", hinted, wide).has_value());
  const std::string late = open();
  ASSERT_TRUE(world_.append("app", late, "0123").has_value());
  ASSERT_TRUE(world_.finish("app", late, wide).has_value()) << "read once more (U8)";
  const auto other =
      test::run_task(world_.uploads->start(test::RegistryWorld::repo("app"), oci::Algorithm::sha512)).value().id;
  ASSERT_TRUE(world_.append("app", other, "0123").has_value());
  EXPECT_TRUE(world_.finish("app", other, digest("0123")).has_value()) << "the hint does not bind";
  EXPECT_EQ(world_.pull_blob("app", wide).value(), "0123");
}

TEST_F(Uploads, ACancelledSessionIsGoneWithItsBytes) {  // U12
  const std::string id = open();
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  ASSERT_TRUE(test::run_task(world_.uploads->cancel(key(id))).has_value());
  EXPECT_EQ(code_of(test::run_task(world_.uploads->cancel(key(id)))), Errc::upload_unknown);
  EXPECT_EQ(code_of(world_.finish("app", id, digest("0123"))), Errc::upload_unknown);
  EXPECT_THAT(world_.fs.files(), ::testing::IsEmpty());
  world_.restart();
  EXPECT_EQ(code_of(test::run_task(world_.uploads->status(key(id)))), Errc::upload_unknown);
}

TEST_F(Uploads, OpenSessionsAreCappedPerRepositoryAndInAll) {  // U12
  world_.limits.sessions_per_repo_max = 2;
  world_.limits.sessions_max = 3;
  const std::string first = open();
  open();
  EXPECT_EQ(code_of(world_.start_upload("app")), Errc::too_many_requests);
  ASSERT_TRUE(world_.start_upload("other").has_value());
  EXPECT_EQ(code_of(world_.start_upload("third")), Errc::too_many_requests);
  EXPECT_EQ(code_of(world_.push_blob("third", "x")), Errc::too_many_requests);
  ASSERT_TRUE(test::run_task(world_.uploads->cancel(key(first))).has_value());
  EXPECT_TRUE(world_.start_upload("app").has_value());
  EXPECT_EQ(world_.uploads->open_sessions(), 3U);
}

TEST_F(Uploads, OpenSessionsAreCappedPerSubjectWhereThatIsWanted) {
  const auto start = [&](std::string subject) {
    return test::run_task(
        world_.uploads->start(*oci::RepoName::parse("app"), std::nullopt, {.counts_as = std::move(subject)}));
  };
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(start("ann").has_value()) << "as many as one likes by default";
  world_.limits.sessions_per_subject_max = 4;
  const auto fourth = start("ann");
  ASSERT_TRUE(fourth.has_value());
  EXPECT_EQ(code_of(start("ann")), Errc::too_many_requests);
  EXPECT_TRUE(start("bob").has_value());
  EXPECT_TRUE(start("").has_value()) << "nobody's count for nobody";
  ASSERT_TRUE(test::run_task(world_.uploads->cancel(key(fourth->id))).has_value());
  EXPECT_TRUE(start("ann").has_value());
}

TEST_F(Uploads, ANearlyFullDiskRefusesUploadsButNotTheirEnd) {
  const std::string id = open();
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  world_.space.set(SpaceLevel::hard);
  EXPECT_EQ(code_of(world_.start_upload("app")), Errc::no_space);
  EXPECT_EQ(code_of(world_.push_blob("app", "x")), Errc::no_space);
  EXPECT_EQ(code_of(world_.append("app", id, "45")), Errc::no_space);
  EXPECT_EQ(offset(id), 4U);
  EXPECT_TRUE(test::run_task(world_.uploads->cancel(key(id))).has_value());
}

}  // namespace
}  // namespace berth::registry
