// Manifests of one repository: read, checked, and put by the rules of a push, each after what it refers to.

#include "base/json.h"
#include "lifecycle/migrate_run.h"
#include "meta/blobs.h"
#include "meta/manifests.h"
#include "registry/manifests.h"

#include <deque>
#include <map>
#include <memory>

namespace berth::lifecycle {

namespace {

constexpr std::size_t kBatch = 256;
constexpr std::size_t kBatchBytes = 8 * 1024 * 1024;
constexpr std::size_t kNamedMax = 3;

/// The format of docker before 2016: its digest is of a part of the bytes only.
bool is_schema1(const std::string& body) {
  const auto value = json::parse(body);
  if (!value || !value->is(json::Value::Kind::object)) return false;
  const json::Value* version = value->find("schemaVersion");
  return version != nullptr && version->is(json::Value::Kind::integer) && version->integer() == 1;
}

struct Ready {
  registry::PutManifest push;
  registry::ParsedPush parsed;
  std::int64_t pushed_ms = 0;
};
using ReadyPtr = std::shared_ptr<const Ready>;  // shared: the writer may run a closure again

class ManifestTaker {
 public:
  ManifestTaker(MigrateRun& run, const oci::RepoName& repo, const RepoLinks& links,
                std::unordered_set<oci::Digest>& accepted)
      : run_(run), repo_(repo), accepted_(accepted) {
    if (!run.dry()) return;
    for (const auto& layer : links.layers) layers_.insert(layer.digest);
  }

  Result<void> take(const std::vector<DistributionTree::Link>& revisions) {
    for (const auto& revision : revisions) {
      BERTH_TRY(const bool there, is_there(revision.digest));
      if (there) continue;
      BERTH_TRY(auto ready, read(revision));
      if (!ready) continue;
      if (ready->parsed.manifest.kind == oci::ManifestKind::index) {
        indexes_.emplace(revision.digest, Index{revision, children_of(ready->parsed.manifest)});
      } else {
        BERTH_TRYV(put(std::move(ready)));
      }
    }
    for (const auto& revision : sorted_indexes()) {
      BERTH_TRY(auto ready, read(revision));  // once more: all of them at a time may be too much
      if (ready) BERTH_TRYV(put(std::move(ready)));
    }
    return flush();
  }

 private:
  struct Index {
    DistributionTree::Link revision;
    std::vector<oci::Digest> children;
  };

  std::string name_of(const oci::Digest& digest) const { return repo_.str() + "@" + digest.str(); }

  Result<bool> is_there(const oci::Digest& digest) {
    BERTH_TRY(const auto found,
              run_.ask([&](sql::Connection& db) { return meta::find_manifest(db, repo_, oci::Reference(digest)); }));
    if (!found) return false;
    accepted_.insert(digest);
    ++run_.report().manifests_there;
    return true;
  }

  static std::vector<oci::Digest> children_of(const oci::Manifest& manifest) {
    std::vector<oci::Digest> out;
    for (const auto& child : manifest.children) {
      if (child.digest) out.push_back(*child.digest);
    }
    return out;
  }

  /// Indexes after the indexes they list. Digests make no circles.
  std::vector<DistributionTree::Link> sorted_indexes() const {
    std::map<oci::Digest, std::size_t> open_children;
    std::multimap<oci::Digest, oci::Digest> parents;
    std::deque<oci::Digest> ready;
    for (const auto& [digest, index] : indexes_) {
      const std::unordered_set<oci::Digest> children(index.children.begin(), index.children.end());
      std::size_t open = 0;
      for (const oci::Digest& child : children) {
        if (!indexes_.contains(child)) continue;
        parents.emplace(child, digest);
        ++open;
      }
      open_children[digest] = open;
      if (open == 0) ready.push_back(digest);
    }
    std::vector<DistributionTree::Link> out;
    for (; !ready.empty(); ready.pop_front()) {
      out.push_back(indexes_.at(ready.front()).revision);
      const auto [first, last] = parents.equal_range(ready.front());
      for (auto parent = first; parent != last; ++parent) {
        if (--open_children[parent->second] == 0) ready.push_back(parent->second);
      }
    }
    return out;
  }

  /// nullptr: it is skipped, and the report says why.
  Result<ReadyPtr> read(const DistributionTree::Link& revision) {
    const oci::Digest& digest = revision.digest;
    auto text = run_.tree().files().read(DistributionTree::blob_path(digest), run_.options().limits.manifest_bytes_max);
    if (!text) {
      switch (text.error().code) {
        case Errc::file_unknown: return skip(SkipKind::manifest_missing, digest, "the old registry lost its bytes");
        case Errc::size_invalid: return skip(SkipKind::manifest_invalid, digest, "it is larger than a manifest may be");
        default: return skip(SkipKind::folder_unreadable, digest, text.error().cause);
      }
    }
    if (const auto actual = oci::digest_of(digest.algorithm(), text->text); actual != digest)
      return skip(SkipKind::manifest_damaged, digest, "its bytes hash to " + actual.str());
    Ready ready{{.repo = repo_, .reference = oci::Reference(digest), .body = std::move(text->text)},
                {digest, {}},
                std::min(revision.modified_ms, run_.now().at_ms)};
    auto parsed = registry::parse_push(ready.push, run_.options().limits);
    if (!parsed && is_schema1(ready.push.body)) {
      return skip(SkipKind::manifest_schema1, digest,
                  "docker's image format of before 2016 (schema 1); pull it with the old registry and push it again");
    }
    if (!parsed) return skip(SkipKind::manifest_invalid, digest, parsed.error().message);
    ready.parsed = *std::move(parsed);
    return std::make_shared<const Ready>(std::move(ready));
  }

