#pragma once
// An open upload session, as the parts of Uploads share it.

#include "registry/uploads.h"

#include <atomic>

namespace berth::registry {

struct Uploads::Session {
  Session(std::string i, oci::RepoName r, std::uint64_t n, std::shared_ptr<blob::Staged> s, Known k, Uploader u)
      : id(std::move(i)), repo(std::move(r)), inc(n), known(k), uploader(std::move(u)), staged(std::move(s)) {}

  const std::string id;
  const oci::RepoName repo;
  const std::uint64_t inc;
  const Known known;
  const Uploader uploader;
  std::shared_ptr<blob::Staged> staged;  // shared: an append on the disk pool outlives a lost connection
  blob::UploadHashes hashes;
  std::atomic<std::uint64_t> offset_bytes{0};  // atomic: a status does not wait for a writer that stands still
  std::int64_t created_at = 0;
  std::atomic<std::int64_t> expires_at{0};  // atomic: housekeeping looks without the lock
  std::atomic<bool> has_row{false};         // a restart would find it; set by the writer
  std::uint64_t saved_bytes = 0;            // of offset_bytes, what its row tells, or will tell soon
  std::int64_t saved_at = 0;
  std::atomic<bool> closed{false};  // cancelled, expired, failed or committed; a cancel does not wait either
  std::optional<oci::Digest> committed;
  io::AsyncMutex lock;  // one request at a time (U11); guards everything above but constants and atomics
};

}  // namespace berth::registry
