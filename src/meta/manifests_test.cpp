#include "meta/manifests.h"

#include "support/faulty_sqlite_disk.h"
#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Manifests : public test::MetaFixture {
 protected:
  std::optional<ManifestBytes> load(std::string_view name, std::string_view reference) {
    return load_manifest(*db_, repo(name), *oci::Reference::parse(reference)).value();
  }
  std::optional<ManifestHead> find(std::string_view name, std::string_view reference) {
    return find_manifest(*db_, repo(name), *oci::Reference::parse(reference)).value();
  }
  bool trash(std::string_view name, const std::string& text) {
    return trash_manifest(*db_, repo_id(name), digest(text), stamp()).value();
  }
};

TEST_F(Manifests, BytesComeBackAsTheyCameByTagAndByDigest) {  // P5
  const std::string text = image("app", {"config", "layer"});
  point("app", "v1", text);
  for (const std::string& reference : {std::string("v1"), digest(text).str()}) {
    const auto loaded = load("app", reference);
    ASSERT_TRUE(loaded.has_value()) << reference;
    EXPECT_EQ(loaded->bytes, text);
    EXPECT_EQ(loaded->head.digest, digest(text));
    EXPECT_EQ(loaded->head.media_type, oci::media::kOciManifest);
    EXPECT_EQ(find("app", reference)->size_bytes, text.size());
  }
  EXPECT_FALSE(load("other", digest(text).str()).has_value()) << "of another repository";
  EXPECT_FALSE(load("app", "v2").has_value());
}

TEST_F(Manifests, PushingAgainIsIdempotent) {
  const std::string text = image("app", {"config"});
  const std::string before = probe_.dump();
  put("app", text);
  EXPECT_EQ(probe_.dump(), before);
}

TEST_F(Manifests, OneBodyServesEveryRepositoryAndAlgorithm) {  // M4
  const std::string text = image("app", {"config"});
  image("other", {"config"});
  put("app", text, oci::Algorithm::sha512);
  const auto wide = oci::digest_of(oci::Algorithm::sha512, text);
  EXPECT_EQ(load("app", wide.str())->bytes, text);
  EXPECT_EQ(load("app", wide.str())->head.digest, wide) << "the digest asked for";
  EXPECT_EQ(probe_.number("SELECT count(*) FROM manifest_body"), 1);
  EXPECT_EQ(probe_.number("SELECT count(*) FROM manifest"), 3);
  ASSERT_TRUE(trash("app", text));
  EXPECT_TRUE(load("app", wide.str()).has_value()) << "two manifests, deleted one by one";
}

TEST_F(Manifests, ADeletedOneIsGoneWithEveryTagPinnedToIt) {  // D1
  const std::string text = image("app", {"config"});
  const std::string other = image("app", {"config", "layer"});
  for (const char* name : {"a", "b"}) point("app", name, text);
  point("app", "c", other);
  EXPECT_TRUE(trash("app", text));
  EXPECT_FALSE(find("app", digest(text).str()).has_value());
  EXPECT_FALSE(find("app", "a").has_value());
  EXPECT_FALSE(find_child_target(*db_, repo_id("app"), digest(text))->has_value());
  EXPECT_THAT(list_tags(*db_, repo_id("app"), "", 10).value(), ElementsAre("c"));
  EXPECT_FALSE(trash("app", text)) << "there is nothing left to delete";
}

TEST_F(Manifests, APushRevivesADeletedOneWithoutItsTags) {
  const std::string text = image("app", {"config"});
  point("app", "v1", text);
  const ManifestId id = find("app", "v1")->id;
  ASSERT_TRUE(trash("app", text));
  now_ += 5;
  EXPECT_EQ(put("app", text), id);
  EXPECT_EQ(load("app", digest(text).str())->bytes, text);
  EXPECT_FALSE(find("app", "v1").has_value());
  EXPECT_EQ(probe_.number("SELECT pushed_at FROM manifest"), now_);
  EXPECT_EQ(probe_.rows("SELECT purge_at FROM manifest"), std::vector<std::string>{"NULL"});
}

