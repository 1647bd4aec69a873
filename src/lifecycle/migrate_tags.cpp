// Tags of one repository, with the past that their index tells of. A tag that Berth has and that points elsewhere stays
// as it is, unless it points at what the old registry's tag pointed at before: then this is a later run, and the tag
// goes the same way.

#include "lifecycle/migrate_run.h"
#include "meta/manifests.h"
#include "meta/repos.h"
#include "meta/tags.h"

#include <algorithm>
#include <utility>

namespace berth::lifecycle {

namespace {

using Link = DistributionTree::Link;

constexpr std::size_t kBatch = 256;

// The first is also what a dry run without a database is answered.
enum class Outcome : std::uint8_t { set, unchanged, moved, conflict, dangling };

struct Wanted {
  oci::Tag tag;
  Link current;
  std::vector<Link> past;         // what it pointed at before, oldest first; empty if that cannot be told
  std::vector<oci::Digest> seen;  // the same without order, and with what is gone
};

/// The index keeps when each digest was last tagged. The order is that of the files' times, if the newest of them is
/// what the tag points at now: a copy of the folder may have lost them.
std::vector<Link> past_of(const DistributionTree::Tag& tag, const std::unordered_set<oci::Digest>& accepted) {
  std::vector<Link> sorted = tag.pointed_at;
  std::ranges::sort(sorted, {}, [](const Link& link) { return std::pair(link.modified_ms, link.digest); });
  if (sorted.empty() || sorted.back().digest != tag.current->digest) return {};
  sorted.pop_back();
  if (!sorted.empty() && sorted.back().modified_ms > tag.current->modified_ms) return {};
  std::erase_if(sorted, [&](const Link& link) { return !accepted.contains(link.digest); });
  return sorted;
}

/// Where the store's tag points, and since when.
struct Existing {
  meta::TagRow row;
  std::int64_t since_ms = 0;
};
Result<std::optional<Existing>> find_existing(sql::Connection& db, meta::RepoId repo, const oci::Tag& tag) {
  BERTH_TRY(const auto row, meta::find_tag(db, repo, tag));
  if (!row) return std::nullopt;
  BERTH_TRY(const auto last, meta::tag_history(db, repo, tag, 1));
  return Existing{*row, last.empty() ? 0 : last.front().at_ms};
}

class TagTaker {
 public:
  TagTaker(MigrateRun& run, const oci::RepoName& repo) : run_(run), repo_(repo) {}

  Result<void> add(const DistributionTree::Tag& tag, const std::unordered_set<oci::Digest>& accepted) {
    const std::string object = repo_.str() + ":" + tag.name;
    const auto name = oci::Tag::parse(tag.name);
    if (!name) {
      run_.skip(SkipKind::tag_name, object, "not a tag: " + name.error().message);
      return {};
    }
    if (!tag.current) {
      run_.skip(SkipKind::tag_dangling, object, "the old registry does not say what it points at");
      return {};
    }
    if (!accepted.contains(tag.current->digest)) {
      run_.skip(SkipKind::tag_dangling, object,
                "it points at " + tag.current->digest.str() +
                    ", which the old registry does not have or which was "
                    "skipped");
      return {};
    }
    Wanted wanted{*name, *tag.current, past_of(tag, accepted), {}};
    for (const Link& link : tag.pointed_at) wanted.seen.push_back(link.digest);
    if (run_.dry()) return foretell(wanted);
    waiting_.push_back(std::move(wanted));
    return waiting_.size() < kBatch ? Result<void>() : flush();
  }

  Result<void> flush() {
    if (waiting_.empty()) return {};
    BERTH_TRY(const bool idle, nothing_to_do());
    if (!idle) BERTH_TRYV(write());
    waiting_.clear();
    return {};
  }

 private:
  /// All of them are as they should be: nothing is written.
  Result<bool> nothing_to_do() {
    for (const Wanted& wanted : waiting_) {
      BERTH_TRY(const Outcome outcome, run_.ask([&](sql::Connection& db) { return outlook(db, wanted); }));
      if (outcome != Outcome::unchanged) return false;
    }
    run_.report().tags_there += waiting_.size();
    return true;
  }

