#pragma once
// For this room's tests: the folder of a distribution registry, written file by file, and migrations of it.

#include "base/random.h"
#include "lifecycle/migrate_distribution.h"
#include "lifecycle/test_fsck.h"
#include "support/fault_fs.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace berth::lifecycle::test {

class DistributionFolder {
 public:
  static constexpr std::int64_t kFirstMs = 1'600'000'000'000;

  std::string path() const { return dir_.path(); }
  std::string below(const std::string& name) const { return dir_ / ("docker/registry/v2/" + name); }
  static std::string blob_file(const oci::Digest& d) {
    return "blobs/" + std::string(to_string(d.algorithm())) + "/" + d.hex().substr(0, 2) + "/" + d.hex() + "/data";
  }
  static std::string link_file(const std::string& dir, const oci::Digest& d) {
    return dir + "/" + std::string(to_string(d.algorithm())) + "/" + d.hex() + "/link";
  }

  /// Each file is a second younger than the one before.
  void write(const std::string& name, std::string_view bytes) {
    const std::filesystem::path file = below(name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    written_ms_ += 1'000;
    const auto since_epoch = std::chrono::file_clock::from_sys(
        std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(written_ms_)));
    std::filesystem::last_write_time(file, since_epoch);
  }
  void remove(const std::string& name) const { std::filesystem::remove_all(below(name)); }

  oci::Digest blob(const std::string& bytes, oci::Algorithm algorithm = oci::Algorithm::sha256) {
    const auto d = oci::digest_of(algorithm, bytes);
    write(blob_file(d), bytes);
    return d;
  }
  oci::Digest layer(const std::string& repo, const std::string& bytes,
                    oci::Algorithm algorithm = oci::Algorithm::sha256) {
    const auto d = blob(bytes, algorithm);
    write(link_file("repositories/" + repo + "/_layers", d), d.str());
    return d;
  }
  oci::Digest manifest(const std::string& repo, const std::string& text) {
    const auto d = blob(text);
    write(link_file("repositories/" + repo + "/_manifests/revisions", d), d.str());
    return d;
  }
  void tag(const std::string& repo, const std::string& name, const oci::Digest& d) {
    const std::string dir = "repositories/" + repo + "/_manifests/tags/" + name;
    write(link_file(dir + "/index", d), d.str());
    write(dir + "/current/link", d.str());
  }
  /// An image of these blobs, the first its config; tagged if `tag_name` is not empty. Returns its text.
  std::string image(const std::string& repo, const std::string& tag_name, const std::vector<std::string>& blobs,
                    const ManifestExtras& extras = {}) {
    std::vector<Piece> pieces;
    for (const std::string& bytes : blobs) {
      layer(repo, bytes);
      pieces.push_back(piece_of(bytes));
    }
    const std::string text = image_text(pieces, extras);
    const auto d = manifest(repo, text);
    if (!tag_name.empty()) tag(repo, tag_name, d);
    return text;
  }
  std::int64_t now_ms() const { return written_ms_; }

 private:
  TempDir dir_{TempDir::Where::memory};
  std::int64_t written_ms_ = kFirstMs;
};

struct Migrated {
  Result<MigrateReport> result;
  std::vector<Skip> skips;

  /// "kind object" a line, sorted; without what is only for the record.
  std::string skipped() const { return lines(false); }
  std::string notes() const { return lines(true); }
  std::string reason_of(SkipKind kind) const {
    const auto found = std::ranges::find(skips, kind, &Skip::kind);
    return found == skips.end() ? std::string() : found->reason;
  }

 private:
  std::string lines(bool notes) const {
    std::vector<std::string> all;
    for (const Skip& skip : skips) {
      if (is_note(skip.kind) == notes) all.push_back(std::string(to_string(skip.kind)) + " " + skip.object + "\n");
    }
    std::ranges::sort(all);
    std::string out;
    for (const std::string& line : all) out += line;
    return out;
  }
};

/// `folder` must be closed. `files`: in the place of its own.
inline Migrated migrate(RegistryFolder& folder, const DistributionFolder& source, MigrateOptions options = {},
                        io::FileSystem* files = nullptr) {
  Migrated out;
  SeededRandom random(static_cast<std::uint64_t>(folder.clock.now_ms()));
  folder.clock.advance_ms(1'000);
  const auto own = *io::open_posix_file_system(folder.path());
  const MigrateTarget target{files != nullptr ? *files : *own, folder.path(), folder.database(), "this store",
                             "this boot"};
  options.path = source.path();
  options.threads = 2;
  options.on_skip = [&](const Skip& skip) { out.skips.push_back(skip); };
  out.result = migrate_distribution(&target, {folder.clock, folder.log, random}, options);
  return out;
}

/// The same, and it has to succeed.
inline Migrated migrated(RegistryFolder& folder, const DistributionFolder& source, MigrateOptions options = {}) {
  auto out = migrate(folder, source, std::move(options));
  EXPECT_TRUE(out.result.has_value()) << out.result.error().message << " " << out.result.error().cause;
  if (!out.result) out.result = MigrateReport{};
  return out;
}

inline constexpr auto kRepo = "team/app";

/// What every migration begins with: a folder to take over, and a data folder whose server is stopped.
struct Migration {
  DistributionFolder source;
  RegistryFolder target;

  Migration() { target.close(); }
  Migrated run(MigrateOptions options = {}) { return migrated(target, source, std::move(options)); }
};

/// The manifest as a client gets it, or why not. `folder` must be open.
inline std::string served(RegistryFolder& folder, std::string_view repo, std::string_view reference) {
  const auto found = run_task(folder.manifests().get(RegistryFolder::repo(repo), *oci::Reference::parse(reference)));
  return found ? (*found)->bytes : "(" + std::string(to_string(found.error().code)) + ")";
}

inline const std::string kTags = "repositories/team/app/_manifests/tags/";
/// The link of a manifest in team/app.
inline std::string revision_file(const std::string& digest) {
  return DistributionFolder::link_file("repositories/team/app/_manifests/revisions", *oci::Digest::parse(digest));
}

}  // namespace berth::lifecycle::test
