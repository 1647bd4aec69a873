#pragma once
// Usage counters against a recomputation.

#include "support/sqlite_probe.h"

#include <string>
#include <vector>

namespace berth::test {

/// Every counter beside what it must be, computed from scratch; rows that differ.
inline std::vector<std::string> usage_drift(const SqliteProbe& probe) {
  std::vector<std::string> out;
  for (const char* sql : {
           R"(SELECT 'repo', r.name, r.used_bytes, r.n_manifests, r.n_tags,
                  (SELECT coalesce(sum(b.size), 0) FROM repo_blob l JOIN blob b ON b.id = l.blob_id
                   WHERE l.repo_id = r.id AND l.state = 1)
                  + (SELECT coalesce(sum(m.size), 0) FROM manifest m WHERE m.repo_id = r.id AND m.state = 1) AS bytes,
                  (SELECT count(*) FROM manifest m WHERE m.repo_id = r.id AND m.state = 1) AS manifests,
                  (SELECT count(*) FROM tag t WHERE t.repo_id = r.id) AS tags
                FROM repo r WHERE r.used_bytes <> bytes OR r.n_manifests <> manifests OR r.n_tags <> tags)",
           R"(SELECT 'ns', n.name, n.used_bytes,
                  (SELECT coalesce(sum(b.size), 0) FROM blob b WHERE b.id IN (
                     SELECT l.blob_id FROM repo_blob l JOIN repo r ON r.id = l.repo_id
                     WHERE r.ns_id = n.id AND r.deleted_at IS NULL AND l.state = 1))
                  + (SELECT coalesce(sum(m.size), 0) FROM manifest m JOIN repo r ON r.id = m.repo_id
                     WHERE r.ns_id = n.id AND r.deleted_at IS NULL AND m.state = 1) AS bytes
                FROM ns n WHERE n.used_bytes <> bytes)",
           R"(SELECT 'ns_blob', x.ns_id, x.blob_id, x.links, (
                  SELECT count(*) FROM repo_blob l JOIN repo r ON r.id = l.repo_id
                  WHERE r.ns_id = x.ns_id AND r.deleted_at IS NULL AND l.blob_id = x.blob_id
                    AND l.state = 1) AS links_now
                FROM ns_blob x WHERE x.links <> links_now)",
       }) {
    for (auto& row : probe.rows(sql)) out.push_back(std::move(row));
  }
  return out;
}

}  // namespace berth::test
