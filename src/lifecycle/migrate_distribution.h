#pragma once
// `berth migrate distribution`: takes over the folder of a registry:2 or registry:3 as it stands. Blobs come by hard
// link, reflink or copy, each hashed on the way; manifests go through the rules of a push, children before parents;
// tags come with what is known of their past. The source is only read and may even be in use; a second run takes what
// is new. Every step is a transaction of the store, so a run may be killed at any moment and started again.

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "blob/adopt.h"
#include "io/file_system.h"
#include "lifecycle/progress.h"
#include "registry/limits.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace berth::lifecycle {

enum class SkipKind : std::uint8_t {
  // What a client of the old registry could see, or once could:
  repository_name,      // not a name by the rules of the specification
  blob_damaged,         // its bytes are others
  blob_unreadable,      // the disk fails on it, or it may not be read
  manifest_missing,     // its bytes are gone
  manifest_damaged,     // its bytes are others
  manifest_schema1,     // the docker format that was given up
  manifest_invalid,     // not a manifest Berth accepts
  manifest_incomplete,  // what it refers to was not taken
  manifest_refused,     // more than a repository may hold
  tag_name,             // not a tag by the rules of the specification
  tag_dangling,         // points at nothing that was taken
  tag_conflict,         // exists already and points elsewhere
  link_damaged,         // a link file with something else in it
  folder_unreadable,    // a folder or file that cannot be read
  // What nobody could pull, for the record:
  layer_dangling,     // a repository's claim to a blob that is gone, as the old registry's collector leaves them
  blob_unlinked,      // in no repository
  upload_unfinished,  // uploads that were never finished
  unknown_file,       // not a file of a registry
};
inline constexpr std::size_t kSkipKinds = 18;
std::string_view to_string(SkipKind kind);
/// Whether it is only for the record: nobody could pull it from the old registry either.
bool is_note(SkipKind kind);

struct Skip {
  SkipKind kind = SkipKind::unknown_file;
  std::string object;  // team/app, team/app:tag, team/app@digest, a digest, a path below docker/registry/v2
  std::string reason;  // a clause
};

struct MigrateOptions {
  std::string path;                         // of the other registry
  std::optional<blob::AdoptMethod> method;  // the only one allowed; unset: the cheapest that works
  bool overwrite_tags = false;
  bool dry_run = false;  // reads names, links and manifests, but no blobs, and writes nothing
  unsigned threads = 1;  // that hash
  registry::Limits limits;
  std::function<void(const Skip&)> on_skip;
  std::function<void(const Progress&)> on_progress;
};

struct MigrateReport {
  struct Amount {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    void add(std::uint64_t size) {
      ++count;
      bytes += size;
    }
  };
  std::uint64_t repositories = 0;
  std::array<Amount, 3> blobs;  // taken, by blob::AdoptMethod
  Amount blobs_planned;         // of a dry run: would be taken
  Amount blobs_there;           // were there before
  std::uint64_t links = 0;      // memberships of blobs in repositories that are new
  std::uint64_t manifests = 0;
  std::uint64_t manifests_there = 0;
  std::uint64_t referrers = 0;  // of the new manifests: how many name a subject
  std::uint64_t tags = 0;
  std::uint64_t tags_moved = 0;  // from what the old registry's tag pointed at before, or because it was wanted
  std::uint64_t tags_there = 0;
  std::array<std::uint64_t, kSkipKinds> skipped{};
  blob::AdoptMethod method = blob::AdoptMethod::copy;  // what blobs would be taken with now
  std::string why_not_cheaper;                         // why it is not a hard link; empty if it is, or was not wanted

  Amount taken() const;
  bool changed() const { return taken().count + links + manifests + tags + tags_moved != 0; }
  std::uint64_t skips() const;  // without notes
  std::uint64_t notes() const;
};

/// The data folder, owned (locked) by the caller.
struct MigrateTarget {
  io::FileSystem& files;
  std::string path;
  std::string database_path;
  std::string store_id;
  std::string boot_id;
};

struct MigrateTools {
  const Clock& clock;
  const Log& log;
  Random& random;
};

/// Whether there is something to migrate at the path. Errors: file_unknown, io_failed, with a sentence.
Result<void> check_distribution_folder(const std::string& path);

/// `target`: nullptr only for a dry run without a data folder. Errors, after which another run goes on: file_unknown
/// (nothing to migrate at the path), unsupported (the method asked for is not possible), no_space, io_failed,
/// unavailable. What cannot be taken is no error.
Result<MigrateReport> migrate_distribution(const MigrateTarget* target, const MigrateTools& tools,
                                           const MigrateOptions& options);

}  // namespace berth::lifecycle
