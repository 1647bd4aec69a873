#pragma once
// Header only, so that test binaries of lower rooms need not link this one.
// The registry's services over a real database and a file system that can fail and lose power, on a clock the test
// moves. stop() and start() are the end of one process and the beginning of the next.

#include "base/random.h"
#include "blob/fs_store.h"
#include "registry/blobs.h"
#include "registry/listings.h"
#include "registry/manifests.h"
#include "registry/uploads.h"
#include "support/fault_fs.h"
#include "support/manifest_text.h"
#include "support/memory_source.h"
#include "support/run_task.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>

namespace berth::test {

class RegistryWorld {
 public:
  /// Wraps the connections of the store; see meta::Store::Hooks.
  using Wrap = std::function<std::unique_ptr<sql::Connection>(std::unique_ptr<sql::Connection>)>;

  explicit RegistryWorld(std::uint64_t seed = 1) : random(seed) {}
  ~RegistryWorld() { stop(); }
  RegistryWorld(const RegistryWorld&) = delete;
  RegistryWorld& operator=(const RegistryWorld&) = delete;

  void start() {
    const auto started = try_start();
    ASSERT_TRUE(started.has_value()) << started.error().message << started.error().cause;
  }
  Result<void> try_start() {
    disk = std::make_unique<io::BlockingPool>("disk", disk_threads, 1000);
    BERTH_TRY(blob_store, blob::FsStore::open_store(fs, *disk));
    meta::Store::Hooks hooks;
    hooks.sync_staging = [this] { return blob_store->sync_staging(); };
    hooks.wrap = wrap;
    BERTH_TRY(store, meta::Store::open({.path = database()}, std::move(hooks), clock, log));
    uploads = std::make_unique<registry::Uploads>(
        registry::Uploads::Deps{*store, *blob_store, *blob_store, *disk, space, clock, random, log, limits});
    blobs = std::make_unique<registry::Blobs>(
        registry::Blobs::Deps{*store, *blob_store, *blob_store, *disk, clock, log, limits});
    manifests =
        std::make_unique<registry::Manifests>(registry::Manifests::Deps{*store, *disk, space, clock, log, limits});
    listings = std::make_unique<registry::Listings>(*store, limits);
    return {};
  }
  void stop() {
    if (store) store->stop();
    if (disk) disk->stop();
    listings.reset();
    manifests.reset();
    blobs.reset();
    uploads.reset();
    store.reset();
    blob_store.reset();
    disk.reset();
  }
  void restart() {
    stop();
    start();
  }

  std::string database() const { return dir / (database_name + ".db"); }
  SqliteProbe probe() const { return SqliteProbe(database()); }

  // --- what clients do, each to its end ------------------------------------------------------------------------------

  static oci::RepoName repo(std::string_view name) { return *oci::RepoName::parse(name); }
  static oci::Digest digest(std::string_view text) { return oci::digest_of(oci::Algorithm::sha256, text); }

  Result<void> push_blob(std::string_view name, const std::string& text) {
    MemorySource body(text);
    return settled(run_task(uploads->put_whole(repo(name), digest(text), text.size(), body)));
  }
  Result<std::string> pull_blob(std::string_view name, const oci::Digest& wanted) {
    auto view = blobs->find_open(repo(name), wanted);
    if (!view) {
      BERTH_TRY(view, run_task(blobs->open(repo(name), wanted)));
    }
    std::string out(view->size_bytes, '\0');
    BERTH_TRYV(run_task(view->source->read_at(0, std::as_writable_bytes(std::span(out)))));
    return out;
  }
  Result<std::string> start_upload(std::string_view name) {
    BERTH_TRY(const auto state, run_task(uploads->start(repo(name), std::nullopt)));
    return state.id;
  }
  Result<registry::UploadState> append(std::string_view name, std::string id, std::string text,
                                       MemorySource::Options options = {}) {
    MemorySource body(std::move(text), std::move(options));
    return settled(run_task(uploads->append({repo(name), std::move(id)}, {}, body)));
  }
  Result<void> finish(std::string_view name, std::string id, const oci::Digest& whole, std::string text = {}) {
    MemorySource body(std::move(text));
    return settled(run_task(uploads->finish({repo(name), std::move(id)}, whole, {}, body)));
  }
  Result<registry::StoredManifest> push_manifest(std::string_view name, std::string_view reference, std::string text) {
    registry::PutManifest cmd{.repo = repo(name),
                              .reference = *oci::Reference::parse(reference),
                              .pin = {},
                              .media_type = {},
                              .body = std::move(text),
                              .extra_tags = {},
                              .precondition = {}};
    return run_task(manifests->put(std::move(cmd)));
  }
  Result<std::string> pull_manifest(std::string_view name, std::string_view reference) {
    if (const auto cached = manifests->find_cached(name, reference)) return cached->bytes;
    BERTH_TRY(const auto found, run_task(manifests->get(repo(name), *oci::Reference::parse(reference))));
    return found->bytes;
  }
  Result<void> delete_manifest(std::string_view name, std::string_view reference) {
    return run_task(manifests->remove(repo(name), *oci::Reference::parse(reference)));
  }
  /// An image of these blobs, pushed with them under a tag.
  std::string push_image(std::string_view name, std::string_view tag, const std::vector<std::string>& texts,
                         const ManifestExtras& extras = {}) {
    std::vector<Piece> pieces;
    for (const std::string& text : texts) {
      EXPECT_TRUE(push_blob(name, text).has_value());
      pieces.push_back(piece_of(text));
    }
    std::string manifest = image_text(pieces, extras);
    const auto done = push_manifest(name, tag, manifest);
    EXPECT_TRUE(done.has_value()) << done.error().message << done.error().cause;
    return manifest;
  }

  /// What the answer did not wait for has been done, so that the next fault strikes the next request. With several
  /// threads of the pool nobody can tell.
  template <class R>
  R settled(R result) {
    if (disk_threads > 1) return result;
    std::promise<void> done;
    if (disk->post([&done] { done.set_value(); })) done.get_future().wait();
    return result;
  }

  TempDir dir{TempDir::Where::memory};
  std::string database_name = "meta";
  Wrap wrap;
  unsigned disk_threads = 1;  // more only where one operation waits for another
  FaultFs fs;
  ManualClock clock;
  SeededRandom random;
  Log log{LogLevel::off};
  registry::Limits limits;
  registry::SpaceGuard space;

  std::unique_ptr<io::BlockingPool> disk;
  std::unique_ptr<blob::FsStore> blob_store;
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<registry::Uploads> uploads;
  std::unique_ptr<registry::Blobs> blobs;
  std::unique_ptr<registry::Manifests> manifests;
  std::unique_ptr<registry::Listings> listings;
};

template <class T>
Errc code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Errc::internal : result.error().code;
}

}  // namespace berth::test
