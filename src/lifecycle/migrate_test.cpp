#include "lifecycle/migrate_distribution.h"
#include "lifecycle/test_migrate.h"
#include "meta/referrers.h"
#include "meta/repos.h"
#include "meta/tags.h"

#include <sys/stat.h>

namespace berth::lifecycle {
namespace {

using test::check;
using test::DistributionFolder;
using test::image_text;
using test::index_text;
using test::kRepo;
using test::kTags;
using test::migrate;
using test::Migrated;
using test::Migration;
using test::piece_of;
using test::RegistryFolder;
using test::revision_file;
using test::run_task;
using test::served;

/// A bit of everything that a healthy registry holds.
struct Healthy : Migration {
  std::string first = source.image(kRepo, "v1", {"{\"first\":1}", "layer one", "shared"});
  std::string second = source.image(kRepo, "v2", {"{\"second\":2}", "shared"});
  std::string index = index_text({piece_of(first), piece_of(second)});
  std::string nested = index_text({piece_of(index)});
  std::string sbom = image_text({piece_of("{\"first\":1}")},
                                {.subject = RegistryFolder::digest(first).str(), .artifact_type = "text/x-sbom"});

  Healthy() {
    source.tag(kRepo, "multi", source.manifest(kRepo, index));
    source.tag(kRepo, "nested", source.manifest(kRepo, nested));
    source.manifest(kRepo, sbom);
    source.tag(kRepo, "moved", RegistryFolder::digest(first));
    source.tag(kRepo, "moved", RegistryFolder::digest(second));
    source.image("deep/er/still", "x", {"{\"first\":1}", "shared", std::string(3'000'000, 'l')});
    source.layer(kRepo, "wide", oci::Algorithm::sha512);
    source.layer(kRepo, "");  // an empty blob is one
  }
};

ino_t inode(const std::string& path) {
  struct stat st{};
  return ::stat(path.c_str(), &st) == 0 ? st.st_ino : 0;
}

TEST(Migrate, TakesAHealthyRegistryWhole) {
  Healthy h;
  const Migrated done = h.run();
  EXPECT_EQ(done.skipped() + done.notes(), "");
  EXPECT_EQ(done.result->repositories, 2u);
  EXPECT_EQ(done.result->taken().count, 7u);
  EXPECT_EQ(done.result->manifests, 6u);
  EXPECT_EQ(done.result->referrers, 1u);
  EXPECT_EQ(done.result->tags, 6u);
  EXPECT_EQ(check(h.target, {.deep = true}).damages(), "");
  h.target.open();
  EXPECT_EQ(served(h.target, kRepo, "v1"), h.first);
  EXPECT_EQ(served(h.target, kRepo, "multi"), h.index);
  EXPECT_EQ(served(h.target, kRepo, "nested"), h.nested);
  EXPECT_EQ(served(h.target, kRepo, "moved"), h.second);
  EXPECT_EQ(served(h.target, kRepo, RegistryFolder::digest(h.sbom).str()), h.sbom);
  EXPECT_NE(served(h.target, "deep/er/still", "x"), "");
}

TEST(Migrate, ReferrersAreListed) {  // R1
  Healthy h;
  h.run();
  h.target.open();
  const auto page = h.target.store().peek([&](sql::Connection& db) {
    return meta::list_referrers(db, **meta::find_repo(db, RegistryFolder::repo(kRepo)),
                                RegistryFolder::digest(h.first).str(), {}, 0, {});
  });
  ASSERT_EQ(page->rows.size(), 1u);
  EXPECT_EQ(page->rows[0].artifact_type, "text/x-sbom");
}

TEST(Migrate, ASecondRunDoesNothing) {
  Healthy h;
  h.run();
  const std::string before = h.target.probe().dump();
  const Migrated again = h.run();
  EXPECT_FALSE(again.result->changed());
  EXPECT_EQ(again.result->blobs_there.count, 7u);
  EXPECT_EQ(again.result->manifests_there, 6u);
  EXPECT_EQ(again.result->tags_there, 6u);
  EXPECT_EQ(h.target.probe().dump(), before);
}

TEST(Migrate, BlobsAreHardLinkedWhereThatIsPossibleAndCopiedOnDemand) {
  const std::string layer = "the layer";
  for (const bool copy : {false, true}) {
    Migration m;  // both in the same place
    const auto d = m.source.layer(kRepo, layer);
    MigrateOptions options;
    if (copy) options.method = blob::AdoptMethod::copy;
    const Migrated done = m.run(options);
    const bool same =
        inode(m.source.below(m.source.blob_file(d))) == inode(m.target.path() + "/" + m.target.file_of(d));
    EXPECT_EQ(same, done.result->blobs[0].count == 1);
    if (copy) EXPECT_EQ(done.result->blobs[2].count, 1u);
  }
}

TEST(Migrate, WhatWasTakenOutlivesTheOldRegistry) {
  Healthy h;
  h.run();
  std::filesystem::remove_all(h.source.path() + "/docker");
  EXPECT_EQ(check(h.target, {.deep = true}).damages(), "");
}

TEST(Migrate, ADiskWithoutLinksGetsCopiesOrIsRefused) {
  Healthy h;
  test::FaultFs disk;  // links nothing, clones nothing
  MigrateOptions only;
  only.method = blob::AdoptMethod::hard_link;
  const Migrated refused = migrate(h.target, h.source, only, &disk);
  ASSERT_FALSE(refused.result.has_value());
  EXPECT_EQ(refused.result.error().code, Errc::unsupported);
  EXPECT_NE(refused.result.error().message.find("hard link"), std::string::npos);
  EXPECT_EQ(h.target.probe().number("SELECT count(*) FROM blob"), 0);

  const Migrated copied = migrate(h.target, h.source, {}, &disk);
  ASSERT_TRUE(copied.result.has_value()) << copied.result.error().message;
  EXPECT_EQ(copied.result->blobs[2].count, 7u);
  EXPECT_NE(copied.result->why_not_cheaper, "");
}

TEST(Migrate, CopyingMoreThanThereIsRoomForDoesNotBegin) {
  Healthy h;
  test::FaultFs disk;
  ASSERT_TRUE(migrate(h.target, DistributionFolder{}, {}, &disk).result.error().code == Errc::file_unknown);
  disk.set_capacity_bytes(2'000'000);
  const Migrated done = migrate(h.target, h.source, {}, &disk);
  ASSERT_FALSE(done.result.has_value());
  EXPECT_EQ(done.result.error().code, Errc::no_space);
  EXPECT_EQ(h.target.probe().number("SELECT count(*) FROM blob"), 0);
}

TEST(Migrate, WhatBerthItselfLostIsTakenAgain) {
  Healthy h;
  h.run();
  const auto d = RegistryFolder::digest("layer one");
  std::filesystem::remove(h.target.path() + "/" + h.target.file_of(d));
  EXPECT_NE(check(h.target).damages(), "");
  const Migrated done = h.run();
  EXPECT_EQ(done.result->taken().count, 1u);
  EXPECT_EQ(check(h.target, {.deep = true}).damages(), "");
}

// --- tags ------------------------------------------------------------------------------------------------------------

std::vector<meta::TagEvent> history(RegistryFolder& folder, const char* tag) {
  folder.open();
  auto events = folder.store().peek([&](sql::Connection& db) {
    return meta::tag_history(db, **meta::find_repo(db, RegistryFolder::repo(kRepo)), *oci::Tag::parse(tag), 10);
  });
  folder.close();
  std::ranges::reverse(*events);
  return *events;
}

TEST(MigrateTags, HistoryAndTimesComeFromTheIndex) {
  Migration m;
  std::vector<oci::Digest> digests;
  std::vector<std::int64_t> times;
  for (const char* config : {"c1", "c2", "c3"}) {
    digests.push_back(RegistryFolder::digest(m.source.image(kRepo, "latest", {config})));
    times.push_back(m.source.now_ms());
  }
  m.source.remove(revision_file(digests[0].str()));  // deleted since: its time is not told
  m.run();
  const auto events = history(m.target, "latest");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].digest, digests[1]);
  EXPECT_EQ(events[0].at_ms, times[1] - 1'000);  // of the index, which is written first
  EXPECT_EQ(events[1].digest, digests[2]);
  EXPECT_EQ(events[1].previous, digests[1]);
  EXPECT_EQ(events[1].at_ms, times[2]);
}

TEST(MigrateTags, TimesThatContradictTheTagAreNotUsed) {
  Migration m;
  const auto first = RegistryFolder::digest(m.source.image(kRepo, "latest", {"c1"}));
  const auto second = RegistryFolder::digest(m.source.image(kRepo, "latest", {"c2"}));
  m.source.write(DistributionFolder::link_file(kTags + "latest/index", first), first.str());  // as cp -r may leave it
  m.run();
  const auto events = history(m.target, "latest");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].digest, second);
}

