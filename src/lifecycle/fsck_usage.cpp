// fsck: every counter is what it counts. Runs after links and tags are right.

#include "lifecycle/fsck_run.h"
#include "meta/fsck_repair.h"

namespace berth::lifecycle {

namespace {

constexpr const char* kRecount = "write what was counted";

void add_difference(std::string& out, const char* name, std::int64_t stored, std::int64_t counted) {
  if (stored == counted) return;
  out += (out.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(stored) + " instead of " +
         std::to_string(counted);
}

void report_ns_links(FsckRun& run, const meta::NsLinks& links) {
  run.damage({.kind = FindingKind::usage,
              .object = "namespace #" + std::to_string(links.ns) + " blob #" + std::to_string(links.blob),
              .what = "linked " + std::to_string(links.counted) + " times, but " +
                      (links.stored ? "counted as " + std::to_string(*links.stored) : std::string("not counted")),
              .action = kRecount},
             run.writing([&](sql::Connection& db) { return meta::set_ns_links(db, links); }));
}

/// How often namespaces link blobs: blob by blob, then the rows of blobs that are not linked at all. The second walk is
/// costly for widely shared blobs and is left out while the number of rows proves that there is none.
Result<void> check_ns_links(FsckRun& run) {
  std::uint64_t rows = 0;
  BERTH_TRYV(walk(
      meta::BlobId{0}, [&](meta::BlobId after) { return meta::check_blobs(run.db(), after, FsckRun::kPageRows); },
      [](const meta::BlobCheck& blob) { return blob.id; },
      [&](const meta::BlobCheck& blob) -> Result<void> {
        run.checked(1);
        BERTH_TRY(const auto all, meta::check_ns_links(run.db(), blob.id));
        for (const meta::NsLinks& links : all) {
          if (links.counted != links.stored) report_ns_links(run, links);
          rows += links.stored || run.repairing() ? 1 : 0;
        }
        return {};
      }));
  BERTH_TRY(const std::uint64_t stored, meta::count_ns_links(run.db()));
  if (stored == rows) return {};
  return walk(
      meta::NsLinks{},
      [&](const meta::NsLinks& after) { return meta::list_surplus_ns_links(run.db(), after, FsckRun::kPageRows); },
      [](const meta::NsLinks& links) { return links; },
      [&](const meta::NsLinks& links) -> Result<void> {
        report_ns_links(run, links);
        return {};
      });
}

void check_repo(FsckRun& run, const meta::RepoUsage& repo) {
  run.checked(1);
  if (repo.stored == repo.counted) return;
  std::string what;
  add_difference(what, "bytes", repo.stored.used_bytes, repo.counted.used_bytes);
  add_difference(what, "tags", repo.stored.tags, repo.counted.tags);
  add_difference(what, "manifests", repo.stored.manifests, repo.counted.manifests);
  run.damage({.kind = FindingKind::usage, .object = repo.name, .what = "it counts " + what, .action = kRecount},
             run.writing([&](sql::Connection& db) { return meta::set_repo_usage(db, repo.id, repo.counted); }));
}

void check_ns(FsckRun& run, const meta::NsUsage& ns) {
  run.checked(1);
  if (ns.stored_bytes == ns.counted_bytes) return;
  std::string what;
  add_difference(what, "bytes", ns.stored_bytes, ns.counted_bytes);
  run.damage(
      {.kind = FindingKind::usage, .object = "namespace " + ns.name, .what = "it counts " + what, .action = kRecount},
      run.writing([&](sql::Connection& db) { return meta::set_ns_usage(db, ns.id, ns.counted_bytes); }));
}

}  // namespace

Result<void> check_usage(FsckRun& run) {
  run.begin("usage", run.totals().blobs + run.totals().repos + run.totals().namespaces);
  BERTH_TRYV(check_ns_links(run));
  BERTH_TRYV(walk(
      meta::RepoId{0}, [&](meta::RepoId after) { return meta::check_repo_usage(run.db(), after, FsckRun::kPageRows); },
      [](const meta::RepoUsage& repo) { return repo.id; },
      [&](const meta::RepoUsage& repo) -> Result<void> {
        check_repo(run, repo);
        return {};
      }));
  return walk(
      std::int64_t{0}, [&](std::int64_t after) { return meta::check_ns_usage(run.db(), after, FsckRun::kPageRows); },
      [](const meta::NsUsage& ns) { return ns.id; },
      [&](const meta::NsUsage& ns) -> Result<void> {
        check_ns(run, ns);
        return {};
      });
}

}  // namespace berth::lifecycle
