// The fail-the-n-th-statement loop: whatever statement of a transaction fails, the caller hears of it and the database
// is to the byte what it was before.
#include "meta/blobs.h"
#include "meta/grants.h"
#include "meta/manifests.h"
#include "meta/repos.h"
#include "meta/tags.h"
#include "meta/uploads.h"
#include "support/manifest_text.h"
#include "support/store_fixture.h"

namespace berth::meta {
namespace {

constexpr Stamp kStamp{1'700'000'000'000, std::nullopt};

oci::RepoName repo(std::string_view name) { return *oci::RepoName::parse(name); }
oci::Digest digest(std::string_view text) { return oci::digest_of(oci::Algorithm::sha256, text); }

Result<void> push_blob(sql::Connection& db, std::string_view name, std::string_view text, std::uint64_t inc) {
  BERTH_TRYV(commit_blob(db, repo(name), {digest(text), text.size(), inc}, kStamp));
  return {};
}

Result<void> push_manifest(sql::Connection& db, std::string_view name, const std::string& text) {
  BERTH_TRY(const RepoId id, ensure_repo(db, repo(name), kStamp));
  BERTH_TRY(const auto parsed, oci::parse_manifest(text, ""));
  NewManifest manifest{digest(text), text, parsed, {}, {}};
  std::vector<oci::Descriptor> parts = parsed.layers;
  if (parsed.config) parts.push_back(*parsed.config);
  for (const auto& part : parts) {
    BERTH_TRY(const auto target, find_edge_target(db, id, *part.digest));
    if (!target) return fail(Errc::manifest_blob_unknown);
    manifest.blobs.push_back(target->blob);
  }
  for (const auto& child : parsed.children) manifest.children.push_back(*child.digest);
  BERTH_TRY(const ManifestId stored, put_manifest(db, id, manifest, kStamp));
  return set_tag(db, id, *oci::Tag::parse("v1"), stored, digest(text), kStamp);
}

const std::string kImage = test::image_text({test::piece_of("config"), test::piece_of("layer")});
const std::string kIndex = test::index_text({test::piece_of(kImage)});

/// What every case finds: an image in `lib`, known to nobody else.
Result<void> prepare(sql::Connection& db) {
  BERTH_TRYV(push_blob(db, "lib", "config", 1));
  BERTH_TRYV(push_blob(db, "lib", "layer", 2));
  return push_manifest(db, "lib", kImage);
}

struct Case {
  const char* name;
  Result<void> (*run)(sql::Connection&);
  friend void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }
};

const Case kCases[] = {
    {"NewBlob",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRYV(push_blob(db, "new/app", "fresh", 3));
       UploadRow row;
       row.id = "u1";
       row.repo = "new/app";
       row.inc = 3;
       row.digest = digest("fresh");
       return record_upload(db, row, false);
     }},
    {"KnownBlob", [](sql::Connection& db) { return push_blob(db, "app", "layer", 3); }},
    {"RepairedBlob",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRY(const auto link, find_link(db, repo("lib"), digest("layer")));
       BERTH_TRYV(mark_blob_bad(db, link->blob, link->inc, 5));
       return push_blob(db, "app", "layer", 3);
     }},
    {"Mount",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRY(const bool done, mount_blob(db, repo("app"), repo("lib"), digest("layer"), kStamp));
       return done ? Result<void>() : fail(Errc::internal);
     }},
    {"ManifestWithNewTagAndRepository",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRYV(push_blob(db, "app", "config", 3));
       BERTH_TRYV(push_blob(db, "app", "layer", 4));
       return push_manifest(db, "app", kImage);
     }},
    {"IndexMovesTheTag", [](sql::Connection& db) { return push_manifest(db, "lib", kIndex); }},
    {"DeletedManifest",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRY(const RepoId id, ensure_repo(db, repo("lib"), kStamp));
       BERTH_TRYV(trash_manifest(db, id, digest(kImage), kStamp));
       return {};
     }},
    {"RevivedManifest",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRY(const RepoId id, ensure_repo(db, repo("lib"), kStamp));
       BERTH_TRYV(trash_manifest(db, id, digest(kImage), kStamp));
       return push_manifest(db, "lib", kImage);
     }},
    {"DeletedTag",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRY(const RepoId id, ensure_repo(db, repo("lib"), kStamp));
       BERTH_TRYV(delete_tag(db, id, *oci::Tag::parse("v1"), kStamp));
       return {};
     }},
    {"RenamedRepository",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRY(const auto info, find_repo_info(db, repo("lib")));
       BERTH_TRYV(rename_repo(db, *info, repo("lib/else")));
       BERTH_TRYV(move_grants(db, info->ns, "lib", "lib/else"));
       return {};
     }},
    {"TransferredRepository",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRYV(push_blob(db, "app", "layer", 3));
       BERTH_TRY(const auto info, find_repo_info(db, repo("lib")));
       BERTH_TRY(const auto ns, find_namespace(db, "app"));
       return transfer_repo(db, *info, ns->id, repo("app/lib"));
     }},
    {"DeletedRepository",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRY(const auto info, find_repo_info(db, repo("lib")));
       return delete_repo(db, *info, kStamp);
     }},
    {"DeletedBlob",
     [](sql::Connection& db) -> Result<void> {
       BERTH_TRYV(push_blob(db, "app", "layer", 3));
       BERTH_TRYV(trash_link(db, repo("app"), digest("layer"), kStamp));
       return {};
     }},
};