struct SecondRun {
  const char* why;
  bool pushed_elsewhere;  // somebody moved the tag in Berth, to an image the old registry never had
  bool moved_in_source;
  bool overwrite;
  const char* points_at;  // afterwards
  std::uint64_t moved;
  std::string skipped;
};

TEST(MigrateTags, ALaterRunFollowsTheOldRegistryButMovesNoTagOfOurs) {
  const std::vector<SecondRun> rows = {
      {"nothing happened", false, false, false, "c1", 0, ""},
      {"the old registry went on", false, true, false, "c2", 1, ""},
      {"Berth went on", true, false, false, "own", 0, "tag in use team/app:latest\n"},
      {"both went on", true, true, false, "own", 0, "tag in use team/app:latest\n"},
      {"both went on, the old one wins", true, true, true, "c2", 1, ""},
      {"Berth went on, the old one wins", true, false, true, "c1", 1, ""},
  };
  for (const SecondRun& row : rows) {
    SCOPED_TRACE(row.why);
    Migration m;
    m.source.image(kRepo, "latest", {"c1"});
    m.run();
    if (row.pushed_elsewhere) {
      m.target.open();
      m.target.push_image(kRepo, "latest", {"own"});
      m.target.close();
    }
    if (row.moved_in_source) m.source.image(kRepo, "latest", {"c2"});
    const Migrated foretold = m.run({.overwrite_tags = row.overwrite, .dry_run = true});
    const Migrated done = m.run({.overwrite_tags = row.overwrite});
    for (const Migrated* run : {&foretold, &done}) {
      EXPECT_EQ(run->skipped(), row.skipped);
      EXPECT_EQ(run->result->tags_moved, row.moved);
    }
    EXPECT_EQ(check(m.target, {.deep = true}).damages(), "");
    m.target.open();
    EXPECT_EQ(served(m.target, kRepo, "latest"), image_text({piece_of(row.points_at)}));
  }
}

