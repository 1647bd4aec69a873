// What a damaged folder loses in a migration, and that nothing else is lost with it.

#include "lifecycle/migrate_distribution.h"
#include "lifecycle/test_migrate.h"

namespace berth::lifecycle {
namespace {

using test::check;
using test::DistributionFolder;
using test::image_text;
using test::index_text;
using test::kRepo;
using test::kTags;
using test::migrated;
using test::Migrated;
using test::Migration;
using test::piece_of;
using test::RegistryFolder;
using test::revision_file;
using test::run_task;

struct DamageRow {
  const char* why;
  std::function<void(DistributionFolder&)> damage;
  std::string skipped;  // as Migrated::skipped()
  std::string notes;
  std::uint64_t manifests = 2;
};

const std::string kImage = RegistryFolder::digest(image_text({piece_of("config"), piece_of("layer")})).str();
const std::string kOther = RegistryFolder::digest(image_text({piece_of("other")})).str();

std::string layer_file() { return DistributionFolder::blob_file(RegistryFolder::digest("layer")); }
std::string manifest_file(const std::string& digest) {
  return DistributionFolder::blob_file(*oci::Digest::parse(digest));
}
const std::vector<DamageRow>& damage_rows() {
  static const std::string kLayer = RegistryFolder::digest("layer").str();
  static const std::string kIncomplete = "incomplete manifest team/app@" + kImage + "\n";
  static const std::string kDangling = "dangling tag team/app:image\n";
  static const std::vector<DamageRow> rows = {
      {"nothing is wrong", [](auto&) {}, "", ""},
      {"a blob holds other bytes", [](auto& s) { s.write(layer_file(), "l4yer"); },
       "damaged blob " + kLayer + "\n" + kDangling + kIncomplete, "", 1},
      {"a blob was cut short", [](auto& s) { s.write(layer_file(), "lay"); },
       "damaged blob " + kLayer + "\n" + kDangling + kIncomplete, "", 1},
      {"a blob is gone that an image needs", [](auto& s) { s.remove(layer_file()); }, kDangling + kIncomplete,
       "link to a blob that is gone team/app@" + kLayer + "\n", 1},
      {"a blob is a folder",
       [](auto& s) {
         s.remove(layer_file());
         s.write(layer_file() + "/x", "");
       },
       kDangling + kIncomplete, "link to a blob that is gone team/app@" + kLayer + "\n", 1},
      {"a blob is a symbolic link",
       [](auto& s) {
         s.write("elsewhere", "layer");
         s.remove(layer_file());
         std::filesystem::create_symlink(s.below("elsewhere"), s.below(layer_file()));
       },
       kDangling + kIncomplete, "link to a blob that is gone team/app@" + kLayer + "\n", 1},
      {"a layer's link is gone",
       [](auto& s) {
         s.remove(DistributionFolder::link_file("repositories/team/app/_layers", RegistryFolder::digest("layer")));
       },
       kDangling + kIncomplete, "blob of no repository " + kLayer + "\n", 1},
      {"a link file was emptied by a power cut",
       [](auto& s) {
         s.write(DistributionFolder::link_file("repositories/team/app/_layers", RegistryFolder::digest("layer")), "");
       },
       "damaged link repositories/team/app/_layers/sha256/" + RegistryFolder::digest("layer").hex() + "/link\n" +
           kDangling + kIncomplete,
       "blob of no repository " + kLayer + "\n", 1},
      {"a link file names another digest", [](auto& s) { s.write(revision_file(kImage), kOther); },
       kDangling + "damaged link " + revision_file(kImage) + "\n", "blob of no repository " + kImage + "\n", 1},
      {"a manifest's bytes are gone", [](auto& s) { s.remove(manifest_file(kImage)); },
       kDangling + "lost manifest team/app@" + kImage + "\n", "", 1},
      {"a manifest's bytes are others", [](auto& s) { s.write(manifest_file(kImage), "{}"); },
       "damaged manifest team/app@" + kImage + "\n" + kDangling, "", 1},
      {"a manifest was deleted: its folder is left", [](auto& s) { s.remove(revision_file(kOther)); }, "",
       "blob of no repository " + kOther + "\n", 1},
      {"a tag points at a manifest that was deleted", [](auto& s) { s.remove(revision_file(kImage)); }, kDangling,
       "blob of no repository " + kImage + "\n", 1},
      {"a tag has lost what it points at", [](auto& s) { s.remove(kTags + "image/current"); }, kDangling, ""},
      {"a tag points at nonsense", [](auto& s) { s.write(kTags + "image/current/link", "nonsense"); },
       "damaged link " + kTags + "image/current/link\n" + kDangling, ""},
      {"a tag has no name anyone may use", [](auto& s) { s.tag("team/app", "-v1", *oci::Digest::parse(kImage)); },
       "tag name team/app:-v1\n", ""},
      {"a repository has no name anyone may use", [](auto& s) { s.image("team/App", "x", {"upper"}); },
       "repository name team/App\n",
       "blob of no repository " + RegistryFolder::digest("upper").str() + "\nblob of no repository " +
           RegistryFolder::digest(image_text({piece_of("upper")})).str() + "\n"},
      {"a manifest of schema 1",
       [](auto& s) { s.manifest("team/app", R"({"schemaVersion":1,"name":"team/app","tag":"old","fsLayers":[]})"); },
       "schema 1 manifest team/app@" +
           RegistryFolder::digest(R"({"schemaVersion":1,"name":"team/app","tag":"old","fsLayers":[]})").str() + "\n",
       ""},
      {"a manifest that is none", [](auto& s) { s.manifest("team/app", "not JSON"); },
       "invalid manifest team/app@" + RegistryFolder::digest("not JSON").str() + "\n", ""},
      {"a manifest larger than any may be",
       [](auto& s) { s.manifest("team/app", std::string(4 * 1024 * 1024 + 1, ' ')); },
       "invalid manifest team/app@" + RegistryFolder::digest(std::string(4 * 1024 * 1024 + 1, ' ')).str() + "\n", ""},
      {"an index of a manifest that is not there",
       [](auto& s) { s.manifest("team/app", index_text({piece_of("gone")})); },
       "incomplete manifest team/app@" + RegistryFolder::digest(index_text({piece_of("gone")})).str() + "\n", ""},
      {"unfinished uploads", [](auto& s) { s.write("repositories/team/app/_uploads/1234/data", "half"); }, "",
       "unfinished upload team/app\n"},
      {"files of nobody",
       [](auto& s) {
         s.write("repositories/team/app/README", "hello");
         s.write("repositories/team/app/_trash/x", "hello");
         s.write("repositories/team/app/_layers/md5/00/link", "hello");
         s.write("blobs/sha256/zz/x", "hello");
       },
       "",
       "unknown file blobs/sha256/zz\nunknown file repositories/team/app/README\nunknown file "
       "repositories/team/app/_layers/md5\nunknown file repositories/team/app/_trash\n"},
      {"a repository behind a symbolic link",
       [](auto& s) { std::filesystem::create_directory_symlink("app", s.below("repositories/team/alias")); }, "",
       "unknown file repositories/team/alias\n"},
  };
  return rows;
}

std::string sorted(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    all.push_back(text.substr(at, text.find('\n', at) + 1 - at));
  std::ranges::sort(all);
  std::string out;
  for (const std::string& line : all) out += line;
  return out;
}

TEST(MigrateDamage, IsSkippedWithItsReasonAndTheRestIsTaken) {
  for (const DamageRow& row : damage_rows()) {
    SCOPED_TRACE(row.why);
    Migration m;
    m.source.image(kRepo, "image", {"config", "layer"});
    m.source.image(kRepo, "", {"other"});
    row.damage(m.source);
    const Migrated done = m.run();
    EXPECT_EQ(done.skipped(), sorted(row.skipped));
    EXPECT_EQ(done.notes(), sorted(row.notes));
    EXPECT_EQ(done.result->manifests, row.manifests);
    for (const Skip& skip : done.skips) EXPECT_NE(skip.reason, "") << skip.object;
    EXPECT_EQ(check(m.target, {.deep = true}).damages(), "");

    // A second look says the same, and a dry run said it before, but for what only reading tells.
    EXPECT_EQ(m.run().skipped(), sorted(row.skipped));
    RegistryFolder fresh;
    fresh.close();
    const Migrated foretold = migrated(fresh, m.source, {.dry_run = true});
    if (row.skipped.find("damaged blob") == std::string::npos) {
      EXPECT_EQ(foretold.skipped(), sorted(row.skipped));
      EXPECT_EQ(foretold.result->manifests, row.manifests);
    }
    EXPECT_EQ(foretold.notes(), sorted(row.notes));
  }
}

TEST(MigrateDamage, TheReasonNamesWhatIsMissingAndWhy) {
  Migration m;
  m.source.image(kRepo, "image", {"config", "layer"});
  m.source.write(layer_file(), "l4yer");
  const Migrated done = m.run();
  const std::string reason = done.reason_of(SkipKind::manifest_incomplete);
  EXPECT_NE(reason.find(RegistryFolder::digest("layer").str()), std::string::npos) << reason;
  EXPECT_NE(reason.find("damaged"), std::string::npos) << reason;
}

TEST(MigrateDamage, SparsePoliciesTakeWhatIsIncomplete) {  // V12
  Migration m;
  m.source.image(kRepo, "image", {"config", "layer"});
  m.source.remove(layer_file());
  MigrateOptions options;
  options.limits.reference_policy = registry::ReferencePolicy::sparse;
  EXPECT_EQ(m.run(options).skipped(), "");
  EXPECT_EQ(check(m.target, {.deep = true}).damages(), "");
  m.source.layer(kRepo, "layer");  // it turns up
  m.run(options);
  m.target.open();
  EXPECT_TRUE(
      run_task(m.target.blob_service().open(RegistryFolder::repo(kRepo), RegistryFolder::digest("layer"))).has_value());
}

}  // namespace
}  // namespace berth::lifecycle