class TransactionFaults : public test::StoreFixture, public ::testing::WithParamInterface<std::tuple<Case, Errc>> {};

TEST_P(TransactionFaults, AnyFailedStatementLeavesTheDatabaseAsItWas) {
  const auto& [row, error] = GetParam();
  open();
  ASSERT_TRUE(store_->write_blocking(prepare).has_value());
  const std::string before = probe_.dump();
  std::int64_t n = 1;
  for (;; ++n) {
    fail_at(n, error);
    const auto done = store_->write_blocking(row.run);
    const bool hit = struck();
    fail_at(0, error);
    if (!hit) {
      ASSERT_TRUE(done.has_value()) << "statement " << n << " was never reached";
      break;
    }
    EXPECT_FALSE(done.has_value()) << "statement " << n << " failed and nobody heard of it";
    ASSERT_EQ(probe_.dump(), before) << "after statement " << n << " failed";
  }
  EXPECT_GT(n, 5) << "the loop broke something";
  EXPECT_NE(probe_.dump(), before);
}

/// Its closure fails by itself after it wrote, and then a statement of the undoing fails too.
TEST_P(TransactionFaults, AFailureWhileUndoingLeavesTheDatabaseAsItWas) {
  const auto& [row, error] = GetParam();
  open();
  ASSERT_TRUE(store_->write_blocking(prepare).has_value());
  const std::string before = probe_.dump();
  for (std::int64_t n = 1;; ++n) {
    fail_at(n, error);
    const auto done = store_->write_blocking([&](sql::Connection& db) -> Result<void> {
      BERTH_TRYV(row.run(db));
      return fail(Errc::precondition_failed);
    });
    const bool hit = struck();
    fail_at(0, error);
    ASSERT_FALSE(done.has_value());
    ASSERT_EQ(probe_.dump(), before) << "after statement " << n << " failed";
    if (!hit) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Statements, TransactionFaults,
                         ::testing::Combine(::testing::ValuesIn(kCases),
                                            ::testing::Values(Errc::io_failed, Errc::no_space)),
                         [](const auto& row) {
                           return std::string(std::get<0>(row.param).name) +
                                  (std::get<1>(row.param) == Errc::no_space ? "DiskFull" : "IoError");
                         });

}  // namespace
}  // namespace berth::meta