TEST(MigrateTags, ARollBackInBerthIsNotUndone) {
  Migration m;
  const auto first = m.source.image(kRepo, "latest", {"c1"});
  m.source.image(kRepo, "latest", {"c2"});
  m.run();
  m.target.open();
  m.target.put(kRepo, "latest", first);
  m.target.close();
  EXPECT_EQ(m.run().skipped(), "tag in use team/app:latest\n");
}

// --- dry runs, merging, refusals -------------------------------------------------------------------------------------

TEST(MigrateDryRun, WritesNothingAndForetellsTheRun) {
  Healthy h;
  h.target.open();
  h.target.push_image("deep/er/still", "mine", {"{\"first\":1}", "own"});
  h.target.close();
  const auto before = h.target.contents();
  const Migrated foretold = h.run({.dry_run = true});
  auto after = h.target.contents();
  after.erase(h.target.database() + "-wal");  // the engine's own, empty
  EXPECT_TRUE(after == before);
  const Migrated done = h.run();
  EXPECT_EQ(foretold.result->blobs_planned.count, done.result->taken().count);
  EXPECT_EQ(foretold.result->blobs_planned.bytes, done.result->taken().bytes);
  EXPECT_EQ(foretold.result->blobs_there.count, 1u);
  EXPECT_EQ(foretold.result->manifests, done.result->manifests);
  EXPECT_EQ(foretold.result->referrers, done.result->referrers);
  EXPECT_EQ(foretold.result->tags, done.result->tags);
  EXPECT_EQ(foretold.result->links, done.result->links);
}

