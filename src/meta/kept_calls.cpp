#include "meta/kept_calls.h"

#include <algorithm>

namespace berth::meta {

namespace {

constexpr sql::Sql kFind = R"(
  SELECT request_hash, status, location, etag, body
  FROM kept_call
  WHERE principal_id = $1 AND key_hash = $2 AND created_at > $3)";

// One that is over makes place for the new one of its name.
constexpr sql::Sql kInsert = R"(
  INSERT INTO kept_call(principal_id, key_hash, request_hash, created_at)
  VALUES($1, $2, $3, $4)
  ON CONFLICT(principal_id, key_hash) DO UPDATE
    SET request_hash = excluded.request_hash, created_at = excluded.created_at, status = 0, location = '', etag = '',
      body = ''
    WHERE kept_call.created_at <= $5)";

constexpr sql::Sql kAnswer = R"(
  UPDATE kept_call
  SET status = $3, location = $4, etag = $5, body = $6
  WHERE principal_id = $1 AND key_hash = $2)";

constexpr sql::Sql kLive = R"(
  SELECT created_at
  FROM kept_call
  WHERE principal_id = $1 AND created_at > $2
  ORDER BY created_at
  LIMIT $3)";

constexpr sql::Sql kForget = R"(
  DELETE FROM kept_call
  WHERE (principal_id, key_hash) IN (
    SELECT principal_id, key_hash
    FROM kept_call
    WHERE created_at <= $1
    ORDER BY created_at
    LIMIT $2))";

std::span<const std::byte> bytes(const crypto::Sha256Sum& sum) { return sum; }

}  // namespace

Result<std::optional<KeptCall>> find_kept_call(sql::Connection& db, const CallKey& key, std::int64_t now_ms) {
  std::optional<KeptCall> out;
  BERTH_TRYV(db.query(kFind, {key.principal, bytes(key.key), now_ms - kKeptCallMs}, [&](const sql::Row& row) {
    out.emplace();
    std::ranges::copy_n(row.blob(0).begin(), std::min<std::ptrdiff_t>(row.blob(0).size(), out->request.size()),
                        out->request.begin());
    out->answer = {row.int64(1), std::string(row.text(2)), std::string(row.text(3)), std::string(row.text(4))};
  }));
  return out;
}

Result<void> keep_call(sql::Connection& db, const CallKey& key, std::int64_t now_ms) {
  std::int64_t count = 0;
  std::int64_t oldest_ms = now_ms;
  BERTH_TRYV(db.query(kLive, {key.principal, now_ms - kKeptCallMs, kKeptCallsMax}, [&](const sql::Row& row) {
    if (count++ == 0) oldest_ms = row.int64(0);
  }));
  if (count >= kKeptCallsMax) {
    const std::int64_t wait_s = std::max<std::int64_t>(1, (oldest_ms + kKeptCallMs - now_ms + 999) / 1000);
    return fail(
        Error(Errc::too_many_requests,
              "1000 of your Idempotency-Keys of the last 24 hours are kept, and no more; send it without one")
            .with_number(static_cast<std::uint64_t>(wait_s))
            .with_items({"idempotency-keys", std::to_string(kKeptCallsMax), std::to_string(kKeptCallMs / 1000)}));
  }
  BERTH_TRYV(db.execute(kInsert, {key.principal, bytes(key.key), bytes(key.request), now_ms, now_ms - kKeptCallMs}));
  return {};
}

Result<void> keep_answer(sql::Connection& db, const CallKey& key, const KeptAnswer& answer) {
  BERTH_TRYV(db.execute(kAnswer, {key.principal, bytes(key.key), answer.status, std::string_view(answer.location),
                                  std::string_view(answer.etag), std::string_view(answer.body)}));
  return {};
}

Result<void> forget_kept_calls(sql::Connection& db, std::int64_t before_ms, std::int64_t limit) {
  BERTH_TRYV(db.execute(kForget, {before_ms, limit}));
  return {};
}

}  // namespace berth::meta
