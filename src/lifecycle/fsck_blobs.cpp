// fsck: every blob that is present by its row has a file of the right size, and with --deep of the right content; one
// that is bad by its row really is.

#include "blob/blob_paths.h"
#include "lifecycle/fsck_run.h"
#include "lifecycle/missing.h"
#include "meta/blobs.h"

namespace berth::lifecycle {

namespace {

constexpr std::int64_t kPlaceholder = 0;
constexpr std::int64_t kPresent = 1;
constexpr std::int64_t kBad = 3;
constexpr std::int64_t kUsersNamed = 3;

constexpr const char* kSetAside = "set the bytes aside in quarantine; pulls answer 404 until the blob is pushed again";
constexpr const char* kMarkMissing = "remember that it is missing; pulls answer 404 until the blob is pushed again";

enum class Read : std::uint8_t { size, all };

struct Verdict {
  FindingKind kind = FindingKind::blob_missing;
  std::string what;
  bool proven = true;  // false: it may be our own trouble (permissions, descriptors); the bytes stay where they are
};

/// A disk that fails on the bytes is damage; a file that cannot even be opened says nothing about them.
Verdict unreadable(FsckRun& run, const blob::BlobKey& key, const Error& error) {
  const bool opens = run.files().open(blob::final_path(key), io::FileSystem::Mode::read).has_value();
  return {FindingKind::blob_unreadable, "its file cannot be read: " + error.cause, opens};
}

/// nullopt: good.
std::optional<Verdict> judge(FsckRun& run, const blob::BlobKey& key, std::uint64_t size_bytes, Read read) {
  const auto content = run.blobs().inspect(key, nullptr);
  if (!content) return unreadable(run, key, content.error());
  if (!content->present) return Verdict{FindingKind::blob_missing, "its file is missing"};
  if (content->size_bytes != size_bytes) {
    return Verdict{FindingKind::blob_size, "its file has " + std::to_string(content->size_bytes) +
                                               " bytes instead of " + std::to_string(size_bytes)};
  }
  if (read == Read::size) return std::nullopt;
  const blob::BlobMaintenance::Pace pace = [&](std::size_t bytes) {
    run.hashed(bytes);
    return true;
  };
  const auto hashed = run.blobs().inspect(key, &pace);
  if (!hashed) return unreadable(run, key, hashed.error());
  if (!hashed->digest_matches) return Verdict{FindingKind::blob_hash, "its content does not hash to the digest"};
  return std::nullopt;
}

std::string list_users(const char* verb, const std::vector<std::string>& names) {
  std::string out = verb;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == static_cast<std::size_t>(kUsersNamed)) return out + " and others";
    out += (i == 0 ? " " : ", ") + names[i];
  }
  return out;
}

struct Users {
  std::string text;
  bool needed = false;  // by a live manifest, which cannot be pulled without it
};

Result<Users> users_of(FsckRun& run, meta::BlobId blob) {
  BERTH_TRY(const auto manifests, meta::manifests_of_blob(run.db(), blob, kUsersNamed + 1));
  if (!manifests.empty()) return Users{list_users("needed by", manifests), true};
  BERTH_TRY(const auto repos, meta::repos_of_blob(run.db(), blob, kUsersNamed + 1));
  if (repos.empty()) return Users{"no repository uses it", false};
  return Users{list_users("no manifest needs it; linked by", repos), false};
}

Result<void> set_aside(FsckRun& run, meta::BlobId blob, const blob::BlobKey& key) {
  // The row first: from then on nobody is sent to the file.
  BERTH_TRYV(run.write([blob, inc = key.inc, now = run.now_ms()](sql::Connection& db) {
    return meta::mark_blob_bad(db, blob, inc, now);
  }));
  return run.blobs().quarantine(key);
}

/// A good blob becomes a bad one.
Result<void> check_present(FsckRun& run, const meta::BlobCheck& row) {
  const blob::BlobKey key{*row.digest, row.inc};
  const auto verdict = judge(run, key, row.size_bytes, run.deep() ? Read::all : Read::size);
  if (!verdict) return {};
  BERTH_TRY(const Users users, users_of(run, row.id));
  Finding finding{.kind = verdict->kind,
                  .object = row.digest->str(),
                  .what = verdict->what + " (" + blob::final_path(key) + "; " + users.text + ")",
                  .action = verdict->kind == FindingKind::blob_missing ? kMarkMissing : kSetAside};
  if (!verdict->proven) {
    finding.action = "see why the file cannot be opened, then check again";
    run.damage(std::move(finding), {});
    return {};
  }
  run.damage(std::move(finding), [&]() -> Result<void> {
    BERTH_TRYV(set_aside(run, row.id, key));
    if (users.needed) run.waits();
    return {};
  });
  return {};
}

