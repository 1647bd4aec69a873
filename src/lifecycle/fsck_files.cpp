// fsck: every file belongs to somebody. One that does not is untidy, not damage: an interrupted server may have left
// it. Old ones are moved to quarantine; nothing is deleted here.

#include "blob/blob_paths.h"
#include "lifecycle/fsck_run.h"
#include "meta/fsck_repair.h"
#include "meta/uploads.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace berth::lifecycle {

namespace {

constexpr std::int64_t kStrayAgeMs = 24LL * 60 * 60 * 1000;  // younger: somebody may be at work on it
constexpr std::size_t kNameMax = 150;                        // of 255, room for what is put around it
constexpr const char* kMove = "move it to quarantine";
constexpr std::array kAlgorithms = {oci::Algorithm::sha256, oci::Algorithm::sha512};

/// A name for a file that is none of Berth's: what it was called, as far as that is harmless.
std::string quarantine_name(std::string_view folder, std::string_view name) {
  std::string out = "stray-" + std::string(folder) + "-" + std::string(name.substr(0, kNameMax));
  std::ranges::replace_if(
      out,
      [](char c) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return !plain && c != '-' && c != '.' && c != '_';
      },
      '_');
  return std::string(blob::kQuarantineDir) + "/" + out;
}

/// Moves without replacing what an earlier repair put there.
Result<void> move_aside(FsckRun& run, const std::string& from, const std::string& wanted) {
  std::string to = wanted;
  for (int n = 1; run.files().open(to, io::FileSystem::Mode::read).has_value(); ++n) {
    to = wanted + "." + std::to_string(n);
  }
  return run.files().rename(from, to);
}

struct Stray {
  std::string path;
  std::string target;  // in quarantine
  std::int64_t modified_ms = 0;
  std::string what;
};

void report_stray(FsckRun& run, const Stray& stray) {
  Finding finding{.kind = FindingKind::stray_file, .object = stray.path, .what = stray.what, .action = kMove};
  if (run.now_ms() - stray.modified_ms < kStrayAgeMs) {
    finding.action = "it is younger than a day and left alone";
    return run.note(std::move(finding));
  }
  run.tidy(std::move(finding), [&] { return move_aside(run, stray.path, stray.target); });
}

Result<void> check_shard_file(FsckRun& run, oci::Algorithm algorithm, const std::string& dir,
                              const io::DirEntry& entry) {
  const std::string path = dir + "/" + entry.name;
  const auto key = blob::parse_final_name(algorithm, entry.name);
  if (!key || blob::final_path(*key) != path) {
    std::string folder = dir;
    std::ranges::replace(folder, '/', '-');
    report_stray(run, {path, quarantine_name(folder, entry.name), entry.modified_ms, "not a file of berth"});
    return {};
  }
  BERTH_TRY(const auto owner, meta::owner_of_file(run.db(), key->digest, key->inc));
  switch (owner) {
    case meta::FileOwner::present:
    case meta::FileOwner::bad:  // judged with the blobs
    case meta::FileOwner::doomed: break;
    case meta::FileOwner::nobody:
      report_stray(run, {path, blob::quarantine_path(*key), entry.modified_ms, "no blob has its bytes here"});
      break;
  }
  return {};
}

Result<void> check_shard(FsckRun& run, oci::Algorithm algorithm, unsigned shard) {
  run.checked(1);
  const std::string dir = blob::shard_dir(algorithm, shard);
  const auto entries = run.files().list(dir);
  if (!entries && entries.error().code == Errc::file_unknown) return {};  // reported with the folders
  BERTH_TRY(const auto listed, entries);
  for (const auto& entry : listed) BERTH_TRYV(check_shard_file(run, algorithm, dir, entry));
  return {};
}

/// Backups that leave out empty folders make such holes.
void check_folder(FsckRun& run, const std::string& dir) {
  run.checked(1);
  const auto there = run.files().open(dir, io::FileSystem::Mode::read);
  if (there || there.error().code != Errc::file_unknown) return;
  run.damage({.kind = FindingKind::folder_missing,
              .object = dir,
              .what = "the folder is missing, and nothing can be stored there",
              .action = "create it"},
             [&]() -> Result<void> {
               BERTH_TRYV(run.files().make_dir(dir));
               const std::size_t slash = dir.rfind('/');
               return run.files().sync_dir(slash == std::string::npos ? "." : dir.substr(0, slash));
             });
}

