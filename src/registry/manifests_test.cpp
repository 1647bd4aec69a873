#include "registry/manifests.h"

#include "meta/tags.h"
#include "support/registry_world.h"

#include <gmock/gmock.h>

namespace berth::registry {
namespace {

using test::code_of;
using test::image_text;
using test::index_text;
using test::Piece;
using test::piece_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

oci::Digest digest(std::string_view text) { return test::RegistryWorld::digest(text); }
oci::Tag tag(std::string_view name) { return *oci::Tag::parse(name); }

class Manifests : public ::testing::Test {
 protected:
  Manifests() { world_.start(); }
  Result<StoredManifest> put(PutManifest cmd) { return test::run_task(world_.manifests->put(std::move(cmd))); }
  static PutManifest command(std::string_view reference, std::string body) {
    return {.repo = test::RegistryWorld::repo("app"),
            .reference = *oci::Reference::parse(reference),
            .pin = {},
            .media_type = {},
            .body = std::move(body),
            .extra_tags = {},
            .precondition = {}};
  }
  std::vector<std::string> tags() {
    const auto page = test::run_task(world_.listings->tags(test::RegistryWorld::repo("app"), std::nullopt, ""));
    return page ? page->names : std::vector<std::string>{};
  }

  test::RegistryWorld world_;
};

TEST_F(Manifests, APushIsReadBackByTagAndDigest) {
  const std::string text = world_.push_image("app", "v1", {"config", "layer"});
  EXPECT_EQ(world_.pull_manifest("app", "v1").value(), text);
  EXPECT_EQ(world_.pull_manifest("app", digest(text).str()).value(), text);
  const auto head =
      test::run_task(world_.manifests->head(test::RegistryWorld::repo("app"), *oci::Reference::parse("v1")));
  EXPECT_EQ(head->digest, digest(text));
  EXPECT_EQ(head->size_bytes, text.size());
}

TEST_F(Manifests, WhatIsKeptInMemoryIsNeverOlderThanTheLastAnswer) {
  const std::string first = world_.push_image("app", "v1", {"config", "layer"});
  const std::string second = image_text({piece_of("config"), piece_of("layer")}, {.note = "second"});
  ASSERT_EQ(world_.pull_manifest("app", "v1").value(), first);
  const auto cached = [&](std::string_view reference) { return world_.manifests->find_cached("app", reference); };
  ASSERT_NE(cached("v1"), nullptr);
  ASSERT_TRUE(world_.push_manifest("app", "v1", second).has_value());
  EXPECT_EQ(cached("v1"), nullptr) << "the tag moved";
  EXPECT_EQ(world_.pull_manifest("app", "v1").value(), second);
  ASSERT_EQ(world_.pull_manifest("app", digest(first).str()).value(), first);
  ASSERT_TRUE(world_.delete_manifest("app", digest(first).str()).has_value());
  EXPECT_EQ(code_of(world_.pull_manifest("app", digest(first).str())), Errc::manifest_unknown);
  ASSERT_EQ(world_.pull_manifest("app", "v1").value(), second);
  ASSERT_TRUE(world_.push_image("lib", "v1", {"config"}).size() > 0);
  EXPECT_NE(cached("v1"), nullptr) << "a push to another repository changes nothing here";
  ASSERT_TRUE(world_.delete_manifest("app", "v1").has_value());
  EXPECT_EQ(code_of(world_.pull_manifest("app", "v1")), Errc::manifest_unknown);
}

TEST_F(Manifests, ALargeOneIsReadBackToo) {  // M2
  world_.push_image("app", "base", {"config", "layer"});
  const std::string text = image_text({piece_of("config"), piece_of("layer")}, {.note = std::string(3'000'000, 'n')});
  ASSERT_TRUE(world_.push_manifest("app", "large", text).has_value());
  EXPECT_EQ(world_.pull_manifest("app", "large").value(), text);
}

TEST_F(Manifests, TheBodyMustMatchTheDigestOfTheUrl) {  // M4
  const std::string text = world_.push_image("app", "v1", {"config"});
  const std::string other = image_text({piece_of("config")}, {.note = "other"});
  EXPECT_EQ(code_of(world_.push_manifest("app", digest(text).str(), other)), Errc::digest_mismatch);
  EXPECT_EQ(code_of(world_.pull_manifest("app", digest(other).str())), Errc::manifest_unknown);
}

TEST_F(Manifests, ATagMayBePinnedToADigestOfAnotherAlgorithm) {  // M5
  const std::string text = world_.push_image("app", "v1", {"config"});
  const auto wide = oci::digest_of(oci::Algorithm::sha512, text);
  PutManifest cmd = command("wide", text);
  cmd.pin = wide;
  EXPECT_EQ(put(std::move(cmd))->digest, wide);
  const auto head =
      test::run_task(world_.manifests->head(test::RegistryWorld::repo("app"), *oci::Reference::parse("wide")));
  EXPECT_EQ(head->digest, wide);
  PutManifest wrong = command("wrong", text);
  wrong.pin = digest("something else");
  EXPECT_EQ(code_of(put(std::move(wrong))), Errc::digest_mismatch);
}

TEST_F(Manifests, ExtraTagsAreAllSetOrNone) {  // M5
  const std::string text = world_.push_image("app", "v1", {"config"});
  PutManifest cmd = command(digest(text).str(), text);
  cmd.extra_tags = {tag("a"), tag("b")};
  ASSERT_TRUE(put(std::move(cmd)).has_value());
  EXPECT_THAT(tags(), ElementsAre("a", "b", "v1"));
  const std::string broken = image_text({piece_of("config"), piece_of("never pushed")});
  PutManifest refused = command(digest(broken).str(), broken);
  refused.extra_tags = {tag("c"), tag("d")};
  EXPECT_EQ(code_of(put(std::move(refused))), Errc::manifest_blob_unknown);
  EXPECT_THAT(tags(), ElementsAre("a", "b", "v1"));
}

TEST_F(Manifests, EveryMissingPartIsNamedOnceAndNothingIsStored) {  // V7, M1
  ASSERT_TRUE(world_.push_blob("app", "config").has_value());
  const std::string text =
      image_text({piece_of("config"), piece_of("one"), piece_of("two"), piece_of("one"), piece_of("config")});
  const auto refused = world_.push_manifest("app", "v1", text);
  ASSERT_EQ(code_of(refused), Errc::manifest_blob_unknown);
  EXPECT_THAT(refused.error().items, ::testing::UnorderedElementsAre(digest("one").str(), digest("two").str()));
  EXPECT_THAT(tags(), IsEmpty());
  EXPECT_EQ(world_.probe().number("SELECT count(*) FROM manifest_body"), 0);
}

TEST_F(Manifests, ARefusedPushDoesNotBringTheRepositoryIntoBeing) {  // M1
  EXPECT_FALSE(world_.push_manifest("new", "v1", image_text({piece_of("config")})).has_value());
  EXPECT_EQ(code_of(world_.pull_manifest("new", "v1")), Errc::name_unknown);
}

TEST_F(Manifests, PartsOfAnotherRepositoryDoNotCount) {  // S4, V7
  ASSERT_TRUE(world_.push_blob("lib", "config").has_value());
  EXPECT_EQ(code_of(world_.push_manifest("app", "v1", image_text({piece_of("config")}))), Errc::manifest_blob_unknown);
  ASSERT_TRUE(test::run_task(world_.uploads->mount(test::RegistryWorld::repo("app"), test::RegistryWorld::repo("lib"),
                                                   digest("config")))
                  .value());
  EXPECT_TRUE(world_.push_manifest("app", "v1", image_text({piece_of("config")})).has_value());
}

TEST_F(Manifests, AWrongSizeIsAWarning) {  // V11
  ASSERT_TRUE(world_.push_blob("app", "config").has_value());
  const auto stored = world_.push_manifest("app", "v1", image_text({Piece{digest("config"), 99}}));
  ASSERT_TRUE(stored.has_value());
  EXPECT_THAT(stored->warnings, ::testing::Contains(HasSubstr("99")));
}

struct PolicyCase {
  ReferencePolicy policy;
  bool layer_may_be_absent;
  bool child_may_be_absent;
  const char* name;
};
constexpr PolicyCase kPolicies[] = {
    {ReferencePolicy::strict, false, false, "strict"},
    {ReferencePolicy::sparse_index, false, true, "sparse_index"},
    {ReferencePolicy::sparse, true, true, "sparse"},
};

TEST_F(Manifests, ThePolicyDecidesWhatMayBeAbsent) {  // V12
  ASSERT_TRUE(world_.push_blob("app", "config").has_value());
  for (const PolicyCase& row : kPolicies) {
    world_.limits.reference_policy = row.policy;
    const std::string image = image_text({piece_of("config"), piece_of("absent layer")}, {.note = row.name});
    EXPECT_EQ(world_.push_manifest("app", "image", image).has_value(), row.layer_may_be_absent) << row.name;
    const std::string index = index_text({piece_of("absent child")}, {.note = row.name});
    EXPECT_EQ(world_.push_manifest("app", "index", index).has_value(), row.child_may_be_absent) << row.name;
  }
}

TEST_F(Manifests, ASparseLayerBecomesRealWhenItIsPushed) {  // V12
  world_.limits.reference_policy = ReferencePolicy::sparse;
  const std::string image = image_text({piece_of("config"), piece_of("layer")});
  ASSERT_TRUE(world_.push_manifest("app", "v1", image).has_value());
  EXPECT_EQ(code_of(world_.pull_blob("app", digest("layer"))), Errc::blob_unknown);
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  EXPECT_EQ(world_.pull_blob("app", digest("layer")).value(), "layer");
  EXPECT_EQ(code_of(test::run_task(world_.blobs->remove(test::RegistryWorld::repo("app"), digest("layer")))),
            Errc::referenced)
      << "the edge was there before the bytes";
}

TEST_F(Manifests, AnIndexNeedsItsChildrenInTheSameRepository) {  // V9
  const std::string child = world_.push_image("lib", "v1", {"config"});
  EXPECT_EQ(code_of(world_.push_manifest("app", "v1", index_text({piece_of(child)}))), Errc::manifest_blob_unknown);
  world_.push_image("app", "v1", {"config"});
  EXPECT_TRUE(world_.push_manifest("app", "multi", index_text({piece_of(child)})).has_value());
}

TEST_F(Manifests, PreconditionsSeeWhatTheTagPointsAt) {  // M6
  const std::string first = world_.push_image("app", "v1", {"config"});
  const std::string second = image_text({piece_of("config")}, {.note = "second"});
  const auto put_if = [&](const std::string& name, Precondition holds) {
    PutManifest cmd = command(name, second);
    cmd.precondition = std::move(holds);
    return put(std::move(cmd));
  };
  const auto absent = [](const std::optional<oci::Digest>& now) { return !now; };
  const auto is_first = [&](const std::optional<oci::Digest>& now) { return now == digest(first); };
  EXPECT_EQ(code_of(put_if("v1", absent)), Errc::precondition_failed);
  EXPECT_EQ(code_of(put_if("v2", is_first)), Errc::precondition_failed);
  EXPECT_EQ(world_.pull_manifest("app", "v1").value(), first);
  EXPECT_EQ(code_of(world_.pull_manifest("app", digest(second).str())), Errc::manifest_unknown) << "nothing stored";
  EXPECT_TRUE(put_if("v2", absent).has_value());
  EXPECT_TRUE(put_if("v1", is_first).has_value());
  EXPECT_EQ(code_of(put_if("v1", is_first)), Errc::precondition_failed) << "it has moved";
}

TEST_F(Manifests, OfTwoConditionalPushesAtOnceOneWins) {  // M6
  world_.push_image("app", "base", {"config"});
  std::vector<io::Task<Result<StoredManifest>>> tasks;
  for (const char* note : {"one", "two", "three"}) {
    PutManifest cmd = command("v1", image_text({piece_of("config")}, {.note = note}));
    cmd.precondition = [](const std::optional<oci::Digest>& now) { return !now; };
    tasks.push_back(world_.manifests->put(std::move(cmd)));
  }
  const auto results = test::run_tasks(std::move(tasks));
  EXPECT_EQ(std::ranges::count_if(results, [](const auto& result) { return result.has_value(); }), 1);
}

TEST_F(Manifests, DeletingATagLeavesTheManifest) {  // D1
  const std::string text = world_.push_image("app", "v1", {"config"});
  ASSERT_TRUE(world_.delete_manifest("app", "v1").has_value());
  EXPECT_EQ(code_of(world_.pull_manifest("app", "v1")), Errc::manifest_unknown);
  EXPECT_EQ(world_.pull_manifest("app", digest(text).str()).value(), text);
  EXPECT_EQ(code_of(world_.delete_manifest("app", "v1")), Errc::manifest_unknown);
  EXPECT_EQ(code_of(world_.delete_manifest("nowhere", "v1")), Errc::name_unknown);
}

TEST_F(Manifests, DeletingADigestTakesItsTagsAlong) {  // D1
  const std::string text = world_.push_image("app", "v1", {"config"});
  world_.push_image("app", "v2", {"config"});
  world_.push_image("app", "other", {"config", "layer"});
  ASSERT_TRUE(world_.delete_manifest("app", digest(text).str()).has_value());
  EXPECT_THAT(tags(), ElementsAre("other"));
  EXPECT_EQ(code_of(world_.pull_manifest("app", digest(text).str())), Errc::manifest_unknown);
  EXPECT_EQ(world_.pull_blob("app", digest("config")).value(), "config") << "blobs stay";
}

TEST_F(Manifests, PushAgainstABlobDeletedMeanwhileIsRefused) {  // S27
  ASSERT_TRUE(world_.push_blob("app", "config").has_value());
  ASSERT_TRUE(test::run_task(world_.blobs->remove(test::RegistryWorld::repo("app"), digest("config"))).has_value());
  EXPECT_EQ(code_of(world_.push_manifest("app", "v1", image_text({piece_of("config")}))), Errc::manifest_blob_unknown);
}

TEST_F(Manifests, AFullDiskRefusesPushesButNotDeletes) {
  const std::string text = world_.push_image("app", "v1", {"config"});
  world_.space.set(SpaceLevel::hard);
  EXPECT_TRUE(world_.push_manifest("app", "v2", text).has_value()) << "metadata still fits";
  world_.space.set(SpaceLevel::stop);
  EXPECT_EQ(code_of(world_.push_manifest("app", "v3", text)), Errc::no_space);
  EXPECT_TRUE(world_.delete_manifest("app", "v1").has_value());
  EXPECT_EQ(world_.pull_manifest("app", "v2").value(), text);
}

}  // namespace
}  // namespace berth::registry
