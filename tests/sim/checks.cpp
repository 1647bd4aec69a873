// Everything that was acknowledged is there, everything that was deleted stays away, and nothing else is stored.
#include "blob/blob_paths.h"
#include "meta/fsck.h"
#include "meta/repos.h"
#include "meta/tags.h"
#include "sim/simulation.h"
#include "support/usage_drift.h"

namespace berth::sim {

using test::RegistryWorld;
using test::run_task;

void Simulation::check_everything() {
  note("check everything");
  world_.fs.heal();
  std::set<std::string> listed;
  const auto catalog = run_task(world_.listings->catalog(1000, ""));
  if (!catalog) return fail_with("the catalog cannot be read");
  for (const auto& name : catalog->names) listed.insert(name);
  for (const auto& [name, repo] : model_.repos()) {
    if (!listed.contains(name)) fail_with("repository " + name + " is lost");
    check_repo(name);
  }
  if (listed.size() != model_.repos().size()) fail_with("a repository was never acknowledged");
}

void Simulation::check_repo(const std::string& name) {
  const ModelRepo& expected = model_.repos().at(name);
  for (const auto& [digest, text] : texts_) {
    const auto pulled = world_.pull_blob(name, *oci::Digest::parse(digest));
    if (outcome(pulled) != model_.head_blob(name, digest)) {
      fail_with("blob " + digest + " of " + name + (pulled ? " is there" : " is lost: " + pulled.error().cause));
    }
    if (pulled && *pulled != text) fail_with("blob " + digest + " of " + name + " has wrong bytes");
  }
  for (const auto& [digest, manifest] : expected.manifests) {
    if (world_.pull_manifest(name, digest).value_or("-") != manifest.text) fail_with("manifest " + digest + " is lost");
    const auto page = run_task(world_.listings->referrers(RegistryWorld::repo(name), digest, {}, {}, ""));
    const auto wanted = model_.referrers(name, digest);
    if (!page || page->descriptors.size() != wanted.size()) {
      fail_with("the referrers of " + digest + " are not those that were pushed");
      continue;
    }
    for (const auto& referrer : wanted) {
      const bool found = std::ranges::any_of(page->descriptors, [&](const auto& d) { return d.contains(referrer); });
      if (!found) fail_with("referrer " + referrer + " of " + digest + " is lost");
    }
  }
  const auto tags = run_task(world_.listings->tags(RegistryWorld::repo(name), std::nullopt, ""));
  std::vector<std::string> names;
  for (const auto& [tag, digest] : expected.tags) {
    names.push_back(tag);
    const auto head = run_task(world_.manifests->head(RegistryWorld::repo(name), *oci::Reference::parse(tag)));
    if (!head || head->digest.str() != digest) fail_with("tag " + tag + " of " + name + " points elsewhere");
  }
  if (!tags || tags->names != names) fail_with("the tags of " + name + " are not those that were pushed");
  for (const auto& [tag, events] : expected.history) {
    const auto recorded = world_.store->peek([&](sql::Connection& db) -> Result<std::vector<meta::TagEvent>> {
      BERTH_TRY(const auto id, meta::find_repo(db, RegistryWorld::repo(name)));
      return meta::tag_history(db, id.value_or(0), *oci::Tag::parse(tag), 1000);
    });
    std::vector<std::string> found;
    const auto text = [](const std::optional<oci::Digest>& d) { return d ? d->str() : std::string("-"); };
    for (const auto& event : *recorded) found.insert(found.begin(), text(event.previous) + ">" + text(event.digest));
    if (found != events) fail_with("the history of tag " + tag + " of " + name + " is not what happened");
  }
}

/// After a start and a round of housekeeping, without faults.
void Simulation::check_store() {
  const test::SqliteProbe probe(world_.database());
  for (const std::string& row : test::usage_drift(probe)) fail_with("a usage counter has drifted: " + row);
  // Every blob's file is there and right, under its final name; files and blobs are as many.
  const blob::BlobMaintenance::Pace pace = [](std::size_t) { return true; };
  std::set<std::string> wanted;
  const auto rows = world_.store->peek([](sql::Connection& db) { return meta::list_blobs(db, 0, 1000); });
  for (const auto& row : *rows) {
    const blob::BlobKey key{row.digest, row.inc};
    const auto content = world_.blob_store->inspect(key, &pace);
    if (!content || !content->digest_matches)
      fail_with("the file of " + row.digest.str() + " is not what it should be");
    wanted.insert(blob::final_path(key));
  }
  std::set<std::string> sessions;
  for (const std::string& inc : probe.rows("SELECT inc FROM upload WHERE state = 1")) {
    sessions.insert(blob::staged_path(std::stoull(inc)));
  }
  for (const std::string& path : world_.fs.files()) {
    if (!wanted.contains(path) && !sessions.contains(path)) fail_with("nobody's file: " + path);
  }
  if (probe.number("SELECT count(*) FROM upload WHERE state = 2 AND placed = 0") != 0) {
    fail_with("a committed blob was never placed");
  }
}

/// Nothing that is or may become garbage is forgotten (I6), and no candidate names nothing.
void Simulation::check_candidates() {
  static constexpr std::int64_t kAll = 100'000;
  const auto done = world_.store->peek([&](sql::Connection& db) -> Result<void> {
    BERTH_TRY(const auto links, meta::check_links(db, {}, kAll));
    for (const auto& link : links) {
      if (!link.needed && !link.queued) fail_with("a link nobody would collect: " + link.repo_name);
    }
    BERTH_TRY(const auto blobs, meta::check_blobs(db, 0, kAll));
    for (const auto& blob : blobs) {
      if (!blob.linked && !blob.queued) fail_with("a blob nobody would collect: " + std::to_string(blob.id));
    }
    BERTH_TRY(const auto manifests, meta::list_manifest_ids(db, 0, kAll));
    for (const meta::ManifestId id : manifests) {
      BERTH_TRY(const auto m, meta::load_manifest_check(db, id));
      if (m && m->state == 2 && !m->purge_queued) fail_with("a manifest nobody would purge: " + m->repo_name);
    }
    BERTH_TRY(const auto dangling, meta::list_dangling_candidates(db, {}, kAll));
    if (!dangling.empty()) fail_with("a candidate that names nothing");
    return {};
  });
  if (!done) fail_with("the garbage queue cannot be read: " + done.error().cause);
}

}  // namespace berth::sim