void report_intact(FsckRun& run, const meta::BlobCheck& row, const Users& users) {
  run.damage(
      {.kind = FindingKind::blob_intact,
       .object = row.digest->str(),
       .what = "it was set aside by mistake and answers 404, but its bytes are here and intact (" + users.text + ")",
       .action = "mark it present again"},
      run.writing([id = row.id, inc = row.inc, now = run.now_ms()](sql::Connection& db) {
        return meta::mark_blob_present(db, id, inc, now);
      }));
}

/// A bad one becomes good if its bytes are in place and right: its file was missing for a while, or the check that
/// condemned it was wrong. Few blobs are bad, so their files are read even without --deep.
Result<void> check_bad(FsckRun& run, const meta::BlobCheck& row) {
  const blob::BlobKey key{*row.digest, row.inc};
  BERTH_TRY(const Users users, users_of(run, row.id));
  const auto verdict = judge(run, key, row.size_bytes, Read::all);
  if (!verdict) {
    report_intact(run, row, users);
    return {};
  }
  if (verdict->proven && verdict->kind != FindingKind::blob_missing) {
    run.tidy({.kind = FindingKind::stray_file,
              .object = blob::final_path(key),
              .what = "of a blob known to be bad: " + verdict->what,
              .action = "move it to quarantine"},
             [&] { return run.blobs().quarantine(key); });
  }
  Finding finding{
      .kind = FindingKind::blob_bad,
      .object = row.digest->str(),
      .what = "known to be damaged or missing (" + users.text + ")" + (verdict->proven ? "" : "; now " + verdict->what),
      .action = "push it again to heal it"};
  if (!users.needed) {
    run.note(std::move(finding));
    return {};
  }
  run.waits();
  run.damage(std::move(finding), {});
  return {};
}

Result<void> check_blob(FsckRun& run, const meta::BlobCheck& row) {
  run.checked(1);
  const bool state_known = row.state == kPlaceholder || row.state == kPresent || row.state == kBad;
  if (!row.digest || !state_known) {
    const std::string what = row.digest ? "its state is unknown" : "its digest is not one";
    run.damage({.kind = FindingKind::row_invalid, .object = "blob #" + std::to_string(row.id), .what = what}, {});
    return {};
  }
  if (row.state == kBad) return check_bad(run, row);
  if (row.state == kPresent) return check_present(run, row);
  return {};
}

template <class Each>
Result<void> walk_blobs(FsckRun& run, Each each) {
  return walk(
      meta::BlobId{0}, [&](meta::BlobId after) { return meta::check_blobs(run.db(), after, FsckRun::kPageRows); },
      [](const meta::BlobCheck& row) { return row.id; }, each);
}

bool is_missing(FsckRun& run, const blob::BlobKey& key) {
  for (const std::string& path : {blob::final_path(key), blob::staged_path(key.inc)}) {
    const auto file = run.files().open(path, io::FileSystem::Mode::read);
    if (file || file.error().code != Errc::file_unknown) return false;
  }
  return true;
}

}  // namespace

Result<void> check_mounted(FsckRun& run) {
  run.announce("looking for the files", run.totals().blobs);
  std::uint64_t present = 0;
  std::uint64_t missing = 0;
  BERTH_TRYV(walk_blobs(run, [&](const meta::BlobCheck& row) -> Result<void> {
    run.progressed(1);
    if (!row.digest || row.state != kPresent) return {};
    ++present;
    if (is_missing(run, {*row.digest, row.inc})) ++missing;
    return {};
  }));
  if (!too_many_missing(missing, present)) return {};
  return fail(Errc::unavailable, "nothing was changed: of " + std::to_string(present) + " blobs " +
                                     std::to_string(missing) +
                                     " have no file, as if a volume were not mounted or the files not restored yet; "
                                     "check without --repair to see which, or add --force to repair all the same");
}

Result<void> check_blobs(FsckRun& run) {
  if (run.deep()) {
    run.begin("blobs", run.totals().blob_bytes, FsckRun::Unit::bytes);
  } else {
    run.begin("blobs", run.totals().blobs);
  }
  return walk_blobs(run, [&](const meta::BlobCheck& row) { return check_blob(run, row); });
}

}  // namespace berth::lifecycle