TEST(MigrateDryRun, NeedsNoDataFolder) {
  Healthy h;
  SeededRandom random(1);
  MigrateOptions options{.path = h.source.path(), .dry_run = true};
  const auto done = migrate_distribution(nullptr, {h.target.clock, h.target.log, random}, options);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->blobs_planned.count, 7u);
  EXPECT_EQ(done->tags, 6u);
}

TEST(Migrate, MergesIntoAStoreThatHoldsContent) {
  Healthy h;
  h.target.open();
  const std::string own = h.target.push_image(kRepo, "own", {"{\"first\":1}", "own layer"});
  h.target.close();
  EXPECT_EQ(h.run().skipped(), "");
  EXPECT_EQ(check(h.target, {.deep = true}).damages(), "");
  h.target.open();
  EXPECT_EQ(served(h.target, kRepo, "own"), own);
  EXPECT_EQ(served(h.target, kRepo, "v1"), h.first);
}

TEST(Migrate, TakesBothSpellingsOfThePath) {
  for (const char* suffix : {"", "/docker/registry/v2", "/docker/registry/v2/"}) {
    Healthy h;
    EXPECT_TRUE(check_distribution_folder(h.source.path() + suffix).has_value()) << suffix;
  }
}

TEST(Migrate, WhatIsNoRegistryIsRefusedWithASentence) {
  const test::TempDir empty;
  std::filesystem::create_directories(empty / "blobs/sha256");  // of something else
  for (const std::string& path : {empty / "absent", empty.path()}) {
    const auto refused = check_distribution_folder(path);
    ASSERT_FALSE(refused.has_value()) << path;
    EXPECT_EQ(refused.error().code, Errc::file_unknown);
    EXPECT_NE(refused.error().message.find(path), std::string::npos);
  }
}

// --- interruptions ---------------------------------------------------------------------------------------------------

/// The process or the power goes away at the n-th operation on the disk, for every n; then it is run again.
TEST(MigrateInterrupted, AtEveryOperationTheNextRunTakesTheRest) {
  DistributionFolder source;
  source.image(kRepo, "v1", {"{\"first\":1}", "layer one", "layer two"});
  source.image("other/app", "v1", {"{\"first\":1}", "layer three"});
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    RegistryFolder target;
    target.close();
    test::FaultFs disk;
    {
      io::BlockingPool pool("disk", 1, 1);
      ASSERT_TRUE(blob::FsStore::open_store(disk, pool).has_value());
    }
    disk.fail_from(n, Errc::io_failed);
    const Migrated broken = migrate(target, source, {}, &disk);
    const bool struck = disk.struck();
    EXPECT_EQ(broken.result.has_value(), !struck);
    disk.heal();
    disk.cut_power_keeping_some(n);
    const Migrated done = migrate(target, source, {}, &disk);
    ASSERT_TRUE(done.result.has_value()) << done.result.error().cause;
    EXPECT_EQ(done.skipped(), "");
    EXPECT_EQ(done.result->manifests + done.result->manifests_there, 2u);
    ASSERT_TRUE(disk.open("meta.db", io::FileSystem::Mode::create_new).has_value());  // where fsck looks for it
    const auto report =
        run_fsck({disk, target.database(), "this store", "this boot", target.clock, target.log}, {.deep = true});
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->damaged(), 0u);
    EXPECT_TRUE(disk.list("uploads")->empty());
    if (!struck) break;
  }
}

}  // namespace
}  // namespace berth::lifecycle