  ReadyPtr skip(SkipKind kind, const oci::Digest& digest, std::string reason) {
    run_.skip(kind, name_of(digest), std::move(reason));
    return nullptr;
  }

  Result<void> put(ReadyPtr ready) {
    if (run_.dry()) return foretell(*ready);
    waiting_bytes_ += ready->push.body.size();
    waiting_.push_back(std::move(ready));
    if (waiting_.size() < kBatch && waiting_bytes_ < kBatchBytes) return {};
    return flush();
  }

  Result<void> flush() {
    if (waiting_.empty()) return {};
    std::vector<meta::Store::WriteFn> writes;
    for (const ReadyPtr& ready : waiting_) {
      writes.emplace_back([ready, &limits = run_.options().limits](sql::Connection& db) -> Result<void> {
        BERTH_TRYV(registry::commit_push(db, ready->push, ready->parsed, limits, {ready->pushed_ms, std::nullopt}));
        return {};
      });
    }
    const auto outcomes = run_.store().write_each_blocking(std::move(writes), {.ack = meta::Ack::process});
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i]) {
        note_taken(*waiting_[i]);
      } else {
        BERTH_TRYV(note_refused(*waiting_[i], outcomes[i].error()));
      }
    }
    waiting_.clear();
    waiting_bytes_ = 0;
    return {};
  }

  void note_taken(const Ready& ready) {
    accepted_.insert(ready.parsed.digest);
    ++run_.report().manifests;
    if (!ready.parsed.manifest.subject.empty()) ++run_.report().referrers;
  }

  Result<void> note_refused(const Ready& ready, const Error& error) {
    const oci::Digest& digest = ready.parsed.digest;
    if (error.code == Errc::manifest_blob_unknown) {
      (void)skip(SkipKind::manifest_incomplete, digest, describe(error.items));
    } else if (error.code == Errc::denied) {
      (void)skip(SkipKind::manifest_refused, digest, error.message);
    } else {
      return fail(Error(error));
    }
    return {};
  }

  std::string describe(const std::vector<std::string>& missing) const {
    std::string out = "it refers to what was not taken: ";
    for (std::size_t i = 0; i < missing.size() && i < kNamedMax; ++i) {
      const std::string why = run_.why_lost(missing[i]);
      out += (i == 0 ? "" : ", ") + missing[i] + (why.empty() ? "" : " (" + why + ")");
    }
    if (missing.size() > kNamedMax) out += " and " + std::to_string(missing.size() - kNamedMax) + " more";
    return out;
  }

  /// What a push would say. A digest of an algorithm nobody has is missing as well.
  Result<void> foretell(const Ready& ready) {
    const auto wanted = registry::requirements_of(ready.parsed.manifest, run_.options().limits.reference_policy);
    std::vector<std::string> missing;
    for (const std::string& text : wanted.blobs) {
      const auto digest = oci::Digest::parse(text);
      BERTH_TRY(const bool there, digest ? will_have(*digest) : Result<bool>(false));
      if (!there) missing.push_back(text);
    }
    for (const std::string& text : wanted.manifests) {
      const auto digest = oci::Digest::parse(text);
      if (!digest || !accepted_.contains(*digest)) missing.push_back(text);
    }
    if (missing.empty()) {
      note_taken(ready);
      return {};
    }
    return note_refused(ready, Error(Errc::manifest_blob_unknown).with_items(std::move(missing)));
  }

  /// Whether the repository has the blob by the time its manifests are put.
  Result<bool> will_have(const oci::Digest& digest) {
    const auto fate = run_.fate(digest);
    const bool comes = fate == MigrateRun::Fate::stored || fate == MigrateRun::Fate::planned;
    if (comes && layers_.contains(digest)) return true;
    BERTH_TRY(const auto link, run_.ask([&](sql::Connection& db) { return meta::find_link(db, repo_, digest); }));
    return link.has_value();
  }

  MigrateRun& run_;
  const oci::RepoName& repo_;
  std::unordered_set<oci::Digest>& accepted_;
  std::unordered_set<oci::Digest> layers_;  // of the repository; only in a dry run
  std::unordered_map<oci::Digest, Index> indexes_;
  std::vector<ReadyPtr> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace

Result<void> take_manifests(MigrateRun& run, const oci::RepoName& repo, const RepoLinks& links,
                            std::unordered_set<oci::Digest>& accepted) {
  return ManifestTaker(run, repo, links, accepted).take(links.revisions);
}

}  // namespace berth::lifecycle
