#pragma once
// `berth fsck`: is everything the store remembers true? Every row is compared with the rows and bytes it must agree
// with: files with blobs, manifests with their bytes, edges with what the bytes refer to, links, tags, histories,
// counters, the garbage queue. What can be derived is derived anew on repair; bytes that are not what they were are
// set aside, never deleted, and answer "not found" until somebody pushes them again.
//
// Offline: the caller owns the data folder. Memory is bounded by one page of rows, one manifest and the names of one
// shard folder, whatever the size of the store.

#include "base/clock.h"
#include "base/log.h"
#include "io/file_system.h"
#include "lifecycle/progress.h"
#include "lifecycle/recovery.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::lifecycle {

enum class FindingKind : std::uint8_t {
  database,             // the engine's own structures
  row_invalid,          // a value no Berth ever wrote, a repository that is not there
  blob_missing,         // present by its row, but there is no file
  blob_size,            // its file has another size
  blob_hash,            // its file holds other bytes (--deep)
  blob_unreadable,      // the disk fails on its file
  blob_bad,             // known from an earlier check, waits for a push; a note if no live manifest needs it
  blob_intact,          // set aside by an earlier check, but its bytes are here and right
  manifest_damaged,     // its bytes are gone or not what they were
  manifest_unreadable,  // its bytes are good, but this berth does not understand them
  manifest_columns,     // what its row repeats of the bytes differs from them
  manifest_edges,       // what it refers to by its rows is not what the bytes say
  edge_dangling,        // edges of a manifest that is gone
  body_unused,          // note: bytes of no manifest
  link_missing,         // a manifest needs a blob its repository does not have
  link_dangling,        // to a blob or of a repository that is gone
  link_empty,           // a live link to a placeholder
  tag_dangling,         // points at no live manifest of its repository
  tag_history,          // its history ends elsewhere
  tag_lost,             // its history says that it is there
  usage,                // a counter differs from what it counts
  candidate_missing,    // garbage nobody would ever collect
  candidate_dangling,   // names nothing
  folder_missing,       // a folder of the layout is gone
  stray_file,           // note: a file of nobody
  upload_lost,          // note: a session whose confirmed bytes are gone
  unfinished,           // note: work an interrupted server left for its next start
};
std::string_view to_string(FindingKind kind);

enum class Severity : std::uint8_t { note, damage };

enum class Remedy : std::uint8_t {
  unneeded,  // a note, nothing to do
  none,      // cannot be repaired here
  possible,  // --repair would
  done,
  failed,   // `error` says why
  blocked,  // not tried: the database itself is broken, and writing into it would make it worse
};
std::string_view to_string(Remedy remedy);

struct Finding {
  FindingKind kind = FindingKind::database;
  Severity severity = Severity::damage;
  std::string object;  // a digest, team/app:tag, team/app@digest, a path
  std::string what;    // what is wrong, in a clause
  std::string action;  // what a repair does, in the imperative; or what a person can do, if nothing else helps
  Remedy remedy = Remedy::none;
  std::string error;
};

struct FsckOptions {
  bool deep = false;    // read and hash every blob; else only those known to be bad
  bool repair = false;  // else nothing in the folder is changed
  bool force = false;   // repair even if so many files are missing that their volume is probably not mounted
  std::function<void(const Finding&)> on_finding;
  std::function<void(const Progress&)> on_progress;
};

struct FsckReport {
  struct Phase {
    std::string_view name;
    std::uint64_t checked = 0;
    std::uint64_t damaged = 0;
    std::uint64_t repaired = 0;
    std::uint64_t notes = 0;
  };
  std::vector<Phase> phases;
  std::uint64_t hashed_bytes = 0;
  std::optional<RecoveryReport> recovered;  // what a repair finished first

  std::uint64_t damaged() const;
  std::uint64_t repaired() const;
  /// Damage that a repair can undo, or has.
  std::uint64_t repairable = 0;
  /// A repair was wanted, but the database is in no state to be written: nothing was repaired.
  bool blocked = false;
  /// Blobs that a live manifest needs, set aside now or before: it cannot be pulled until they are pushed again.
  std::uint64_t waiting = 0;
};

/// The data folder, owned (locked) by the caller.
struct FsckFolder {
  io::FileSystem& files;
  std::string database_path;
  std::string store_id;  // of the files; the database must be of the same store, where it says
  std::string boot_id;
  const Clock& clock;
  const Log& log;
};

/// Checks everything. With repair the folder is first brought up to date as by a start (migrations, recovery).
/// Errors: unavailable (schema older or newer than this binary's, a database of another store, a repair while too many
/// files are missing: nothing was checked or changed), file_unknown (no database), io_failed, no_space. Damage is not
/// an error, not even a database that cannot be read.
Result<FsckReport> run_fsck(const FsckFolder& folder, const FsckOptions& options);

}  // namespace berth::lifecycle
