#pragma once
// A data folder with real files and a real database, filled through the services and then closed, so that a test can
// look at it, damage it, and run what works on stopped registries.

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "blob/fs_store.h"
#include "io/blocking_pool.h"
#include "lifecycle/recovery.h"
#include "meta/store.h"
#include "registry/blobs.h"
#include "registry/manifests.h"
#include "registry/uploads.h"
#include "support/manifest_text.h"
#include "support/memory_source.h"
#include "support/run_task.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace berth::test {

class RegistryFolder {
 public:
  RegistryFolder() { open(); }
  ~RegistryFolder() { close(); }
  RegistryFolder(const RegistryFolder&) = delete;
  RegistryFolder& operator=(const RegistryFolder&) = delete;

  static oci::RepoName repo(std::string_view name) { return *oci::RepoName::parse(name); }
  static oci::Digest digest(std::string_view text) { return oci::digest_of(oci::Algorithm::sha256, text); }

  /// Brings the services up over the folder, as a server does.
  void open() {
    files_ = *io::open_posix_file_system(dir_.path());
    disk_ = std::make_unique<io::BlockingPool>("disk", 1, 100);
    blobs_ = *blob::FsStore::open_store(*files_, *disk_);
    meta::Store::Hooks hooks;
    hooks.sync_staging = [this] { return blobs_->sync_staging(); };
    store_ = *meta::Store::open({.path = database()}, std::move(hooks), clock, log);
    uploads_ = std::make_unique<registry::Uploads>(
        registry::Uploads::Deps{*store_, *blobs_, *blobs_, *disk_, space_, clock, random_, log, limits});
    manifests_ =
        std::make_unique<registry::Manifests>(registry::Manifests::Deps{*store_, *disk_, space_, clock, log, limits});
    blob_service_ =
        std::make_unique<registry::Blobs>(registry::Blobs::Deps{*store_, *blobs_, *blobs_, *disk_, clock, log, limits});
  }
  /// What a server does on its way down; after it the folder is nobody's.
  void close() {
    uploads_.reset();
    manifests_.reset();
    blob_service_.reset();
    store_.reset();
    blobs_.reset();
    disk_.reset();
  }

  oci::Digest push(std::string_view name, const std::string& bytes, oci::Algorithm algorithm = oci::Algorithm::sha256) {
    const oci::Digest d = oci::digest_of(algorithm, bytes);
    MemorySource body(bytes);
    const auto done = run_task(uploads_->put_whole(repo(name), d, bytes.size(), body));
    // The answer does not wait for the file to have its final name; tests look for it there.
    std::promise<void> placed;
    if (disk_->post([&placed] { placed.set_value(); })) placed.get_future().wait();
    EXPECT_TRUE(done.has_value()) << done.error().message << done.error().cause;
    return d;
  }
  oci::Digest put(std::string_view name, std::string_view reference, const std::string& manifest) {
    const oci::Digest d = digest(manifest);
    const auto ref = reference.empty() ? oci::Reference(d) : *oci::Reference::parse(reference);
    const auto done = run_task(manifests_->put({repo(name), ref, {}, {}, manifest, {}, {}}));
    EXPECT_TRUE(done.has_value()) << done.error().message << done.error().cause;
    return d;
  }
  /// An image of these blobs under a tag, pushed with them. Returns its text.
  std::string push_image(std::string_view name, std::string_view tag, const std::vector<std::string>& blobs,
                         const ManifestExtras& extras = {}) {
    std::vector<Piece> pieces;
    for (const std::string& bytes : blobs) {
      push(name, bytes);
      pieces.push_back(piece_of(bytes));
    }
    const std::string text = image_text(pieces, extras);
    put(name, tag, text);
    return text;
  }
  void remove(std::string_view name, std::string_view reference) {
    const auto done = run_task(manifests_->remove(repo(name), *oci::Reference::parse(reference)));
    EXPECT_TRUE(done.has_value()) << done.error().message << done.error().cause;
  }

  const std::string& path() const { return dir_.path(); }
  std::string database() const { return dir_ / "meta.db"; }
  SqliteProbe probe() const { return SqliteProbe(database()); }
  io::FileSystem& files() { return *files_; }
  meta::Store& store() { return *store_; }
  blob::FsStore& blobs() { return *blobs_; }
  registry::Uploads& uploads() { return *uploads_; }
  registry::Manifests& manifests() { return *manifests_; }
  registry::Blobs& blob_service() { return *blob_service_; }

  /// Path of the blob's file, relative to the folder.
  std::string file_of(const oci::Digest& d) const {
    const std::string dir = "blobs/" + std::string(to_string(d.algorithm())) + "/" + d.hex().substr(0, 2);
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/" + dir)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(d.hex())) return dir + "/" + name;
    }
    return {};
  }
  void write_file(const std::string& relative, std::string_view content) const {
    std::ofstream(path() + "/" + relative, std::ios::binary) << content;
  }
  std::vector<std::string> names_in(const std::string& relative) const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/" + relative))
      out.push_back(entry.path().filename().string());
    return out;
  }
  /// Every file with its content, SQLite's scratch index aside.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path())) {
      if (!entry.is_regular_file() || entry.path().filename() == "meta.db-shm") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      out[entry.path().string()] = std::string(std::istreambuf_iterator<char>(in), {});
    }
    return out;
  }

  ManualClock clock;
  registry::Limits limits;  // take effect with the next open()
  Log log{LogLevel::off};

 private:
  TempDir dir_{TempDir::Where::memory};
  SeededRandom random_{7};
  registry::SpaceGuard space_;
  std::unique_ptr<io::FileSystem> files_;
  std::unique_ptr<io::BlockingPool> disk_;
  std::unique_ptr<blob::FsStore> blobs_;
  std::unique_ptr<meta::Store> store_;
  std::unique_ptr<registry::Uploads> uploads_;
  std::unique_ptr<registry::Manifests> manifests_;
  std::unique_ptr<registry::Blobs> blob_service_;
};

}  // namespace berth::test
