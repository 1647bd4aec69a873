// Each damage is done to a store with a bit of everything in it, found under its name, repaired, and not found again.

#include "lifecycle/fsck.h"
#include "lifecycle/test_fsck.h"

namespace berth::lifecycle {
namespace {

using test::blob;
using test::check;
using test::Checked;
using test::flip;
using test::force;
using test::manifest;
using test::RegistryFolder;
using test::repair;
using test::StoreOfEverything;

struct Damage {
  const char* name;
  FindingKind kind;
  std::function<void(StoreOfEverything&)> inflict;
  bool deep = false;
  Remedy remedy = Remedy::done;
  const char* left = "";  // what is found after the repair
};

// An image needs the blob, and only a push can bring it back.
constexpr const char* kWaits = "blob_bad none\n";

const Damage kDamages[] = {
    {"FlippedByte", FindingKind::blob_hash, [](auto& s) { flip(s, s.layer); }, true, Remedy::done, kWaits},
    {"FileCutShort", FindingKind::blob_size,
     [](auto& s) {
       std::filesystem::resize_file(s.folder.path() + "/" + s.folder.file_of(RegistryFolder::digest(s.layer)), 3);
     },
     false, Remedy::done, kWaits},
    {"FileGone", FindingKind::blob_missing,
     [](auto& s) {
       std::filesystem::remove(s.folder.path() + "/" + s.folder.file_of(RegistryFolder::digest(s.layer)));
     },
     false, Remedy::done, kWaits},
    {"FileIsALink", FindingKind::blob_unreadable,
     [](auto& s) {
       const auto file = s.folder.path() + "/" + s.folder.file_of(RegistryFolder::digest(s.layer));
       std::filesystem::rename(file, file + ".moved");
       std::filesystem::create_symlink(file + ".moved", file);
     },
     false, Remedy::none},
    {"FileIsAFolder", FindingKind::blob_size,
     [](auto& s) {
       const auto file = s.folder.path() + "/" + s.folder.file_of(RegistryFolder::digest(s.layer));
       std::filesystem::remove(file);
       std::filesystem::create_directory(file);
     },
     false, Remedy::done, kWaits},
    {"Sha512FlippedByte", FindingKind::blob_hash,
     [](auto& s) {
       std::string damaged = s.wide;
       damaged[0] ^= 1;
       s.folder.write_file(s.folder.file_of(oci::digest_of(oci::Algorithm::sha512, s.wide)), damaged);
     },
     true},
    {"SetAsideByMistake", FindingKind::blob_intact,
     [](auto& s) { force(s, "UPDATE blob SET state = 3 WHERE id = " + blob(s.layer)); }},
    {"BlobStateUnknown", FindingKind::row_invalid,
     [](auto& s) { force(s, "UPDATE blob SET state = 9 WHERE id = " + blob(s.layer)); }, false, Remedy::none},
    {"ManifestBytesFlipped", FindingKind::manifest_damaged,
     [](auto& s) {
       force(s,
             "UPDATE manifest_body SET bytes = CAST(replace(CAST(bytes AS TEXT), 'schemaVersion', 'schemaVersjon') "
             "AS BLOB) WHERE id = (SELECT body_id FROM manifest WHERE id = " +
                 manifest(s.image) + ")");
     },
     false, Remedy::none},
    {"ManifestBytesGone", FindingKind::manifest_damaged,
     [](auto& s) {
       force(s, "DELETE FROM manifest_body WHERE id = (SELECT body_id FROM manifest WHERE id = " + manifest(s.image) +
                    ")");
     },
     false, Remedy::none},
    {"ManifestMediaTypeWrong", FindingKind::manifest_columns,
     [](auto& s) { force(s, "UPDATE manifest SET media_type = 'x/y' WHERE id = " + manifest(s.image)); }},
    {"ManifestSizeWrong", FindingKind::manifest_columns,
     [](auto& s) { force(s, "UPDATE manifest SET size = size + 1 WHERE id = " + manifest(s.image)); }},
    {"ManifestSubjectWrong", FindingKind::manifest_columns,
     [](auto& s) { force(s, "UPDATE manifest SET subject = NULL WHERE id = " + manifest(s.artifact)); }},
    {"ReferrersEntryWrong", FindingKind::manifest_columns,
     [](auto& s) { force(s, "UPDATE manifest SET ref_desc = '{}' WHERE id = " + manifest(s.artifact)); }},
    {"BodyHashWrong", FindingKind::manifest_columns,
     [](auto& s) {
       force(s, "UPDATE manifest_body SET sha256 = zeroblob(32) WHERE id = (SELECT body_id FROM manifest WHERE id = " +
                    manifest(s.image) + ")");
     }},
    {"EdgeGone", FindingKind::manifest_edges,
     [](auto& s) {
       force(s,
             "DELETE FROM manifest_blob WHERE manifest_id = " + manifest(s.image) + " AND blob_id = " + blob(s.layer));
     }},
    {"EdgeTooMany", FindingKind::manifest_edges,
     [](auto& s) {
       force(s, "INSERT INTO manifest_blob SELECT id, " + blob(s.loose) +
                    ", repo_id FROM manifest WHERE id = " + manifest(s.image));
     }},
    {"EdgeOfAnotherRepository", FindingKind::manifest_edges,
     [](auto& s) { force(s, "UPDATE manifest_blob SET repo_id = 99 WHERE manifest_id = " + manifest(s.image)); }},
    {"ChildEdgeGone", FindingKind::manifest_edges,
     [](auto& s) { force(s, "DELETE FROM manifest_child WHERE manifest_id = " + manifest(s.index)); }},
    {"EdgesOfNobody", FindingKind::edge_dangling,
     [](auto& s) { force(s, "INSERT INTO manifest_child VALUES(9999, x'01', 1)"); }},
    {"ManifestOfNoRepository", FindingKind::row_invalid,
     [](auto& s) { force(s, "UPDATE manifest SET repo_id = 99 WHERE id = " + manifest(s.untagged)); }, false,
     Remedy::none},
    {"BlobRowGone", FindingKind::manifest_edges,
     [](auto& s) { force(s, "DELETE FROM blob WHERE id = " + blob(s.layer)); }},
    {"BlobRowGoneLeavesItsLink", FindingKind::link_dangling,
     [](auto& s) { force(s, "DELETE FROM blob WHERE id = " + blob(s.layer)); }},
    {"LinkGone", FindingKind::link_missing,
     [](auto& s) { force(s, "DELETE FROM repo_blob WHERE blob_id = " + blob(s.layer)); }},
    {"LinkDeletedUnderAManifest", FindingKind::link_missing,
     [](auto& s) { force(s, "UPDATE repo_blob SET state = 2 WHERE blob_id = " + blob(s.layer)); }},
    {"LinkOfNoRepository", FindingKind::link_dangling,
     [](auto& s) { force(s, "INSERT INTO repo_blob VALUES(99, " + blob(s.layer) + ", 1, 0, NULL, 0)"); }},
    {"LinkToNoBlob", FindingKind::link_dangling,
     [](auto& s) { force(s, "INSERT INTO repo_blob VALUES(1, 9999, 1, 0, NULL, 0)"); }},
    {"LiveLinkToAPlaceholder", FindingKind::link_empty,
     [](auto& s) { force(s, "UPDATE repo_blob SET state = 1 WHERE state = 3"); }},
    {"LinkStateUnknown", FindingKind::row_invalid,
     [](auto& s) { force(s, "UPDATE repo_blob SET state = 7 WHERE blob_id = " + blob(s.loose)); }, false, Remedy::none},
    {"TagToNowhere", FindingKind::tag_dangling,
     [](auto& s) { force(s, "UPDATE tag SET manifest_id = 9999 WHERE name = 'v1'"); }},
    {"TagToADeletedManifest", FindingKind::tag_dangling,
     [](auto& s) {
       force(s, "UPDATE tag SET manifest_id = (SELECT id FROM manifest WHERE state = 2 LIMIT 1) WHERE name = 'v1'");
     }},
    {"TagToAnotherRepository", FindingKind::tag_dangling,
     [](auto& s) {
       force(s,
             "UPDATE tag SET manifest_id = (SELECT m.id FROM manifest m JOIN repo r ON r.id = m.repo_id "
             "WHERE r.name = 'sparse/app' LIMIT 1) WHERE name = 'v1'");
     }},
    {"HistoryGone", FindingKind::tag_history, [](auto& s) { force(s, "DELETE FROM tag_history WHERE name = 'v1'"); }},
    {"HistoryEndsElsewhere", FindingKind::tag_history,
     [](auto& s) {
       force(s, "INSERT INTO tag_history(repo_id, name, at, op) SELECT repo_id, name, 1, 2 FROM tag WHERE name = 'v1'");
     }},
    {"TagGone", FindingKind::tag_lost, [](auto& s) { force(s, "DELETE FROM tag WHERE name = 'v1'"); }},
    {"RepositoryBytesWrong", FindingKind::usage,
     [](auto& s) { force(s, "UPDATE repo SET used_bytes = used_bytes + 1"); }},
    {"TagCountWrong", FindingKind::usage,
     [](auto& s) { force(s, "UPDATE repo SET n_tags = 0 WHERE name = 'team/app'"); }},
    {"ManifestCountWrong", FindingKind::usage, [](auto& s) { force(s, "UPDATE repo SET n_manifests = 77"); }},
    {"NamespaceBytesWrong", FindingKind::usage, [](auto& s) { force(s, "UPDATE ns SET used_bytes = 5"); }},
    {"SharedBlobCountedWrong", FindingKind::usage,
     [](auto& s) { force(s, "UPDATE ns_blob SET links = 1 WHERE links = 2"); }},
    {"SharedBlobNotCounted", FindingKind::usage, [](auto& s) { force(s, "DELETE FROM ns_blob WHERE links = 2"); }},
    {"BlobCountedThatIsNotLinked", FindingKind::usage,
     [](auto& s) { force(s, "INSERT INTO ns_blob SELECT ns_id + 100, blob_id, 1 FROM ns_blob LIMIT 1"); }},
    {"LinkNobodyCollects", FindingKind::candidate_missing,
     [](auto& s) { force(s, "DELETE FROM gc_queue WHERE kind = 1"); }},
    {"ManifestNobodyCollects", FindingKind::candidate_missing,
     [](auto& s) { force(s, "DELETE FROM gc_queue WHERE kind = 4"); }},
    {"BlobNobodyCollects", FindingKind::candidate_missing,
     [](auto& s) {
       force(s, "INSERT INTO blob(digest, size, state, inc, created_at) VALUES(x'01" + std::string(64, 'a') +
                    "', 1, 0, 0, 0)");
     }},
    {"CandidatesThatNameNothing", FindingKind::candidate_dangling,
     [](auto& s) {
       force(s,
             "INSERT INTO gc_queue VALUES(1, 1, 9999, 0, 1, 0), (2, 0, 9999, 0, 1, 0), (3, 1, 9999, 0, 1, 0),"
             "(4, 2, 9999, 0, 1, 0)");
     }},
    {"FolderGone", FindingKind::folder_missing,
     [](auto& s) {
       // One without a file in it, or the files would be missed first.
       for (unsigned shard = 0; shard < 255; ++shard) {
         const std::byte b{static_cast<unsigned char>(shard)};
         const auto dir = s.folder.path() + "/blobs/sha512/" + to_hex(std::span(&b, 1));
         if (std::filesystem::is_empty(dir)) return void(std::filesystem::remove(dir));
       }
     }},
};

class FsckDamage : public ::testing::TestWithParam<Damage> {};

TEST_P(FsckDamage, IsFoundRepairedAndGone) {
  const Damage& damage = GetParam();
  StoreOfEverything store;
  store.folder.close();
  damage.inflict(store);
  const bool repairable = damage.remedy == Remedy::done;
  const auto before = store.folder.contents();

  const Checked checked = check(store.folder, {.deep = damage.deep});
  EXPECT_TRUE(checked.has_damage(damage.kind, repairable ? Remedy::possible : Remedy::none)) << checked.damages();
  EXPECT_TRUE(store.folder.contents() == before) << "a check without repair changes nothing";

  const Checked repaired = repair(store.folder, {.deep = damage.deep});
  EXPECT_TRUE(repaired.has_damage(damage.kind, damage.remedy)) << repaired.damages();
  EXPECT_EQ(repaired.failures(), "");

  const Checked after = check(store.folder, {.deep = true});
  if (repairable) {
    EXPECT_EQ(after.damages(), damage.left) << "first repaired: " << repaired.damages();
  } else {
    EXPECT_TRUE(after.has_damage(damage.kind, Remedy::none)) << after.damages();
  }
}

INSTANTIATE_TEST_SUITE_P(All, FsckDamage, ::testing::ValuesIn(kDamages),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace berth::lifecycle
