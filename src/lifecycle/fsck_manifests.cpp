// fsck: the bytes of every manifest are what they were, and what the database repeats of them is what they say: the
// columns of its row, its edges to blobs and children. Bytes are the truth here; all else is derived from them anew.

#include "lifecycle/fsck_run.h"
#include "meta/fsck_repair.h"
#include "meta/gc_queue.h"
#include "oci/manifest.h"

#include <algorithm>
#include <map>
#include <set>

namespace berth::lifecycle {

namespace {

constexpr std::int64_t kLive = 1;
constexpr std::int64_t kTrash = 2;
constexpr const char* kLost = "nothing here can bring the bytes back; restore them from a backup";

/// What the rows of a manifest must hold, by its bytes.
struct Expected {
  meta::ManifestColumns columns;
  std::map<oci::Digest, std::int64_t> needed;  // blobs with their sizes
  std::set<oci::Digest> allowed;  // foreign layers (V8): an edge if the blob was here when the manifest came
  std::set<oci::Digest> children;
};

Expected expect(const oci::Manifest& parsed, const oci::Digest& digest, std::size_t size_bytes) {
  Expected out;
  out.columns = {static_cast<std::int64_t>(parsed.kind),
                 parsed.media_type,
                 size_bytes,
                 parsed.artifact_type,
                 parsed.subject,
                 parsed.subject.empty() ? std::string() : oci::referrer_descriptor(parsed, digest, size_bytes)};
  const auto add_blob = [&](const oci::Descriptor& d) {
    if (!d.digest) return;  // of an algorithm nothing is stored under
    if (d.exempt) {
      out.allowed.insert(*d.digest);
    } else {
      out.needed.emplace(*d.digest, d.size);
    }
  };
  if (parsed.config) add_blob(*parsed.config);
  for (const auto& layer : parsed.layers) add_blob(layer);
  for (const auto& child : parsed.children) {
    if (!child.is_manifest) {
      add_blob(child);  // V9
    } else if (child.digest) {
      out.children.insert(*child.digest);
    }
  }
  return out;
}

std::string name_of(const meta::ManifestCheck& m) {
  const std::string repo = m.repo_name.empty() ? "repository #" + std::to_string(m.repo) : m.repo_name;
  return repo + "@" + (m.digest ? m.digest->str() : "manifest #" + std::to_string(m.id));
}

/// The manifest in its bytes, if they are good; else the damage is reported.
std::optional<oci::Manifest> read_bytes(FsckRun& run, const meta::ManifestCheck& m, const oci::Digest& digest) {
  const auto lost = [&](FindingKind kind, std::string what, const char* action) {
    run.damage({.kind = kind, .object = name_of(m), .what = std::move(what), .action = action}, {});
    return std::nullopt;
  };
  if (!m.has_body) return lost(FindingKind::manifest_damaged, "its bytes are missing", kLost);
  if (m.encoding != 0) {
    return lost(FindingKind::manifest_unreadable, "its bytes are stored in a form this berth does not know",
                "check with the version of berth that wrote it");
  }
  if (oci::digest_of(digest.algorithm(), m.bytes) != digest) {
    return lost(FindingKind::manifest_damaged, "its bytes do not hash to the digest; pulls answer 500", kLost);
  }
  auto parsed = oci::parse_manifest(m.bytes, {}, oci::kManifestLimitsMax);
  if (!parsed) {
    return lost(FindingKind::manifest_unreadable, "this berth does not accept it: " + parsed.error().message,
                "it is served as it is; what it refers to was not checked");
  }
  return *std::move(parsed);
}

void check_columns(FsckRun& run, const meta::ManifestCheck& m, const Expected& expected) {
  std::string differing;
  const auto compare = [&](const char* name, bool equal) {
    if (!equal) differing += (differing.empty() ? "" : ", ") + std::string(name);
  };
  compare("kind", m.columns.kind == expected.columns.kind);
  compare("media type", m.columns.media_type == expected.columns.media_type);
  compare("size", m.columns.size_bytes == expected.columns.size_bytes);
  compare("artifact type", m.columns.artifact_type == expected.columns.artifact_type);
  compare("subject", m.columns.subject == expected.columns.subject);
  compare("referrers entry", m.columns.ref_desc == expected.columns.ref_desc);
  const oci::Digest sha256 = oci::digest_of(oci::Algorithm::sha256, m.bytes);
  compare("hash of its bytes", std::ranges::equal(sha256.raw(), m.body_sha256));
  if (differing.empty()) return;
  run.damage({.kind = FindingKind::manifest_columns,
              .object = name_of(m),
              .what = "what is noted of it differs from its bytes: " + differing,
              .action = "note it anew"},
             run.writing([&](sql::Connection& db) -> Result<void> {
               BERTH_TRYV(meta::rewrite_manifest(db, m.id, expected.columns));
               return meta::rewrite_body_hash(db, m.body, sha256.raw());
             }));
}

struct EdgeDifference {
  std::size_t missing = 0;
  std::size_t surplus = 0;
  std::vector<meta::BlobId> kept;  // good edges the bytes do not require
};

EdgeDifference compare_edges(const meta::ManifestCheck& m, const Expected& expected,
                             const std::vector<meta::BlobEdge>& blobs, const std::vector<meta::ChildEdge>& children) {
  EdgeDifference out;
  std::size_t needed_found = 0;
  for (const auto& edge : blobs) {
    const bool whole = edge.digest && edge.repo == m.repo;
    if (whole && expected.needed.contains(*edge.digest)) {
      ++needed_found;
    } else if (whole && expected.allowed.contains(*edge.digest)) {
      out.kept.push_back(edge.blob);
    } else {
      ++out.surplus;
    }
  }
  std::size_t children_found = 0;
  for (const auto& edge : children) {
    const bool right = edge.digest && edge.repo == m.repo && expected.children.contains(*edge.digest);
    ++(right ? children_found : out.surplus);
  }
  out.missing = expected.needed.size() - needed_found + expected.children.size() - children_found;
  return out;
}

Result<void> check_edges(FsckRun& run, const meta::ManifestCheck& m, const Expected& expected) {
  BERTH_TRY(const auto blobs, meta::list_blob_edges(run.db(), m.id));
  BERTH_TRY(const auto children, meta::list_child_edges(run.db(), m.id));
  auto difference = compare_edges(m, expected, blobs, children);
  if (difference.missing + difference.surplus == 0) return {};
  meta::EdgeRewrite right{m.id, m.repo, {}, std::move(difference.kept), {}};
  for (const auto& [digest, size] : expected.needed) right.needed.push_back({digest, size});
  right.children.assign(expected.children.begin(), expected.children.end());
  run.damage({.kind = FindingKind::manifest_edges,
              .object = name_of(m),
              .what = "of what it refers to " + std::to_string(difference.missing) + " entries are missing and " +
                      std::to_string(difference.surplus) + " are wrong",
              .action = "derive them from its bytes"},
             run.writing([&](sql::Connection& db) { return meta::rewrite_edges(db, right, run.stamp()); }));
  return {};
}

/// A manifest keeps its blobs alive through links of its repository. In the trash it may do with links in the trash.
Result<void> check_links_of(FsckRun& run, const meta::ManifestCheck& m, const std::optional<Expected>& expected) {
  BERTH_TRY(const auto edges, meta::list_blob_edges(run.db(), m.id));
  for (const auto& edge : edges) {
    if (!edge.digest) continue;  // an edge to nothing: reported above
    const bool required = expected && expected->needed.contains(*edge.digest);
    const bool hidden = edge.link_state == kTrash && m.state == kLive && required;
    if (edge.link_state && !hidden) continue;
    run.damage(
        {.kind = FindingKind::link_missing,
         .object = name_of(m),
         .what = "it needs " + edge.digest->str() + ", which " +
                 (hidden ? "its repository has deleted" : "its repository does not link"),
         .action = "link it again"},
        run.writing([&](sql::Connection& db) { return meta::restore_link(db, m.repo, edge.blob, run.stamp()); }));
  }
  return {};
}

void check_state(FsckRun& run, const meta::ManifestCheck& m) {
  if (m.state != kLive && m.state != kTrash) {
    run.damage({.kind = FindingKind::row_invalid, .object = name_of(m), .what = "its state is unknown"}, {});
  }
  if (m.state != kTrash || m.purge_queued) return;
  const std::int64_t due = m.purge_at != 0 ? m.purge_at : run.now_ms() + meta::kUndoMs;
  run.damage({.kind = FindingKind::candidate_missing,
              .object = name_of(m),
              .what = "it is deleted, but would never be collected",
              .action = "queue it"},
             run.writing([&, due](sql::Connection& db) {
               return meta::queue_candidate(db, meta::Candidate::manifest_purge, m.repo, m.id, due,
                                            meta::Cause::manifest_deleted);
             }));
}

Result<void> check_manifest(FsckRun& run, meta::ManifestId id) {
  run.checked(1);
  BERTH_TRY(const auto m, meta::load_manifest_check(run.db(), id));
  if (!m) return {};
  if (!m->digest || m->repo_name.empty()) {
    const std::string what = m->digest ? "its repository does not exist" : "its digest is not one";
    run.damage({.kind = FindingKind::row_invalid, .object = name_of(*m), .what = what}, {});
    return {};
  }
  std::optional<Expected> expected;
  if (const auto parsed = read_bytes(run, *m, *m->digest)) {
    expected = expect(*parsed, *m->digest, m->bytes.size());
    check_columns(run, *m, *expected);
    BERTH_TRYV(check_edges(run, *m, *expected));
  }
  BERTH_TRYV(check_links_of(run, *m, expected));
  check_state(run, *m);
  return {};
}

Result<void> check_dangling_edges(FsckRun& run) {
  return walk(
      meta::ManifestId{0},
      [&](meta::ManifestId after) { return meta::list_dangling_edges(run.db(), after, FsckRun::kPageRows); },
      [](meta::ManifestId id) { return id; },
      [&](meta::ManifestId id) -> Result<void> {
        run.damage({.kind = FindingKind::edge_dangling,
                    .object = "manifest #" + std::to_string(id),
                    .what = "it is gone, but still keeps blobs or children alive",
                    .action = "forget what it referred to"},
                   run.writing([id](sql::Connection& db) { return meta::drop_edges(db, id); }));
        return {};
      });
}

Result<void> check_unused_bodies(FsckRun& run) {
  return walk(
      std::int64_t{0},
      [&](std::int64_t after) { return meta::list_unused_bodies(run.db(), after, FsckRun::kPageRows); },
      [](const meta::UnusedBody& body) { return body.id; },
      [&](const meta::UnusedBody& body) -> Result<void> {
        run.note({.kind = FindingKind::body_unused,
                  .object = "manifest body #" + std::to_string(body.id),
                  .what = "no manifest uses it (sha256 " + body.sha256_hex + ")",
                  .action = "it is kept"});
        return {};
      });
}

}  // namespace

Result<void> check_manifests(FsckRun& run) {
  run.begin("manifests", run.totals().manifests);
  BERTH_TRYV(walk(
      meta::ManifestId{0},
      [&](meta::ManifestId after) { return meta::list_manifest_ids(run.db(), after, FsckRun::kPageRows); },
      [](meta::ManifestId id) { return id; }, [&](meta::ManifestId id) { return check_manifest(run, id); }));
  BERTH_TRYV(check_dangling_edges(run));
  return check_unused_bodies(run);
}

}  // namespace berth::lifecycle
