// fsck: every blob that is present by its row has a file of the right size, and with --deep of the right content.

#include "blob/blob_paths.h"
#include "lifecycle/fsck_run.h"
#include "meta/blobs.h"

namespace berth::lifecycle {

namespace {

constexpr std::int64_t kPlaceholder = 0;
constexpr std::int64_t kPresent = 1;
constexpr std::int64_t kBad = 3;
constexpr std::int64_t kReposNamed = 3;

constexpr const char* kSetAside = "set the bytes aside in quarantine; pulls answer 404 until the blob is pushed again";
constexpr const char* kMarkMissing = "remember that it is missing; pulls answer 404 until the blob is pushed again";

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
std::optional<Verdict> judge(FsckRun& run, const blob::BlobKey& key, std::uint64_t size_bytes) {
  const auto content = run.blobs().inspect(key, nullptr);
  if (!content) return unreadable(run, key, content.error());
  if (!content->present) return Verdict{FindingKind::blob_missing, "its file is missing"};
  if (content->size_bytes != size_bytes) {
    return Verdict{FindingKind::blob_size, "its file has " + std::to_string(content->size_bytes) +
                                               " bytes instead of " + std::to_string(size_bytes)};
  }
  if (!run.deep()) return std::nullopt;
  const blob::BlobMaintenance::Pace pace = [&](std::size_t bytes) {
    run.hashed(bytes);
    return true;
  };
  const auto hashed = run.blobs().inspect(key, &pace);
  if (!hashed) return unreadable(run, key, hashed.error());
  if (!hashed->digest_matches) return Verdict{FindingKind::blob_hash, "its content does not hash to the digest"};
  return std::nullopt;
}

Result<std::string> used_by(FsckRun& run, meta::BlobId blob) {
  BERTH_TRY(const auto names, meta::repos_of_blob(run.db(), blob, kReposNamed + 1));
  if (names.empty()) return std::string("no repository uses it");
  std::string out = "used by ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == static_cast<std::size_t>(kReposNamed)) return out + " and others";
    out += (i == 0 ? "" : ", ") + names[i];
  }
  return out;
}

Result<void> set_aside(FsckRun& run, meta::BlobId blob, const blob::BlobKey& key) {
  // The row first: from then on nobody is sent to the file.
  BERTH_TRYV(run.write([blob, inc = key.inc, now = run.now_ms()](sql::Connection& db) {
    return meta::mark_blob_bad(db, blob, inc, now);
  }));
  return run.blobs().quarantine(key);
}

Result<void> check_blob(FsckRun& run, const meta::BlobCheck& row) {
  run.checked(1);
  const bool state_known = row.state == kPlaceholder || row.state == kPresent || row.state == kBad;
  if (!row.digest || !state_known) {
    const std::string what = row.digest ? "its state is unknown" : "its digest is not one";
    run.damage({.kind = FindingKind::row_invalid, .object = "blob #" + std::to_string(row.id), .what = what}, {});
    return {};
  }
  if (row.state == kBad) {
    BERTH_TRY(const std::string users, used_by(run, row.id));
    run.note({.kind = FindingKind::blob_bad,
              .object = row.digest->str(),
              .what = "known to be damaged or missing (" + users + ")",
              .action = "push it again to heal it"});
  }
  if (row.state != kPresent) return {};
  const blob::BlobKey key{*row.digest, row.inc};
  const auto verdict = judge(run, key, row.size_bytes);
  if (!verdict) return {};
  BERTH_TRY(const std::string users, used_by(run, row.id));
  Finding finding{.kind = verdict->kind,
                  .object = row.digest->str(),
                  .what = verdict->what + " (" + blob::final_path(key) + "; " + users + ")",
                  .action = verdict->kind == FindingKind::blob_missing ? kMarkMissing : kSetAside};
  if (verdict->proven) {
    run.damage(std::move(finding), [&] { return set_aside(run, row.id, key); });
  } else {
    finding.action = "see why the file cannot be opened, then check again";
    run.damage(std::move(finding), {});
  }
  return {};
}

}  // namespace

Result<void> check_blobs(FsckRun& run) {
  if (run.deep()) {
    run.begin("blobs", run.totals().blob_bytes, FsckRun::Unit::bytes);
  } else {
    run.begin("blobs", run.totals().blobs);
  }
  return walk(
      meta::BlobId{0}, [&](meta::BlobId after) { return meta::check_blobs(run.db(), after, FsckRun::kPageRows); },
      [](const meta::BlobCheck& row) { return row.id; },
      [&](const meta::BlobCheck& row) { return check_blob(run, row); });
}

}  // namespace berth::lifecycle
