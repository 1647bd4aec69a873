#include "registry/manifests.h"

#include "base/json_text.h"
#include "meta/blobs.h"
#include "meta/referrers.h"
#include "meta/repos.h"
#include "meta/tags.h"

#include <algorithm>

namespace berth::registry {

namespace {

/// "acme/web:1.0", "acme/web@sha256:…"
std::string target_of(const oci::RepoName& repo, const oci::Reference& reference) {
  return repo.str() + (reference.is_digest() ? "@" + reference.digest().str() : ":" + reference.tag().str());
}

constexpr std::size_t kInlineBytes = 64 * 1024;  // larger bodies are read, hashed and parsed off the I/O thread

/// Collects the edges of a manifest inside its transaction, so that a link that vanishes is seen (S27).
class EdgeCollector {
 public:
  EdgeCollector(sql::Connection& db, meta::RepoId repo, ReferencePolicy policy, const meta::Stamp& stamp)
      : db_(db), repo_(repo), policy_(policy), stamp_(stamp) {}

  Result<void> add_blob(const oci::Descriptor& d, bool may_be_absent) {
    if (!d.digest) {
      if (!may_be_absent) missing_.push_back(d.digest_text);
      return {};
    }
    BERTH_TRY(const auto target, meta::find_edge_target(db_, repo_, *d.digest));
    if (target && target->present) {
      check_size(d, target->size_bytes);
      blobs.push_back(target->blob);
      return {};
    }
    if (d.exempt) return {};  // V8: a foreign layer that is here gets an edge, one that is not needs none
    if (!may_be_absent) {
      missing_.push_back(d.digest_text);
      return {};
    }
    if (target) {
      blobs.push_back(target->blob);
      return {};
    }
    BERTH_TRY(const auto reserved, meta::reserve_link(db_, repo_, *d.digest, d.size, stamp_));
    blobs.push_back(reserved);
    return {};
  }

  Result<void> add_child(const oci::Descriptor& d) {
    const bool may_be_absent = policy_ != ReferencePolicy::strict;
    if (!d.is_manifest) return add_blob(d, may_be_absent);  // V9: legacy BuildKit cache lists blobs
    if (!d.digest) {
      if (!may_be_absent) missing_.push_back(d.digest_text);
      return {};
    }
    BERTH_TRY(const auto child, meta::find_child_target(db_, repo_, *d.digest));
    if (!child && !may_be_absent) {
      missing_.push_back(d.digest_text);
      return {};
    }
    if (child) check_size(d, child->size_bytes);
    children.push_back(*d.digest);
    return {};
  }

  Result<void> add_all(const oci::Manifest& manifest) {
    const bool sparse = policy_ == ReferencePolicy::sparse;
    if (manifest.config) BERTH_TRYV(add_blob(*manifest.config, sparse));
    for (const auto& layer : manifest.layers) BERTH_TRYV(add_blob(layer, sparse));
    for (const auto& child : manifest.children) BERTH_TRYV(add_child(child));
    if (missing_.empty()) return {};
    std::ranges::sort(missing_);
    const auto repeated = std::ranges::unique(missing_);
    missing_.erase(repeated.begin(), repeated.end());
    return fail(Error(Errc::manifest_blob_unknown,
                      "the manifest refers to content this repository does not have; push it first")
                    .with_items(std::move(missing_)));
  }

  std::vector<meta::BlobId> blobs;
  std::vector<oci::Digest> children;
  std::vector<std::string> warnings;

 private:
  void check_size(const oci::Descriptor& d, std::int64_t stored) {  // V11
    if (stored == d.size) return;
    warnings.push_back(d.digest_text + " has " + std::to_string(stored) + " bytes, the manifest says " +
                       std::to_string(d.size));
  }

  sql::Connection& db_;
  meta::RepoId repo_;
  ReferencePolicy policy_;
  const meta::Stamp& stamp_;
  std::vector<std::string> missing_;
};

/// What a push does to its tags, for the record: [{"tag":"1.0","from":"sha256:…"}].
class TagMoves {
 public:
  void add(const oci::Tag& tag, const std::optional<oci::Digest>& from, const oci::Digest& to) {
    if (from == to) return;
    list_ += list_.empty() ? "{\"tag\":" : ",{\"tag\":";
    append_json_string(list_, tag.str());
    if (from) append_json_member(list_, "from", std::string_view(from->str()));
    list_ += '}';
    is_move_ |= from.has_value();
  }
  bool is_move() const { return is_move_; }
  std::string json() const { return "[" + list_ + "]"; }