TEST_F(Manifests, EdgesNameEachBlobAndChildOnce) {
  const std::string text = image("app", {"config", "layer", "layer"});
  EXPECT_EQ(probe_.number("SELECT count(*) FROM manifest_blob"), 2);
  const std::string index = test::index_text({test::piece_of(text), test::piece_of(text)});
  put("app", index);
  EXPECT_EQ(probe_.number("SELECT count(*) FROM manifest_child"), 1);
  EXPECT_THAT(blob_referrers(*db_, repo_id("app"), blob_id("layer"), 10).value(), ElementsAre(digest(text).str()));
}

TEST_F(Manifests, AChildOfALiveIndexIsProtectedAndTheErrorNamesTheParents) {  // D2
  const std::string child = image("app", {"config"});
  const std::string first = test::index_text({test::piece_of(child)});
  const std::string second = test::index_text({test::piece_of(child)}, {.note = "second"});
  put("app", first);
  put("app", second);
  const auto refused = trash_manifest(*db_, repo_id("app"), digest(child), stamp());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::referenced);
  EXPECT_THAT(refused.error().items, UnorderedElementsAre(digest(first).str(), digest(second).str()));
  ASSERT_TRUE(trash("app", first));
  EXPECT_FALSE(trash_manifest(*db_, repo_id("app"), digest(child), stamp()).has_value());
  ASSERT_TRUE(trash("app", second));
  EXPECT_TRUE(trash("app", child)) << "a deleted index protects nothing";
}

TEST_F(Manifests, ParentsAreBoundedAndOfThisRepository) {
  const std::string child = image("app", {"config"});
  image("other", {"config"});
  put("other", test::index_text({test::piece_of(child)}));
  EXPECT_THAT(manifest_parents(*db_, repo_id("app"), digest(child), 10).value(), IsEmpty());
  for (int i = 0; i < 5; ++i) put("app", test::index_text({test::piece_of(child)}, {.note = std::to_string(i)}));
  EXPECT_EQ(manifest_parents(*db_, repo_id("app"), digest(child), 3)->size(), 3U);
}

TEST_F(Manifests, DeletingASubjectKeepsItsReferrersUsable) {  // D1, R5
  const std::string subject = image("app", {"config"});
  const std::string signature = image("app", {"config", "sig"}, {.subject = digest(subject).str()});
  ASSERT_TRUE(trash("app", subject));
  EXPECT_EQ(load("app", digest(signature).str())->bytes, signature);
}

TEST_F(Manifests, DamagedBytesAreNeverServed) {
  const std::string text = image("app", {"config"});
  point("app", "v1", text);
  ASSERT_TRUE(db_->execute("UPDATE manifest_body SET bytes = CAST(replace(CAST(bytes AS TEXT), 'layers', 'LAYERS') "
                           "AS BLOB)")
                  .has_value());
  const auto loaded = load_manifest(*db_, repo("app"), *oci::Reference::parse("v1"));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, Errc::corrupt);
}

TEST_F(Manifests, TruncatedBytesAreNeverServed) {
  const std::string text = image("app", {"config"});
  ASSERT_TRUE(db_->execute("UPDATE manifest_body SET bytes = substr(bytes, 1, 10)").has_value());
  const auto loaded = load_manifest(*db_, repo("app"), oci::Reference(digest(text)));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, Errc::corrupt);
}

TEST_F(Manifests, AReaderMayAskForSmallOnesOnly) {
  const std::string text = image("app", {"config"});
  const oci::Reference reference(digest(text));
  EXPECT_TRUE(load_manifest(*db_, repo("app"), reference, text.size()).has_value());
  const auto refused = load_manifest(*db_, repo("app"), reference, text.size() - 1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::manifest_too_large);
}

TEST_F(Manifests, OneThatIsTooLargeIsNotReadToFindOut) {
  const std::string text = image("app", {"config"}, {.note = std::string(3'000'000, 'x')});
  point("app", "v1", text);
  db_.reset();  // into the database file
  test::FaultySqliteDisk disk;
  for (const auto& reference : {*oci::Reference::parse("v1"), oci::Reference(digest(text))}) {
    const auto cold = *sql::open_sqlite({.path = dir_ / "meta.db"});
    disk.database.reads = 0;
    EXPECT_EQ(load_manifest(*cold, repo("app"), reference, 65'536).error().code, Errc::manifest_too_large);
    EXPECT_LT(disk.database.reads, 50);
    EXPECT_EQ(load_manifest(*cold, repo("app"), reference).value()->bytes, text);
    EXPECT_GT(disk.database.reads, 500) << "the count means something";
  }
}

}  // namespace
}  // namespace berth::meta
