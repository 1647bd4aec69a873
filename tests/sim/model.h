#pragma once
// What a registry is, without disks, transactions or crashes: sets and maps. The simulation holds the real one to it.

#include "base/error.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace berth::sim {

using DigestText = std::string;

struct ModelManifest {
  std::string text;
  std::set<DigestText> blobs;
  std::set<DigestText> children;
  DigestText subject;
};

struct ModelRepo {
  std::set<DigestText> blobs;                     // linked
  std::map<DigestText, ModelManifest> manifests;  // live
  std::map<std::string, DigestText> tags;
  std::map<std::string, std::vector<std::string>> history;  // per tag, oldest first: "from>to", "-" for nothing
};

/// nullopt: it went well.
using Outcome = std::optional<Errc>;

class Model {
 public:
  const std::map<std::string, ModelRepo>& repos() const { return repos_; }
  bool exists(const std::string& repo) const { return repos_.contains(repo); }
  bool is_linked(const std::string& repo, const DigestText& blob) const {
    const ModelRepo* found = find(repo);
    return found != nullptr && found->blobs.contains(blob);
  }

  // --- what may be asked: the outcome there must be ------------------------------------------------------------------

  Outcome head_blob(const std::string& repo, const DigestText& blob) const {
    return lookup(repo, is_linked(repo, blob), Errc::blob_unknown);
  }
  Outcome head_manifest(const std::string& repo, const DigestText& digest) const {
    const ModelRepo* found = find(repo);
    return lookup(repo, found != nullptr && found->manifests.contains(digest), Errc::manifest_unknown);
  }
  Outcome head_tag(const std::string& repo, const std::string& tag) const {
    const ModelRepo* found = find(repo);
    return lookup(repo, found != nullptr && found->tags.contains(tag), Errc::manifest_unknown);
  }
  Outcome can_mount(const std::string& target, const std::optional<std::string>& source, const DigestText& blob) const {
    const bool anywhere = std::ranges::any_of(repos_, [&](const auto& row) { return row.second.blobs.contains(blob); });
    const bool found = source ? is_linked(*source, blob) || is_linked(target, blob) : anywhere;
    return found ? Outcome() : Outcome(Errc::blob_unknown);
  }
  Outcome can_put(const std::string& repo, const ModelManifest& manifest) const {  // V7, V9
    const ModelRepo* found = find(repo);
    for (const auto& blob : manifest.blobs) {
      if (!is_linked(repo, blob)) return Errc::manifest_blob_unknown;
    }
    for (const auto& child : manifest.children) {
      if (found == nullptr || !found->manifests.contains(child)) return Errc::manifest_blob_unknown;
    }
    return {};
  }
  Outcome can_delete_blob(const std::string& repo, const DigestText& blob) const {  // D2
    if (const Outcome missing = head_blob(repo, blob)) return missing;
    const bool used =
        std::ranges::any_of(find(repo)->manifests, [&](const auto& row) { return row.second.blobs.contains(blob); });
    return used ? Outcome(Errc::referenced) : Outcome();
  }
  Outcome can_delete_manifest(const std::string& repo, const DigestText& digest) const {  // D2
    if (const Outcome missing = head_manifest(repo, digest)) return missing;
    const bool listed = std::ranges::any_of(find(repo)->manifests,
                                            [&](const auto& row) { return row.second.children.contains(digest); });
    return listed ? Outcome(Errc::referenced) : Outcome();
  }
  std::set<DigestText> referrers(const std::string& repo, const DigestText& subject) const {  // R5
    std::set<DigestText> out;
    const ModelRepo* found = find(repo);
    if (found == nullptr) return out;
    for (const auto& [digest, manifest] : found->manifests) {
      if (manifest.subject == subject) out.insert(digest);
    }
    return out;
  }

  // --- what was acknowledged -----------------------------------------------------------------------------------------

  void link(const std::string& repo, const DigestText& blob) { repos_[repo].blobs.insert(blob); }
  void put(const std::string& repo, const DigestText& digest, ModelManifest manifest, const std::string& tag) {
    ModelRepo& to = repos_[repo];
    to.manifests.emplace(digest, std::move(manifest));
    if (tag.empty()) return;
    std::string& now = to.tags[tag];
    if (now != digest) to.history[tag].push_back((now.empty() ? "-" : now) + ">" + digest);
    now = digest;
  }
  void delete_blob(const std::string& repo, const DigestText& blob) { repos_[repo].blobs.erase(blob); }
  void delete_tag(const std::string& repo, const std::string& tag) {
    ModelRepo& from = repos_[repo];
    from.history[tag].push_back(from.tags[tag] + ">-");
    from.tags.erase(tag);
  }
  void delete_manifest(const std::string& repo, const DigestText& digest) {  // D1
    ModelRepo& from = repos_[repo];
    from.manifests.erase(digest);
    std::vector<std::string> gone;
    for (const auto& [tag, target] : from.tags) {
      if (target == digest) gone.push_back(tag);
    }
    for (const auto& tag : gone) delete_tag(repo, tag);
  }

 private:
  const ModelRepo* find(const std::string& repo) const {
    const auto found = repos_.find(repo);
    return found == repos_.end() ? nullptr : &found->second;
  }
  Outcome lookup(const std::string& repo, bool found, Errc missing) const {
    if (found) return {};
    return exists(repo) ? missing : Errc::name_unknown;
  }

  std::map<std::string, ModelRepo> repos_;
};

}  // namespace berth::sim
