#pragma once
// For tests of the metadata functions: a migrated database in a folder of its own, and short names for what goes in.

#include "meta/blobs.h"
#include "meta/manifests.h"
#include "meta/migrations.h"
#include "meta/repos.h"
#include "meta/tags.h"
#include "sql/connection.h"
#include "support/manifest_text.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth::test {

class MetaFixture : public ::testing::Test {
 protected:
  static constexpr std::int64_t kStart = 1'700'000'000'000;

  MetaFixture()
      : db_(*sql::open_sqlite({.path = dir_ / "meta.db", .mode = sql::SqliteOptions::Mode::writer})),
        probe_(dir_ / "meta.db") {
    EXPECT_TRUE(meta::migrate(*db_, kStart).has_value());
  }

  static oci::RepoName repo(std::string_view name) { return *oci::RepoName::parse(name); }
  static oci::Tag tag(std::string_view name) { return *oci::Tag::parse(name); }
  static oci::Digest digest(std::string_view text) { return oci::digest_of(oci::Algorithm::sha256, text); }
  meta::Stamp stamp() const { return {now_, std::nullopt}; }

  /// The blob whose bytes are `text` becomes known and linked; each call brings an incarnation of its own.
  meta::CommittedBlob push(std::string_view name, std::string_view text) {
    auto done = meta::commit_blob(*db_, repo(name), {digest(text), text.size(), ++inc_}, stamp());
    EXPECT_TRUE(done.has_value()) << done.error().cause;
    return done.value_or(meta::CommittedBlob{});
  }
  bool mount(std::string_view target, std::optional<std::string_view> source, std::string_view text) {
    const auto from = source ? std::optional(repo(*source)) : std::nullopt;
    auto done = meta::mount_blob(*db_, repo(target), from, digest(text), stamp());
    EXPECT_TRUE(done.has_value()) << done.error().cause;
    return done.value_or(false);
  }
  meta::RepoId repo_id(std::string_view name) { return meta::ensure_repo(*db_, repo(name), stamp()).value(); }
  meta::BlobId blob_id(std::string_view text) {
    return probe_.number("SELECT id FROM blob WHERE hex(digest) = upper('" + storage_hex(digest(text)) + "')");
  }
  static std::string storage_hex(const oci::Digest& d) { return to_hex(d.storage()); }

  /// Stores the manifest with edges to whatever of it the repository has.
  meta::ManifestId put(std::string_view name, const std::string& text,
                       oci::Algorithm algorithm = oci::Algorithm::sha256) {
    const meta::RepoId id = repo_id(name);
    const auto parsed = oci::parse_manifest(text, "");
    EXPECT_TRUE(parsed.has_value()) << parsed.error().message << text;
    meta::NewManifest manifest{oci::digest_of(algorithm, text), text, *parsed, {}, {}};
    std::vector<oci::Descriptor> parts = parsed->layers;
    if (parsed->config) parts.push_back(*parsed->config);
    for (const auto& part : parts) {
      const auto target = meta::find_edge_target(*db_, id, *part.digest);
      EXPECT_TRUE(target.has_value() && target->has_value()) << "push the blob first";
      manifest.blobs.push_back((*target)->blob);
    }
    for (const auto& child : parsed->children) manifest.children.push_back(*child.digest);
    auto done = meta::put_manifest(*db_, id, manifest, stamp());
    EXPECT_TRUE(done.has_value()) << done.error().cause;
    return done.value_or(0);
  }
  /// An image of these blobs, pushed with them.
  std::string image(std::string_view name, const std::vector<std::string>& texts, const ManifestExtras& extras = {}) {
    std::vector<Piece> pieces;
    for (const std::string& text : texts) {
      push(name, text);
      pieces.push_back(piece_of(text));
    }
    const std::string text = image_text(pieces, extras);
    put(name, text);
    return text;
  }
  void point(std::string_view name, std::string_view tag_name, const std::string& manifest) {
    const meta::RepoId id = repo_id(name);
    const auto found = meta::find_child_target(*db_, id, digest(manifest));
    ASSERT_TRUE(found.has_value() && found->has_value());
    ASSERT_TRUE(meta::set_tag(*db_, id, tag(tag_name), (*found)->id, digest(manifest), stamp()).has_value());
  }

  TempDir dir_{TempDir::Where::memory};
  std::unique_ptr<sql::Connection> db_;
  SqliteProbe probe_;
  std::int64_t now_ = kStart;
  std::uint64_t inc_ = 0;
};

}  // namespace berth::test
