#include "lifecycle/fsck.h"

#include "lifecycle/test_fsck.h"
#include "meta/repos.h"

namespace berth::lifecycle {
namespace {

using test::check;
using test::Checked;
using test::RegistryFolder;
using test::repair;
using test::StoreOfEverything;

TEST(FsckHealthy, AStoreWithABitOfEverythingIsCleanAndStaysAsItIs) {
  StoreOfEverything store;
  store.folder.close();
  const auto before = store.folder.contents();
  const Checked checked = check(store.folder, {.deep = true});
  EXPECT_EQ(checked.damages(), "");
  EXPECT_EQ(checked.report.damaged(), 0u);
  EXPECT_GT(checked.report.hashed_bytes, 0u);
  EXPECT_TRUE(store.folder.contents() == before);
  for (const auto& phase : checked.report.phases) EXPECT_GT(phase.checked, 0u) << phase.name;
}

TEST(FsckHealthy, RepairChangesNothingInIt) {
  StoreOfEverything store;
  store.folder.close();
  ASSERT_EQ(repair(store.folder).damages(), "");  // recovery notes the boot
  const std::string before = store.folder.probe().dump();
  EXPECT_EQ(repair(store.folder).damages(), "");
  EXPECT_EQ(store.folder.probe().dump(), before);
}

/// Runs `fn(Connection&, RepoInfo) -> Result<void>` on that repository.
template <class F>
void on_repo(StoreOfEverything& store, std::string_view name, F fn) {
  const auto done = store.folder.store().write_blocking([&](sql::Connection& db) -> Result<void> {
    BERTH_TRY(const auto info, meta::find_repo_info(db, RegistryFolder::repo(name)));
    return fn(db, *info);
  });
  ASSERT_TRUE(done.has_value()) << done.error().message << done.error().cause;
}

TEST(FsckHealthy, RepositoriesThatWereRenamedMovedOrDeletedAreClean) {
  StoreOfEverything store;
  on_repo(store, "sparse/app", [](sql::Connection& db, const meta::RepoInfo& info) {
    return meta::rename_repo(db, info, RegistryFolder::repo("sparse/else"));
  });
  on_repo(store, "team/app", [](sql::Connection& db, const meta::RepoInfo& info) -> Result<void> {
    BERTH_TRY(const auto ns, meta::find_namespace(db, "other"));
    return meta::transfer_repo(db, info, ns->id, RegistryFolder::repo("other/moved"));
  });
  for (const char* name : {"other/app", "other/moved", "sparse/else"}) {
    on_repo(store, name, [&](sql::Connection& db, const meta::RepoInfo& info) {
      return meta::delete_repo(db, info, {store.folder.clock.now_ms(), std::nullopt});
    });
  }
  store.folder.push_image("other/app", "v1", {"{\"anew\":1}", store.shared});
  store.folder.close();
  EXPECT_EQ(check(store.folder, {.deep = true}).damages(), "");
  const auto probe = store.folder.probe();
  EXPECT_EQ(probe.number("SELECT used_bytes FROM ns WHERE name = 'sparse'"), 0);
  EXPECT_GT(probe.number("SELECT used_bytes FROM ns WHERE name = 'other'"), 0);
}

TEST(FsckRepair, ADeletedRepositoryThatNobodyWouldCollectIsQueued) {  // I6
  StoreOfEverything store;
  on_repo(store, "other/app", [&](sql::Connection& db, const meta::RepoInfo& info) {
    return meta::delete_repo(db, info, {store.folder.clock.now_ms(), std::nullopt});
  });
  store.folder.close();
  store.folder.probe().force("DELETE FROM gc_queue WHERE kind = 6");
  EXPECT_EQ(repair(store.folder).damages(), "candidate_missing done\n");
  EXPECT_EQ(check(store.folder).damages(), "");
  EXPECT_EQ(store.folder.probe().number("SELECT count(*) FROM gc_queue WHERE kind = 6"), 1);
}

TEST(FsckHealthy, WhatOtherLimitsAcceptedIsClean) {  // V3
  RegistryFolder folder;
  folder.limits.descriptors_max = oci::kManifestLimitsMax.descriptors_max;
  const std::string image = folder.push_image("team/app", "v1", {"{}"});
  const std::vector<test::Piece> children(oci::ManifestLimits{}.descriptors_max + 1, test::piece_of(image));
  folder.put("team/app", "wide", test::index_text(children));
  folder.close();
  EXPECT_EQ(check(folder).damages(), "");
}

TEST(FsckHealthy, AnEmptyStoreIsClean) {
  RegistryFolder folder;
  folder.close();
  EXPECT_EQ(check(folder, {.deep = true}).damages(), "");
  EXPECT_EQ(repair(folder).damages(), "");
}

TEST(FsckHealthy, AServerThatWasKilledLeavesNotesNotDamage) {
  StoreOfEverything store;
  // Committed, but the rename to its place did not happen.
  const oci::Digest d = store.folder.push("team/app", "half placed");
  std::filesystem::rename(store.folder.path() + "/" + store.folder.file_of(d),
                          store.folder.path() + "/uploads/" + store.folder.file_of(d).substr(16 + 64 + 1));
  store.folder.write_file("uploads/00000000000000aa", "never confirmed");
  store.folder.close();
  const Checked checked = check(store.folder, {.deep = true});
  EXPECT_EQ(checked.damages(), "");
  EXPECT_TRUE(checked.has_note(FindingKind::unfinished));
  const Checked repaired = repair(store.folder);
  ASSERT_TRUE(repaired.report.recovered.has_value());
  EXPECT_EQ(repaired.report.recovered->placed, 1u);
  EXPECT_EQ(repaired.report.recovered->files_removed, 1u);
  EXPECT_FALSE(check(store.folder).has_note(FindingKind::unfinished));
}

TEST(FsckProgress, CountsUpToWhatThereIs) {
  StoreOfEverything store;
  store.folder.close();
  std::map<std::string, Progress> last;
  FsckOptions options{.deep = true};
  options.on_progress = [&](const Progress& p) { last[std::string(p.phase)] = p; };
  test::run(store.folder, std::move(options));
  EXPECT_EQ(last.size(), 9u);
  for (const auto& [phase, progress] : last)
    EXPECT_LE(progress.done, std::max<std::uint64_t>(progress.total, 520)) << phase;
  EXPECT_TRUE(last["blobs"].in_bytes);
  EXPECT_EQ(last["blobs"].done, last["blobs"].total);
  EXPECT_EQ(last["manifests"].done, last["manifests"].total);
}

TEST(FsckFolder, WithoutADatabaseNothingIsTouched) {
  StoreOfEverything store;
  store.folder.close();
  std::filesystem::remove(store.folder.database());
  for (const bool with_repair : {false, true}) {
    const auto before = store.folder.contents();
    const auto done = test::run(store.folder, {.repair = with_repair});
    ASSERT_FALSE(done.result.has_value());
    EXPECT_EQ(done.result.error().code, Errc::file_unknown);
    EXPECT_TRUE(store.folder.contents() == before);
  }
}

TEST(FsckFolder, AnEmptyFileIsNoDatabase) {
  StoreOfEverything store;
  store.folder.close();
  store.folder.write_file("meta.db", "");
  const auto done = test::run(store.folder, {.repair = true});
  ASSERT_FALSE(done.result.has_value());
  EXPECT_EQ(done.result.error().code, Errc::unavailable);
}

TEST(FsckFolder, AnOlderSchemaIsSaidAndLeftAlone) {
  StoreOfEverything store;
  store.folder.close();
  store.folder.probe().force("DELETE FROM schema_version");
  const auto done = test::run(store.folder, {});
  ASSERT_FALSE(done.result.has_value());
  EXPECT_EQ(done.result.error().code, Errc::unavailable);
  EXPECT_TRUE(done.result.error().message.contains("schema 0")) << done.result.error().message;
}

TEST(FsckFolder, ANewerSchemaIsLeftAlone) {
  StoreOfEverything store;
  store.folder.close();
  store.folder.probe().force("INSERT INTO schema_version VALUES(999, 0, 'x', 999)");
  for (const bool with_repair : {false, true}) {
    const auto done = test::run(store.folder, {.repair = with_repair});
    ASSERT_FALSE(done.result.has_value());
    EXPECT_EQ(done.result.error().code, Errc::unavailable);
  }
}

TEST(FsckFolder, ADatabaseOfAnotherStoreIsLeftAlone) {
  StoreOfEverything store;
  store.folder.close();
  store.folder.probe().force("INSERT INTO meta VALUES('store_id', 'this store')");
  EXPECT_EQ(check(store.folder).damages(), "");
  store.folder.probe().force("UPDATE meta SET value = 'another store' WHERE key = 'store_id'");
  for (const bool with_repair : {false, true}) {
    const auto before = store.folder.contents();
    const auto done = test::run(store.folder, {.repair = with_repair});
    ASSERT_FALSE(done.result.has_value());
    EXPECT_EQ(done.result.error().code, Errc::unavailable);
    EXPECT_TRUE(store.folder.contents() == before);
  }
}

TEST(FsckFolder, ADatabaseThatIsNoneIsDamage) {
  StoreOfEverything store;
  store.folder.close();
  store.folder.write_file("meta.db", std::string(8192, 'x'));
  const Checked checked = check(store.folder);
  EXPECT_EQ(checked.damages(), "database none\n");
}

TEST(FsckFolder, WithABrokenTableNothingIsRepaired) {
  StoreOfEverything store;
  store.folder.close();
  // The first page of the table of tags becomes nonsense.
  const auto root = store.folder.probe().number("SELECT rootpage FROM sqlite_schema WHERE name = 'tag'");
  store.folder.probe().force("UPDATE repo SET used_bytes = 1");
  store.folder.probe().force("PRAGMA wal_checkpoint(TRUNCATE)");
  {
    std::fstream db(store.folder.database(), std::ios::in | std::ios::out | std::ios::binary);
    db.seekp((root - 1) * 4096);
    db << std::string(4096, '\x55');
  }
  const Checked repaired = repair(store.folder);
  EXPECT_TRUE(repaired.has_damage(FindingKind::database, Remedy::none)) << repaired.damages();
  EXPECT_TRUE(repaired.has_damage(FindingKind::usage, Remedy::blocked)) << repaired.damages();
  EXPECT_TRUE(repaired.report.blocked);
  EXPECT_EQ(repaired.report.repaired(), 0u);
  EXPECT_EQ(repaired.report.repairable, 0u) << "nothing was tried";
  for (const Finding& finding : repaired.findings) {
    EXPECT_FALSE(finding.what.contains('\n')) << "no statement, a sentence: " << finding.what;
  }
  EXPECT_FALSE(check(store.folder).report.blocked);
}

TEST(FsckFolder, AnIndexWithAHoleIsMadeAnew) {
  StoreOfEverything store;
  store.folder.close();
  // SQLite loses sight of the index while a row is added, and sees it again afterwards.
  const auto probe = store.folder.probe();
  const auto schema =
      probe.rows("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name='repo_by_ns'");
  const auto root = std::to_string(probe.number("SELECT rootpage FROM sqlite_schema WHERE name='repo_by_ns'"));
  probe.force("PRAGMA writable_schema=ON; DELETE FROM sqlite_schema WHERE name='repo_by_ns'");
  probe.force("INSERT INTO repo(ns_id, name, visibility, created_at) VALUES(1, 'team/hole', 0, 0)");
  probe.force("PRAGMA writable_schema=ON; INSERT INTO sqlite_schema VALUES('index', 'repo_by_ns', 'repo', " + root +
              ", 'CREATE INDEX repo_by_ns ON repo(ns_id, name)')");
  const Checked checked = check(store.folder);
  EXPECT_TRUE(checked.has_damage(FindingKind::database, Remedy::possible)) << checked.damages();
  const Checked repaired = repair(store.folder);
  EXPECT_TRUE(repaired.has_damage(FindingKind::database, Remedy::done)) << repaired.damages();
  EXPECT_EQ(check(store.folder).damages(), "");
}

}  // namespace
}  // namespace berth::lifecycle
