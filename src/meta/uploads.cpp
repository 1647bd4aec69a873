#include "meta/uploads.h"

#include "crypto/hash.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kSave = R"(
  INSERT INTO upload(id, repo, subject, state, inc, offset_, synced, hash256, hash512, created_at, expires_at)
  VALUES($1, $2, $10, 1, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT(id) DO UPDATE SET offset_ = excluded.offset_, synced = excluded.synced, hash256 = excluded.hash256,
    hash512 = excluded.hash512, expires_at = excluded.expires_at
  WHERE upload.state = 1)";

constexpr sql::Sql kFind = R"(
  SELECT id, repo, state, inc, placed, offset_, synced, hash256, hash512, digest, created_at, expires_at, subject
  FROM upload
  WHERE id = $1)";

constexpr sql::Sql kFindByInc = R"(
  SELECT id, repo, state, inc, placed, offset_, synced, hash256, hash512, digest, created_at, expires_at, subject
  FROM upload
  WHERE inc = $1)";

constexpr sql::Sql kCommit = R"(
  UPDATE upload
  SET state = 2, placed = $2, offset_ = $3, hash256 = NULL, hash512 = NULL, digest = $4, expires_at = $5
  WHERE id = $1 AND state = 1)";

constexpr sql::Sql kRecord = R"(
  INSERT INTO upload(id, repo, subject, state, inc, placed, offset_, digest, created_at, expires_at)
  VALUES($1, $2, $9, 2, $3, $4, $5, $6, $7, $8))";

constexpr sql::Sql kDiscardExpired = R"(
  UPDATE upload
  SET state = 3
  WHERE id = $1 AND expires_at < $2 AND state <> 2)";

constexpr sql::Sql kRestart = R"(
  UPDATE upload
  SET offset_ = 0, synced = 0, hash256 = NULL,
    hash512 = CASE WHEN hash512 IS NULL THEN NULL ELSE $1 END
  WHERE state = 1 AND offset_ > 0)";

constexpr sql::Sql kDiscard = R"(
  INSERT INTO upload(id, repo, subject, state, inc, offset_, created_at, expires_at)
  VALUES($1, $2, $5, 3, $3, 0, $4, 0)
  ON CONFLICT(id) DO UPDATE SET state = 3, expires_at = 0
  WHERE upload.state = 1)";

constexpr sql::Sql kForget = R"(
  DELETE FROM upload
  WHERE id = $1 AND state <> 2)";

constexpr sql::Sql kForgetTombstone = R"(
  DELETE FROM upload
  WHERE id = $1 AND state = 2 AND placed = 1)";

constexpr sql::Sql kPlaced = R"(
  UPDATE upload
  SET placed = 1
  WHERE id = $1)";

constexpr sql::Sql kUnplaced = R"(
  SELECT id, repo, state, inc, placed, offset_, synced, hash256, hash512, digest, created_at, expires_at, subject
  FROM upload
  WHERE state = 2 AND placed = 0
  LIMIT $1)";

constexpr sql::Sql kExpired = R"(
  SELECT id, repo, state, inc, placed, offset_, synced, hash256, hash512, digest, created_at, expires_at, subject
  FROM upload
  WHERE expires_at < $1 AND (state <> 2 OR (placed = 1 AND expires_at < $2))
  ORDER BY expires_at
  LIMIT $3)";

std::vector<std::byte> copy(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

UploadRow read_row(const sql::Row& row) {
  UploadRow out;
  out.id = row.text(0);
  out.repo = row.text(1);
  out.state = row.int64(2);
  out.inc = static_cast<std::uint64_t>(row.int64(3));
  out.placed = row.int64(4) != 0;
  out.offset_bytes = static_cast<std::uint64_t>(row.int64(5));
  out.synced_bytes = static_cast<std::uint64_t>(row.int64(6));
  out.hash256 = copy(row.blob(7));
  out.hash512 = copy(row.blob(8));
  out.digest = oci::Digest::from_storage(row.blob(9));
  out.created_at = row.int64(10);
  out.expires_at = row.int64(11);
  out.subject = row.text(12);
  return out;
}

sql::Bind blob_or_null(const std::vector<std::byte>& bytes) {
  return bytes.empty() ? sql::Bind(nullptr) : sql::Bind(std::span<const std::byte>(bytes));
}

std::int64_t as_i64(std::uint64_t v) { return static_cast<std::int64_t>(v); }

}  // namespace