  Result<void> write() {
    const std::int64_t now = run_.now().at_ms;
    BERTH_TRY(const auto outcomes, run_.store().write_blocking(
                                       [&](sql::Connection& db) -> Result<std::vector<Outcome>> {
                                         std::vector<Outcome> out;
                                         for (const Wanted& wanted : waiting_) {
                                           BERTH_TRY(const Outcome outcome, apply(db, wanted, now));
                                           out.push_back(outcome);
                                         }
                                         return out;
                                       },
                                       {.ack = meta::Ack::process}));
    for (std::size_t i = 0; i < outcomes.size(); ++i) note(waiting_[i], outcomes[i]);
    return {};
  }

  Result<Outcome> outlook(sql::Connection& db, const Wanted& wanted) const {
    BERTH_TRY(const auto repo, meta::find_repo(db, repo_));
    if (!repo) return Outcome::set;
    BERTH_TRY(const auto existing, find_existing(db, *repo, wanted.tag));
    if (!existing) return Outcome::set;
    if (existing->row.digest == wanted.current.digest) return Outcome::unchanged;
    if (run_.options().overwrite_tags) return Outcome::moved;
    const bool went_there = std::ranges::find(wanted.seen, existing->row.digest) != wanted.seen.end();
    return went_there && wanted.current.modified_ms > existing->since_ms ? Outcome::moved : Outcome::conflict;
  }

  Result<Outcome> apply(sql::Connection& db, const Wanted& wanted, std::int64_t now) const {
    BERTH_TRY(const Outcome outcome, outlook(db, wanted));
    if (outcome == Outcome::unchanged || outcome == Outcome::conflict) return outcome;
    BERTH_TRY(const auto repo, meta::find_repo(db, repo_));
    if (outcome == Outcome::set) {
      for (const Link& link : wanted.past) BERTH_TRYV(point(db, *repo, wanted.tag, link, now));
    }
    Link current = wanted.current;
    if (outcome == Outcome::moved && run_.options().overwrite_tags) current.modified_ms = now;  // it moves here and now
    BERTH_TRY(const bool pointed, point(db, *repo, wanted.tag, current, now));
    return pointed ? outcome : Outcome::dangling;
  }

  /// False if the manifest is not there after all.
  static Result<bool> point(sql::Connection& db, meta::RepoId repo, const oci::Tag& tag, const Link& link,
                            std::int64_t now) {
    BERTH_TRY(const auto manifest, meta::find_child_target(db, repo, link.digest));
    if (!manifest) return false;
    BERTH_TRYV(
        meta::set_tag(db, repo, tag, manifest->id, link.digest, {std::min(link.modified_ms, now), std::nullopt}));
    return true;
  }

  Result<void> foretell(const Wanted& wanted) {
    BERTH_TRY(const Outcome outcome, run_.ask([&](sql::Connection& db) { return outlook(db, wanted); }));
    note(wanted, outcome);
    return {};
  }

  void note(const Wanted& wanted, Outcome outcome) {
    const std::string object = repo_.str() + ":" + wanted.tag.str();
    switch (outcome) {
      case Outcome::unchanged: ++run_.report().tags_there; break;
      case Outcome::set: ++run_.report().tags; break;
      case Outcome::moved: ++run_.report().tags_moved; break;
      case Outcome::conflict:
        run_.skip(SkipKind::tag_conflict, object,
                  "it exists and points elsewhere than in the old registry (" + wanted.current.digest.str() +
                      "); kept as it is, --overwrite-tags moves it");
        break;
      case Outcome::dangling: run_.skip(SkipKind::tag_dangling, object, "its manifest was not taken"); break;
    }
  }

  MigrateRun& run_;
  const oci::RepoName& repo_;
  std::vector<Wanted> waiting_;
};

}  // namespace

Result<void> take_tags(MigrateRun& run, const oci::RepoName& repo, const std::vector<DistributionTree::Tag>& tags,
                       const std::unordered_set<oci::Digest>& accepted) {
  TagTaker taker(run, repo);
  for (const auto& tag : tags) BERTH_TRYV(taker.add(tag, accepted));
  return taker.flush();
}

}  // namespace berth::lifecycle
