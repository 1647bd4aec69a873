#include "meta/blobs.h"

#include "meta/gc_queue.h"
#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Blobs : public test::MetaFixture {
 protected:
  std::optional<Link> link(std::string_view name, std::string_view text) {
    return find_link(*db_, repo(name), digest(text)).value();
  }
  std::vector<std::string> doomed() {
    std::vector<std::string> out;
    for (const auto& d : list_doomed(*db_, 100).value()) out.push_back(d.digest.str() + " " + std::to_string(d.inc));
    return out;
  }
  void spoil(std::string_view text) {
    const Link l = *link("app", text);
    ASSERT_TRUE(mark_blob_bad(*db_, l.blob, l.inc, now_).has_value());
  }
};

TEST_F(Blobs, ACommittedBlobIsSeenInItsRepositoryOnly) {  // S4
  const CommittedBlob done = push("app", "layer");
  EXPECT_EQ(done.inc, 1U);
  EXPECT_FALSE(done.kept_existing);
  const auto found = link("app", "layer");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->size_bytes, 5U);
  EXPECT_EQ(found->inc, 1U);
  push("other", "something else");
  EXPECT_FALSE(link("other", "layer").has_value());
  EXPECT_FALSE(link("nowhere", "layer").has_value());
  EXPECT_FALSE(link("app", "unknown").has_value());
}

TEST_F(Blobs, TheSecondUploadOfKnownBytesKeepsTheFirstFile) {  // U14
  push("app", "layer");
  for (const char* name : {"app", "other"}) {
    const CommittedBlob again = push(name, "layer");
    EXPECT_TRUE(again.kept_existing);
    EXPECT_EQ(again.inc, 1U);
    EXPECT_EQ(link(name, "layer")->inc, 1U);
  }
  EXPECT_EQ(probe_.number("SELECT count(*) FROM blob"), 1);
}

TEST_F(Blobs, BothAlgorithmsOfTheSameBytesAreTwoBlobs) {
  push("app", "layer");
  const auto wide = oci::digest_of(oci::Algorithm::sha512, "layer");
  const auto done = commit_blob(*db_, repo("app"), {wide, 5, 77}, stamp());
  EXPECT_FALSE(done->kept_existing);
  EXPECT_EQ(find_link(*db_, repo("app"), wide)->value().inc, 77U);
}

TEST_F(Blobs, ADeletedLinkHidesTheBlobHereAndNowhereElse) {  // D3
  push("app", "layer");
  push("other", "layer");
  EXPECT_TRUE(trash_link(*db_, repo("app"), digest("layer"), stamp()).value());
  EXPECT_FALSE(link("app", "layer").has_value());
  EXPECT_TRUE(link("other", "layer").has_value());
  EXPECT_FALSE(trash_link(*db_, repo("app"), digest("layer"), stamp()).value()) << "it is gone already";
  EXPECT_FALSE(trash_link(*db_, repo("nowhere"), digest("layer"), stamp()).value());
}

TEST_F(Blobs, AnUploadRevivesALinkInTheTrash) {
  push("app", "layer");
  ASSERT_TRUE(trash_link(*db_, repo("app"), digest("layer"), stamp()).value());
  const CommittedBlob again = push("app", "layer");
  EXPECT_TRUE(again.kept_existing) << "the bytes were never gone";
  EXPECT_TRUE(link("app", "layer").has_value());
}

TEST_F(Blobs, ABlobInUseIsNotDeletedAndTheErrorNamesItsUsers) {  // D2
  const std::string manifest = image("app", {"config", "layer"});
  const auto refused = trash_link(*db_, repo("app"), digest("layer"), stamp());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::referenced);
  EXPECT_THAT(refused.error().items, ElementsAre(digest(manifest).str()));
  ASSERT_TRUE(trash_manifest(*db_, repo_id("app"), digest(manifest), stamp()).value());
  EXPECT_TRUE(trash_link(*db_, repo("app"), digest("layer"), stamp()).value());
}

TEST_F(Blobs, AUserInAnotherRepositoryDoesNotProtectTheBlobHere) {  // D3
  image("other", {"config", "layer"});
  push("app", "layer");
  EXPECT_TRUE(trash_link(*db_, repo("app"), digest("layer"), stamp()).value());
}

TEST_F(Blobs, BytesThatFailedACheckAreUnknownUntilUploadedAgain) {
  push("app", "layer");
  mount("other", "app", "layer");
  spoil("layer");
  EXPECT_FALSE(link("app", "layer").has_value());
  EXPECT_FALSE(mount("third", "app", "layer"));
  EXPECT_FALSE(find_edge_target(*db_, repo_id("app"), digest("layer"))->value().present);

  const CommittedBlob repaired = push("other", "layer");
  EXPECT_FALSE(repaired.kept_existing);
  EXPECT_EQ(link("other", "layer")->inc, repaired.inc);
  EXPECT_EQ(link("app", "layer")->inc, repaired.inc) << "everybody who had it has it again";
  EXPECT_THAT(doomed(), ElementsAre(digest("layer").str() + " 1"));
  EXPECT_EQ(find_stored(*db_, digest("layer"))->value().inc, repaired.inc);
  ASSERT_TRUE(forget_doomed(*db_, 1).has_value());
  EXPECT_THAT(doomed(), IsEmpty());
}

