// The words of fsck's report: they are read by scripts, so they never change.

#include "lifecycle/fsck.h"

namespace berth::lifecycle {

std::string_view to_string(FindingKind kind) {
  switch (kind) {
    case FindingKind::database: return "database";
    case FindingKind::row_invalid: return "row_invalid";
    case FindingKind::blob_missing: return "blob_missing";
    case FindingKind::blob_size: return "blob_size";
    case FindingKind::blob_hash: return "blob_hash";
    case FindingKind::blob_unreadable: return "blob_unreadable";
    case FindingKind::blob_bad: return "blob_bad";
    case FindingKind::blob_intact: return "blob_intact";
    case FindingKind::manifest_damaged: return "manifest_damaged";
    case FindingKind::manifest_unreadable: return "manifest_unreadable";
    case FindingKind::manifest_columns: return "manifest_columns";
    case FindingKind::manifest_edges: return "manifest_edges";
    case FindingKind::edge_dangling: return "edge_dangling";
    case FindingKind::body_unused: return "body_unused";
    case FindingKind::link_missing: return "link_missing";
    case FindingKind::link_dangling: return "link_dangling";
    case FindingKind::link_empty: return "link_empty";
    case FindingKind::tag_dangling: return "tag_dangling";
    case FindingKind::tag_history: return "tag_history";
    case FindingKind::tag_lost: return "tag_lost";
    case FindingKind::usage: return "usage";
    case FindingKind::candidate_missing: return "candidate_missing";
    case FindingKind::candidate_dangling: return "candidate_dangling";
    case FindingKind::folder_missing: return "folder_missing";
    case FindingKind::stray_file: return "stray_file";
    case FindingKind::upload_lost: return "upload_lost";
    case FindingKind::unfinished: return "unfinished";
  }
  return "unknown";
}

std::string_view to_string(Remedy remedy) {
  switch (remedy) {
    case Remedy::unneeded: return "unneeded";
    case Remedy::none: return "none";
    case Remedy::possible: return "possible";
    case Remedy::done: return "done";
    case Remedy::failed: return "failed";
    case Remedy::blocked: return "blocked";
  }
  return "unknown";
}

}  // namespace berth::lifecycle