/// Staged files: of an open session, of a committed blob on its way to its place, or nobody's. What a start of the
/// server puts in order by itself is only mentioned.
Result<void> check_staged_file(FsckRun& run, const io::DirEntry& entry) {
  run.checked(1);
  const std::string path = std::string(blob::kUploadsDir) + "/" + entry.name;
  const auto inc = blob::parse_inc(entry.name);
  if (!inc) {
    report_stray(run, {path, quarantine_name(blob::kUploadsDir, entry.name), entry.modified_ms, "not a file of berth"});
    return {};
  }
  BERTH_TRY(const auto row, meta::find_upload_by_inc(run.db(), *inc));
  if (row && (row->state == meta::kUploadOpen || !row->placed)) return {};
  if (row && row->digest) {
    BERTH_TRY(const auto owner, meta::owner_of_file(run.db(), *row->digest, *inc));
    if (owner == meta::FileOwner::present || owner == meta::FileOwner::bad) {
      run.note({.kind = FindingKind::unfinished,
                .object = path,
                .what = "a blob that was never moved to its place",
                .action = "the next start of the server does it"});
      return {};
    }
  }
  run.note(
      {.kind = FindingKind::unfinished,
       .object = path,
       .what = row ? "a surplus copy of a blob that was here already" : "bytes of an upload that was never confirmed",
       .action = "the next start of the server removes it"});
  return {};
}

Result<void> check_open_upload(FsckRun& run, const meta::OpenUpload& upload,
                               const std::unordered_map<std::uint64_t, std::uint64_t>& staged) {
  const auto file = staged.find(upload.inc);
  const std::uint64_t have = file == staged.end() ? 0 : file->second;
  if (have >= upload.offset_bytes) return {};
  run.tidy({.kind = FindingKind::upload_lost,
            .object = upload.repo + " upload " + upload.id,
            .what = "of " + std::to_string(upload.offset_bytes) + " bytes received only " + std::to_string(have) +
                    " are here",
            .action = "forget it; the client starts again"},
           [&]() -> Result<void> {
             BERTH_TRYV(run.blobs().remove_staged(upload.inc));
             return run.write([&](sql::Connection& db) { return meta::forget_upload(db, upload.id); });
           });
  return {};
}

/// The staging folder holds what is in flight only, so its names fit in memory (as they do at every start).
Result<void> check_uploads(FsckRun& run) {
  const auto listed = run.files().list(blob::kUploadsDir);
  if (!listed && listed.error().code == Errc::file_unknown) return {};  // reported with the folders
  BERTH_TRY(const auto entries, listed);
  std::unordered_map<std::uint64_t, std::uint64_t> staged;
  for (const auto& entry : entries) {
    if (const auto inc = blob::parse_inc(entry.name)) staged.emplace(*inc, entry.size_bytes);
    BERTH_TRYV(check_staged_file(run, entry));
  }
  return walk(
      std::string(),
      [&](const std::string& after) { return meta::list_open_uploads(run.db(), after, FsckRun::kPageRows); },
      [](const meta::OpenUpload& upload) { return upload.id; },
      [&](const meta::OpenUpload& upload) { return check_open_upload(run, upload, staged); });
}

Result<void> mention_unfinished(FsckRun& run) {
  BERTH_TRY(const std::uint64_t unplaced, meta::count_unplaced(run.db()));
  BERTH_TRY(const std::uint64_t doomed, meta::count_doomed(run.db()));
  const auto mention = [&](std::uint64_t count, const char* object, const char* what) {
    if (count == 0) return;
    run.note({.kind = FindingKind::unfinished,
              .object = std::to_string(count) + object,
              .what = what,
              .action = "the next start of the server does it"});
  };
  mention(unplaced, " uploads", "complete, but their move into place is not confirmed yet");
  mention(doomed, " files", "collected, but not yet removed");
  return {};
}

}  // namespace

Result<void> check_folders(FsckRun& run) {
  run.begin("folders", 2 + 3 + 2 * 256);
  for (const char* dir : {blob::kUploadsDir, blob::kQuarantineDir, "blobs", "blobs/sha256", "blobs/sha512"}) {
    check_folder(run, dir);
  }
  for (const oci::Algorithm algorithm : kAlgorithms) {
    for (unsigned shard = 0; shard < 256; ++shard) check_folder(run, blob::shard_dir(algorithm, shard));
  }
  return {};
}

Result<void> check_files(FsckRun& run) {
  run.begin("files", 2 * 256);
  for (const oci::Algorithm algorithm : kAlgorithms) {
    for (unsigned shard = 0; shard < 256; ++shard) BERTH_TRYV(check_shard(run, algorithm, shard));
  }
  BERTH_TRYV(check_uploads(run));
  return mention_unfinished(run);
}

}  // namespace berth::lifecycle