TEST_F(Blobs, AVerdictOverAnOldIncarnationTouchesNothing) {
  push("app", "layer");
  const BlobId id = link("app", "layer")->blob;
  ASSERT_TRUE(mark_blob_bad(*db_, id, 999, now_).has_value());
  ASSERT_TRUE(mark_blob_checked(*db_, id, 999, now_).has_value());
  EXPECT_TRUE(link("app", "layer").has_value());
  EXPECT_EQ(probe_.number("SELECT checked_at FROM blob"), 0);
  ASSERT_TRUE(mark_blob_checked(*db_, id, 1, now_).has_value());
  EXPECT_EQ(probe_.number("SELECT checked_at FROM blob"), now_);
}

struct MountCase {
  std::string_view source;  // empty: none named
  bool linked_in_source;
  bool linked_elsewhere;
  bool linked_in_target;
  bool expected;
  std::string_view why;
};
constexpr MountCase kMounts[] = {
    {"source", true, false, false, true, "X1: linked in the source"},
    {"source", false, true, false, false, "X1: linked elsewhere is not linked in the source"},
    {"source", false, false, true, true, "X1: linked in the target already"},
    {"source", false, false, false, false, "X2: nowhere"},
    {"unborn", false, true, false, false, "X2: the source repository is missing"},
    {"", false, true, false, true, "X3: any repository"},
    {"", false, false, false, false, "X3: none has it"},
    {"target", false, true, false, false, "X1: the target as its own source"},
};

TEST_F(Blobs, MountNeedsALinkWhereItIsAskedFor) {
  for (const MountCase& row : kMounts) {
    const std::string text(row.why);  // its own blob
    if (row.linked_in_source) push("source", text);
    if (row.linked_elsewhere) push("elsewhere", text);
    if (row.linked_in_target) push("target", text);
    push("source", "so that it exists");
    const auto source = row.source.empty() ? std::nullopt : std::optional(row.source);
    EXPECT_EQ(mount("target", source, text), row.expected) << row.why;
    EXPECT_EQ(link("target", text).has_value(), row.expected) << row.why;
  }
}

TEST_F(Blobs, AMountThatFailsLeavesNoTraceOfTheTarget) {  // X2
  push("app", "layer");
  const std::string before = probe_.dump();
  EXPECT_FALSE(mount("new-repo", "nowhere", "layer"));
  EXPECT_EQ(probe_.dump(), before);
}

TEST_F(Blobs, AHiddenLinkIsNoSource) {  // S5
  push("app", "layer");
  ASSERT_TRUE(trash_link(*db_, repo("app"), digest("layer"), stamp()).value());
  EXPECT_FALSE(mount("other", "app", "layer"));
  EXPECT_FALSE(mount("other", std::nullopt, "layer"));
}

TEST_F(Blobs, AReservedLinkIsAnEdgeTargetWithoutBytes) {  // V12
  const RepoId app = repo_id("app");
  const BlobId id = reserve_link(*db_, app, digest("layer"), 123, stamp()).value();
  const auto target = find_edge_target(*db_, app, digest("layer"))->value();
  EXPECT_EQ(target.blob, id);
  EXPECT_EQ(target.size_bytes, 123);
  EXPECT_FALSE(target.present);
  EXPECT_FALSE(link("app", "layer").has_value());
  EXPECT_FALSE(mount("other", "app", "layer"));
  push("app", "layer");
  EXPECT_EQ(link("app", "layer")->size_bytes, 5U) << "the real bytes, not what the manifest said";
  EXPECT_TRUE(find_edge_target(*db_, app, digest("layer"))->value().present);
}

TEST_F(Blobs, ReservingInOneRepositoryDoesNotShowAnothersBytes) {  // S4, V12
  push("other", "layer");
  const RepoId app = repo_id("app");
  reserve_link(*db_, app, digest("layer"), 5, stamp()).value();
  EXPECT_FALSE(find_edge_target(*db_, app, digest("layer"))->value().present);
  EXPECT_FALSE(link("app", "layer").has_value());
}

TEST_F(Blobs, AHiddenLinkIsNoEdgeTarget) {  // V7
  push("app", "layer");
  ASSERT_TRUE(trash_link(*db_, repo("app"), digest("layer"), stamp()).value());
  EXPECT_FALSE(find_edge_target(*db_, repo_id("app"), digest("layer"))->has_value());
}

TEST_F(Blobs, WalksByIdSeeEveryRowOnce) {
  for (int i = 0; i < 7; ++i) push("app", "layer " + std::to_string(i));
  std::vector<std::string> seen;
  for (BlobId after = 0;;) {
    const auto page = list_blobs(*db_, after, 3).value();
    if (page.empty()) break;
    for (const auto& row : page) seen.push_back(row.digest.str());
    after = page.back().id;
  }
  std::vector<std::string> expected;
  for (int i = 0; i < 7; ++i) expected.push_back(digest("layer " + std::to_string(i)).str());
  EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace berth::meta
