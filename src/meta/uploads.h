#pragma once
// Upload sessions as remembered across restarts, and the tombstones of finished ones (U10).

#include "meta/ids.h"
#include "oci/digest.h"
#include "oci/repo_name.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

inline constexpr std::int64_t kUploadOpen = 1;
inline constexpr std::int64_t kUploadCommitted = 2;
inline constexpr std::int64_t kUploadDiscarded = 3;

struct UploadRow {
  std::string id;
  std::string repo;
  std::string subject;  // whose it is: an account's name and number ("ann#7"), empty for an anonymous caller
  std::int64_t state = kUploadOpen;
  std::uint64_t inc = 0;
  bool placed = false;
  std::uint64_t offset_bytes = 0;     // bytes whose hash state is in this row
  std::uint64_t synced_bytes = 0;     // of these, how many survive a power cut
  std::vector<std::byte> hash256;     // crypto::Sha256::export_state at offset_bytes
  std::vector<std::byte> hash512;     // empty if sha512 is not computed
  std::optional<oci::Digest> digest;  // of a committed one
  std::int64_t created_at = 0;
  std::int64_t expires_at = 0;
};

/// Writes the row of an open session, new or progressed. A committed one is left alone.
Result<void> save_upload(sql::Connection& db, const UploadRow& row);
Result<std::optional<UploadRow>> find_upload(sql::Connection& db, std::string_view id);
/// Claims a session that is due at `now_ms` for removal: from then on it can be neither resumed nor committed. False if
/// it was finished, renewed or removed meanwhile, and its bytes are not to be touched.
Result<bool> discard_expired(sql::Connection& db, std::string_view id, std::int64_t now_ms);
/// Turns the session into its tombstone. Errors: upload_unknown if its row is not open any more, or gone: whoever took
/// it away is about to remove its bytes, or has. `placed`: no file waits in the staging folder for its final place.
Result<void> commit_upload(sql::Connection& db, const UploadRow& row, bool placed);
/// The same for an upload in one request, which never had a row.
Result<void> record_upload(sql::Connection& db, const UploadRow& row, bool placed);
/// Takes every open session back to its first byte: after a power cut its bytes prove nothing.
Result<void> restart_sessions(sql::Connection& db);
/// Ends a session whose bytes may still be written to: as if it had just expired. False if it is over already.
Result<bool> discard_upload(sql::Connection& db, const UploadRow& row);
/// A session, ended or not; never the row of a committed upload, which may be all that knows where its bytes are.
Result<void> forget_upload(sql::Connection& db, std::string_view id);
/// A committed upload whose bytes are in their place.
Result<void> forget_tombstone(sql::Connection& db, std::string_view id);
Result<void> mark_placed(sql::Connection& db, std::string_view id);

/// Committed uploads whose file may still be in the staging folder: what recovery and the placer work through.
Result<std::vector<UploadRow>> list_unplaced(sql::Connection& db, std::int64_t limit);
/// Sessions due at `sessions_ms` and tombstones due at `now_ms`, oldest first. Those not placed never expire.
Result<std::vector<UploadRow>> list_expired(sql::Connection& db, std::int64_t sessions_ms, std::int64_t now_ms,
                                            std::int64_t limit);
/// The session a staged file belongs to.
Result<std::optional<UploadRow>> find_upload_by_inc(sql::Connection& db, std::uint64_t inc);

}  // namespace berth::meta