 private:
  std::string list_;
  bool is_move_ = false;
};

Result<void> record_push(sql::Connection& db, const PutManifest& cmd, const oci::Digest& digest,
                         const TagMoves& moves) {
  if (!cmd.audit) return {};
  meta::AuditEntry entry = *cmd.audit;
  entry.action = moves.is_move() ? "tag.move" : "manifest.push";
  entry.target = target_of(cmd.repo, cmd.reference);
  const std::string what = "{\"digest\":" + json_string(digest.str()) + ",\"tags\":" + moves.json() + "}";
  entry.detail = joined_objects(entry.detail, what);
  return meta::append_audit(db, std::move(entry));
}

/// Whether the tag may come to point at what is pushed: M6, and whoever may only push what is new (S10).
Result<void> check_tag(sql::Connection& db, meta::RepoId repo, const oci::Tag& tag, const PutManifest& cmd,
                       const oci::Digest& pushed, TagMoves& moves) {
  if (!cmd.precondition && cmd.may_move_tags && !cmd.audit) return {};
  BERTH_TRY(const auto row, meta::find_tag(db, repo, tag));
  const std::optional<oci::Digest> current = row ? std::optional(row->digest) : std::nullopt;
  if (cmd.precondition && !cmd.precondition(current)) {
    return fail(Errc::precondition_failed,
                "the tag " + tag.str() + (current ? " points at " + current->str() : std::string(" does not exist")));
  }
  moves.add(tag, current, pushed);
  if (cmd.may_move_tags || !current || *current == pushed) return {};
  return fail(Errc::denied,
              "the tag " + tag.str() + " exists, and moving it needs the right overwrite on " + cmd.repo.str());
}

/// S21: what one client can pile up in one place ends somewhere. What is there already may be pushed again.
Result<void> check_quota(sql::Connection& db, meta::RepoId repo, const ParsedPush& parsed, const Limits& limits) {
  BERTH_TRY(const auto existing, meta::find_child_target(db, repo, parsed.digest));
  if (existing) return {};
  BERTH_TRY(const std::int64_t manifests, meta::manifest_count(db, repo));
  if (manifests >= limits.manifests_per_repo_max)
    return fail(Errc::denied, "the repository holds as many manifests as it may (" + std::to_string(manifests) + ")");
  if (parsed.manifest.subject.empty()) return {};
  BERTH_TRY(const std::int64_t referrers,
            meta::count_referrers(db, repo, parsed.manifest.subject, limits.referrers_per_subject_max));
  if (referrers >= limits.referrers_per_subject_max)
    return fail(Errc::denied, "the subject has as many referrers as it may (" + std::to_string(referrers) + ")");
  return {};
}

}  // namespace

Result<ParsedPush> parse_push(const PutManifest& cmd, const Limits& limits) {
  const std::optional<oci::Digest> claimed =
      cmd.reference.is_digest() ? std::optional(cmd.reference.digest()) : cmd.pin;
  const oci::Digest digest = oci::digest_of(claimed ? claimed->algorithm() : oci::Algorithm::sha256, cmd.body);
  if (claimed && *claimed != digest) {
    return fail(Errc::digest_mismatch, "the manifest does not match the digest; it hashes to " + digest.str());
  }
  BERTH_TRY(auto manifest,
            oci::parse_manifest(cmd.body, cmd.media_type, {limits.descriptors_max, limits.json_depth_max}));
  return ParsedPush{digest, std::move(manifest)};
}

Result<StoredManifest> commit_push(sql::Connection& db, const PutManifest& cmd, const ParsedPush& parsed,
                                   const Limits& limits, const meta::Stamp& stamp) {
  BERTH_TRY(const meta::RepoId repo, meta::ensure_repo(db, cmd.repo, stamp));
  TagMoves moves;
  // Every tag that would move: a condition that holds for the one and not for the other is a lost update (M5, M6).
  if (!cmd.reference.is_digest()) BERTH_TRYV(check_tag(db, repo, cmd.reference.tag(), cmd, parsed.digest, moves));
  for (const oci::Tag& tag : cmd.extra_tags) BERTH_TRYV(check_tag(db, repo, tag, cmd, parsed.digest, moves));
  BERTH_TRYV(check_quota(db, repo, parsed, limits));
  EdgeCollector edges(db, repo, limits.reference_policy, stamp);
  BERTH_TRYV(edges.add_all(parsed.manifest));
  BERTH_TRY(const meta::ManifestId id,
            meta::put_manifest(
                db, repo, {parsed.digest, cmd.body, parsed.manifest, std::move(edges.blobs), std::move(edges.children)},
                stamp));
  if (!cmd.reference.is_digest()) BERTH_TRYV(meta::set_tag(db, repo, cmd.reference.tag(), id, parsed.digest, stamp));
  for (const oci::Tag& tag : cmd.extra_tags) BERTH_TRYV(meta::set_tag(db, repo, tag, id, parsed.digest, stamp));
  BERTH_TRYV(record_push(db, cmd, parsed.digest, moves));
  StoredManifest out{parsed.digest, parsed.manifest.subject, parsed.manifest.warnings};
  std::ranges::move(edges.warnings, std::back_inserter(out.warnings));
  return out;
}

Requirements requirements_of(const oci::Manifest& manifest, ReferencePolicy policy) {
  Requirements out;
  if (policy != ReferencePolicy::sparse) {
    if (manifest.config) out.blobs.push_back(manifest.config->digest_text);
    for (const auto& layer : manifest.layers) {
      if (!layer.exempt || !layer.digest) out.blobs.push_back(layer.digest_text);
    }
  }
  if (policy == ReferencePolicy::strict) {
    for (const auto& child : manifest.children)
      (child.is_manifest ? out.manifests : out.blobs).push_back(child.digest_text);
  }
  return out;
}

io::Task<Result<StoredManifest>> Manifests::put(PutManifest cmd) {
  BERTH_CO_TRYV(deps_.space.check_metadata());
  // shared: the writer may run the closure again, and this frame waits for it either way.
  auto command = std::make_shared<const PutManifest>(std::move(cmd));
  Result<ParsedPush> parsed = fail(Errc::internal);
  if (command->body.size() <= kInlineBytes) {
    parsed = parse_push(*command, deps_.limits);
  } else {
    parsed =
        co_await io::offload(deps_.cpu, [command, &limits = deps_.limits] { return parse_push(*command, limits); });
  }
  if (!parsed) co_return fail(std::move(parsed).error());
  auto understood = std::make_shared<const ParsedPush>(*std::move(parsed));
  const meta::Stamp stamp{deps_.clock.now_ms(), command->by};
  co_return co_await deps_.store.write(
      [command, understood, stamp, &limits = deps_.limits](sql::Connection& db) {
        return commit_push(db, *command, *understood, limits, stamp);
      },
      {.bytes = command->body.size(), .touches = meta::Touches::repo(command->repo)});
}

Error Manifests::unknown(const oci::RepoName& repo) {
  const auto known = deps_.store.peek([&](sql::Connection& db) { return meta::find_repo(db, repo); });
  if (!known) return Error(known.error());
  if (!*known) return Error(Errc::name_unknown, "no such repository");
  return Error(Errc::manifest_unknown, "no such manifest or tag in this repository");
}

/// A small manifest from the database, kept for the next who asks. manifest_too_large: not read, see kInlineBytes.
Result<ManifestPtr> Manifests::load(const oci::RepoName& repo, const oci::Reference& reference) {
  const auto stamp = deps_.store.epochs().stamp(meta::Epochs::stripe_of(repo));
  BERTH_TRY(auto found, deps_.store.peek([&](sql::Connection& db) {
    return meta::load_manifest(db, repo, reference, kInlineBytes);
  }));
  if (!found) return nullptr;
  auto manifest = std::make_shared<const meta::ManifestBytes>(*std::move(found));
  if (stamp) {
    const std::size_t bytes = sizeof(meta::ManifestBytes) + manifest->bytes.size() + manifest->head.media_type.size();
    cache_.put(repo.str(), meta::cache_item(reference), *stamp, manifest, bytes);
  }
  return manifest;
}

io::Task<Result<ManifestPtr>> Manifests::get(oci::RepoName repo, oci::Reference reference) {
  auto found = load(repo, reference);
  if (!found && found.error().code == Errc::manifest_too_large) {
    found = co_await deps_.store.read([=](sql::Connection& db) -> Result<ManifestPtr> {
      BERTH_TRY(auto large, meta::load_manifest(db, repo, reference));
      return large ? std::make_shared<const meta::ManifestBytes>(*std::move(large)) : nullptr;
    });
  }
  if (!found) {
    if (found.error().code == Errc::corrupt)
      deps_.log.error("manifest.damaged", {f("repo", repo.str()), f("err", found.error().cause)});
    co_return fail(std::move(found).error());
  }
  if (!*found) co_return fail(unknown(repo));
  co_return std::move(*found);
}

io::Task<Result<meta::ManifestHead>> Manifests::head(oci::RepoName repo, oci::Reference reference) {
  // Whoever asks for the head comes back for the body. One that is damaged or large still has a head.
  if (const auto loaded = load(repo, reference); loaded && *loaded) co_return (*loaded)->head;
  BERTH_CO_TRY(auto found,
               deps_.store.peek([&](sql::Connection& db) { return meta::find_manifest(db, repo, reference); }));
  if (!found) co_return fail(unknown(repo));
  co_return *std::move(found);
}

io::Task<Result<void>> Manifests::remove(oci::RepoName repo, oci::Reference reference,
                                         std::optional<meta::PrincipalId> by, std::optional<meta::AuditEntry> audit) {
  const meta::Stamp stamp{deps_.clock.now_ms(), by};
  const auto act = [=](sql::Connection& db) -> Result<bool> {
    BERTH_TRY(const auto id, meta::find_repo(db, repo));
    if (!id) return false;
    BERTH_TRY(const bool was_there, reference.is_digest() ? meta::trash_manifest(db, *id, reference.digest(), stamp)
                                                          : meta::delete_tag(db, *id, reference.tag(), stamp));
    if (!was_there || !audit) return was_there;
    meta::AuditEntry entry = *audit;
    entry.action = reference.is_digest() ? "manifest.delete" : "tag.delete";
    entry.target = target_of(repo, reference);
    BERTH_TRYV(meta::append_audit(db, std::move(entry)));
    return true;
  };
  BERTH_CO_TRY(const bool removed,
               co_await deps_.store.write(act, {.space = meta::Space::reclaim, .touches = meta::Touches::repo(repo)}));
  if (!removed) co_return fail(unknown(repo));
  co_return Result<void>{};
}

}  // namespace berth::registry