Result<void> save_upload(sql::Connection& db, const UploadRow& row) {
  BERTH_TRYV(
      db.execute(kSave, {std::string_view(row.id), std::string_view(row.repo), as_i64(row.inc),
                         as_i64(row.offset_bytes), as_i64(row.synced_bytes), blob_or_null(row.hash256),
                         blob_or_null(row.hash512), row.created_at, row.expires_at, std::string_view(row.subject)}));
  return {};
}

Result<std::optional<UploadRow>> find_upload(sql::Connection& db, std::string_view id) {
  std::optional<UploadRow> out;
  BERTH_TRYV(db.query(kFind, {id}, [&](const sql::Row& row) { out = read_row(row); }));
  return out;
}

Result<std::optional<UploadRow>> find_upload_by_inc(sql::Connection& db, std::uint64_t inc) {
  std::optional<UploadRow> out;
  BERTH_TRYV(db.query(kFindByInc, {as_i64(inc)}, [&](const sql::Row& row) { out = read_row(row); }));
  return out;
}

Result<void> commit_upload(sql::Connection& db, const UploadRow& row, bool placed) {
  BERTH_TRY(const auto changed, db.execute(kCommit, {std::string_view(row.id), std::int64_t{placed ? 1 : 0},
                                                     as_i64(row.offset_bytes), row.digest->storage(), row.expires_at}));
  if (changed == 0) return fail(Errc::upload_unknown, "the upload was cancelled, or has expired");
  return {};
}

Result<void> record_upload(sql::Connection& db, const UploadRow& row, bool placed) {
  BERTH_TRYV(db.execute(kRecord, {std::string_view(row.id), std::string_view(row.repo), as_i64(row.inc),
                                  std::int64_t{placed ? 1 : 0}, as_i64(row.offset_bytes), row.digest->storage(),
                                  row.created_at, row.expires_at, std::string_view(row.subject)}));
  return {};
}

Result<bool> discard_expired(sql::Connection& db, std::string_view id, std::int64_t now_ms) {
  BERTH_TRY(const auto changed, db.execute(kDiscardExpired, {id, now_ms}));
  return changed > 0;
}

Result<void> restart_sessions(sql::Connection& db) {
  // A hint at sha512 stays good: its hash starts over too.
  const auto fresh = crypto::Sha512().export_state();
  BERTH_TRYV(db.execute(kRestart, {std::span<const std::byte>(fresh)}));
  return {};
}

Result<bool> discard_upload(sql::Connection& db, const UploadRow& row) {
  BERTH_TRY(const auto changed, db.execute(kDiscard, {std::string_view(row.id), std::string_view(row.repo),
                                                      as_i64(row.inc), row.created_at, std::string_view(row.subject)}));
  return changed > 0;
}

Result<void> forget_tombstone(sql::Connection& db, std::string_view id) {
  BERTH_TRYV(db.execute(kForgetTombstone, {id}));
  return {};
}

Result<void> forget_upload(sql::Connection& db, std::string_view id) {
  BERTH_TRYV(db.execute(kForget, {id}));
  return {};
}

Result<void> mark_placed(sql::Connection& db, std::string_view id) {
  BERTH_TRYV(db.execute(kPlaced, {id}));
  return {};
}

Result<std::vector<UploadRow>> list_unplaced(sql::Connection& db, std::int64_t limit) {
  std::vector<UploadRow> rows;
  BERTH_TRYV(db.query(kUnplaced, {limit}, [&](const sql::Row& row) { rows.push_back(read_row(row)); }));
  return rows;
}

Result<std::vector<UploadRow>> list_expired(sql::Connection& db, std::int64_t sessions_ms, std::int64_t now_ms,
                                            std::int64_t limit) {
  std::vector<UploadRow> rows;
  BERTH_TRYV(
      db.query(kExpired, {sessions_ms, now_ms, limit}, [&](const sql::Row& row) { rows.push_back(read_row(row)); }));
  return rows;
}

}  // namespace berth::meta
