// fsck: links have both ends, tags point at live manifests and end their own history, nothing that is garbage is
// forgotten by the collector.

#include "lifecycle/fsck_run.h"
#include "meta/fsck_repair.h"
#include "meta/gc_queue.h"
#include "meta/tags.h"

namespace berth::lifecycle {

namespace {

constexpr std::int64_t kLinkLive = 1;
constexpr std::int64_t kLinkTrash = 2;
constexpr std::int64_t kLinkReserved = 3;
constexpr std::int64_t kPlaceholder = 0;

std::string repo_text(const std::string& name, meta::RepoId id) {
  return name.empty() ? "repository #" + std::to_string(id) : name;
}

std::string name_of(const meta::LinkCheck& link) {
  return repo_text(link.repo_name, link.repo) + " " +
         (link.digest ? link.digest->str() : "blob #" + std::to_string(link.blob));
}

/// As the event that made the link garbage would have done it (E1, E6).
Result<void> queue_link(sql::Connection& db, const meta::LinkCheck& link, std::int64_t now_ms) {
  const bool trash = link.state == kLinkTrash;
  return meta::queue_candidate(db, meta::Candidate::link, link.repo, link.blob,
                               now_ms + (trash ? meta::kUndoMs : meta::kLinkGraceMs),
                               trash ? meta::Cause::blob_deleted : meta::Cause::linked);
}

Result<void> check_link(FsckRun& run, const meta::LinkCheck& link) {
  run.checked(1);
  if (link.repo_name.empty() || !link.blob_state) {
    run.damage({.kind = FindingKind::link_dangling,
                .object = name_of(link),
                .what = link.blob_state ? "a link of a repository that is gone" : "a link to a blob that is gone",
                .action = "remove the link"},
               run.writing([&](sql::Connection& db) { return meta::drop_link(db, link.repo, link.blob); }));
    return {};
  }
  if (link.state != kLinkLive && link.state != kLinkTrash && link.state != kLinkReserved) {
    run.damage({.kind = FindingKind::row_invalid, .object = name_of(link), .what = "the link's state is unknown"}, {});
    return {};
  }
  if (link.state == kLinkLive && link.blob_state == kPlaceholder) {
    run.damage({.kind = FindingKind::link_empty,
                .object = name_of(link),
                .what = "a link to bytes that were never here",
                .action = "let it reserve their place only"},
               run.writing([&](sql::Connection& db) { return meta::demote_link(db, link.repo, link.blob); }));
  }
  if (link.needed || link.queued) return {};
  run.damage({.kind = FindingKind::candidate_missing,
              .object = name_of(link),
              .what = "no manifest needs it, but it would never be collected",
              .action = "queue it"},
             run.writing([&](sql::Connection& db) { return queue_link(db, link, run.now_ms()); }));
  return {};
}

Result<void> check_tag(FsckRun& run, const meta::TagCheck& tag) {
  run.checked(1);
  const std::string name = repo_text(tag.repo_name, tag.repo) + ":" + tag.name;
  if (!tag.resolves || tag.repo_name.empty() || !tag.digest) {
    run.damage({.kind = FindingKind::tag_dangling,
                .object = name,
                .what = tag.digest ? "it points at " + tag.digest->str() + ", which is not a live manifest here"
                                   : std::string("it points at a manifest that is gone"),
                .action = "remove the tag, with an entry in its history"},
               run.writing([&](sql::Connection& db) {
                 const auto& previous = tag.digest ? tag.digest : tag.last_digest;
                 return meta::remove_tag(db, tag.repo, tag.name, previous, run.stamp());
               }));
    return {};
  }
  if (tag.has_history && tag.last_digest == tag.digest) return {};
  const std::string end = !tag.has_history  ? "is empty"
                          : tag.last_digest ? "ends at " + tag.last_digest->str()
                                            : std::string("ends with a delete");
  run.damage({.kind = FindingKind::tag_history,
              .object = name,
              .what = "it points at " + tag.digest->str() + ", but its history " + end,
              .action = "append the missing entry"},
             run.writing([&](sql::Connection& db) {
               return meta::append_history(db, tag.repo, tag.name, tag.digest, tag.last_digest, run.stamp());
             }));
  return {};
}

Result<void> bring_back(sql::Connection& db, const meta::LostTag& tag, const meta::Stamp& stamp) {
  const auto name = oci::Tag::parse(tag.name);
  if (name && tag.manifest && tag.digest) {
    return meta::set_tag(db, tag.repo, *name, *tag.manifest, *tag.digest, stamp);
  }
  return meta::append_history(db, tag.repo, tag.name, std::nullopt, tag.digest, stamp);
}

void report_lost(FsckRun& run, const meta::LostTag& tag) {
  run.damage({.kind = FindingKind::tag_lost,
              .object = tag.repo_name + ":" + tag.name,
              .what = "the tag is gone, but its history says that it points at " +
                      (tag.digest ? tag.digest->str() : std::string("something")),
              .action = tag.manifest ? "set it again" : "note in its history that it is gone, as its manifest is"},
             run.writing([&](sql::Connection& db) { return bring_back(db, tag, run.stamp()); }));
}

void report_dangling(FsckRun& run, const meta::CandidateKey& key) {
  run.damage({.kind = FindingKind::candidate_dangling,
              .object = "candidate " + std::to_string(key.kind) + "/" + std::to_string(key.repo) + "/" +
                        std::to_string(key.object),
              .what = "it names nothing that exists",
              .action = "drop it"},
             run.writing([&](sql::Connection& db) {
               return meta::drop_candidate(db, static_cast<meta::Candidate>(key.kind), key.repo, key.object);
             }));
}

void check_unlinked(FsckRun& run, const meta::BlobCheck& blob) {
  run.checked(1);
  if (blob.linked || blob.queued) return;
  run.damage({.kind = FindingKind::candidate_missing,
              .object = blob.digest ? blob.digest->str() : "blob #" + std::to_string(blob.id),
              .what = "no repository links it, but it would never be collected",
              .action = "queue it"},
             run.writing([&](sql::Connection& db) {
               return meta::queue_candidate(db, meta::Candidate::blob, 0, blob.id, run.now_ms(),
                                            meta::Cause::link_removed);
             }));
}

void report_forgotten(FsckRun& run, const meta::ForgottenRepo& repo) {
  run.damage({.kind = FindingKind::candidate_missing,
              .object = repo.name,
              .what = "it is deleted, but would never be collected",
              .action = "queue it"},
             run.writing([&](sql::Connection& db) {
               return meta::queue_candidate(db, meta::Candidate::repo, repo.id, repo.id, run.now_ms() + meta::kUndoMs,
                                            meta::Cause::repo_deleted);
             }));
}

}  // namespace

Result<void> check_links(FsckRun& run) {
  run.begin("links", run.totals().links);
  return walk(
      meta::LinkKey{}, [&](meta::LinkKey after) { return meta::check_links(run.db(), after, FsckRun::kPageRows); },
      [](const meta::LinkCheck& link) { return meta::LinkKey{link.repo, link.blob}; },
      [&](const meta::LinkCheck& link) { return check_link(run, link); });
}

Result<void> check_tags(FsckRun& run) {
  run.begin("tags", run.totals().tags);
  BERTH_TRYV(walk(
      meta::TagKey{}, [&](const meta::TagKey& after) { return meta::check_tags(run.db(), after, FsckRun::kPageRows); },
      [](const meta::TagCheck& tag) { return meta::TagKey{tag.repo, tag.name}; },
      [&](const meta::TagCheck& tag) { return check_tag(run, tag); }));
  return walk(
      std::int64_t{0}, [&](std::int64_t after) { return meta::list_lost_tags(run.db(), after, FsckRun::kPageRows); },
      [](const meta::LostTag& tag) { return tag.entry; },
      [&](const meta::LostTag& tag) -> Result<void> {
        report_lost(run, tag);
        return {};
      });
}

Result<void> check_candidates(FsckRun& run) {
  run.begin("garbage queue", run.totals().blobs + run.totals().candidates);
  BERTH_TRYV(walk(
      meta::BlobId{0}, [&](meta::BlobId after) { return meta::check_blobs(run.db(), after, FsckRun::kPageRows); },
      [](const meta::BlobCheck& blob) { return blob.id; },
      [&](const meta::BlobCheck& blob) -> Result<void> {
        check_unlinked(run, blob);
        return {};
      }));
  BERTH_TRYV(walk(
      meta::RepoId{0},
      [&](meta::RepoId after) { return meta::list_forgotten_repos(run.db(), after, FsckRun::kPageRows); },
      [](const meta::ForgottenRepo& repo) { return repo.id; },
      [&](const meta::ForgottenRepo& repo) -> Result<void> {
        report_forgotten(run, repo);
        return {};
      }));
  BERTH_TRYV(walk(
      meta::CandidateKey{},
      [&](const meta::CandidateKey& after) {
        return meta::list_dangling_candidates(run.db(), after, FsckRun::kPageRows);
      },
      [](const meta::CandidateKey& key) { return key; },
      [&](const meta::CandidateKey& key) -> Result<void> {
        report_dangling(run, key);
        return {};
      }));
  run.checked(run.totals().candidates);
  return {};
}

}  // namespace berth::lifecycle
