#include "meta/tokens.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kInsert = R"(
  INSERT INTO token(hash, principal_id, kind, name, scope, created_at, expires_at, trust_rule_id,
    made_by)
  VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9)
  RETURNING id)";

constexpr sql::Sql kFindByHash = R"(
  SELECT id, principal_id, kind, name, scope, created_at, expires_at, used_at, used_from, revoked_at,
    trust_rule_id, made_by
  FROM token
  WHERE hash = $1)";

constexpr sql::Sql kFindById = R"(
  SELECT id, principal_id, kind, name, scope, created_at, expires_at, used_at, used_from, revoked_at,
    trust_rule_id, made_by
  FROM token
  WHERE id = $1)";

constexpr sql::Sql kList = R"(
  SELECT id, principal_id, kind, name, scope, created_at, expires_at, used_at, used_from, revoked_at,
    trust_rule_id, made_by
  FROM token
  WHERE principal_id = $1 AND kind = $2 AND id > $3
  ORDER BY id
  LIMIT $4)";

constexpr sql::Sql kListDown = R"(
  SELECT id, principal_id, kind, name, scope, created_at, expires_at, used_at, used_from, revoked_at,
    trust_rule_id, made_by
  FROM token
  WHERE principal_id = $1 AND kind = $2 AND id < $3
  ORDER BY id DESC
  LIMIT $4)";

constexpr sql::Sql kListLive = R"(
  SELECT id, principal_id, kind, name, scope, created_at, expires_at, used_at, used_from, revoked_at,
    trust_rule_id, made_by
  FROM token
  WHERE principal_id = $1 AND kind = $2 AND id > $5 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
  ORDER BY id
  LIMIT $4)";

constexpr sql::Sql kListLiveDown = R"(
  SELECT id, principal_id, kind, name, scope, created_at, expires_at, used_at, used_from, revoked_at,
    trust_rule_id, made_by
  FROM token
  WHERE principal_id = $1 AND kind = $2 AND id < $5 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
  ORDER BY id DESC
  LIMIT $4)";

constexpr sql::Sql kListOpenInvites = R"(
  SELECT t.id, t.principal_id, t.kind, t.name, t.scope, t.created_at, t.expires_at, t.used_at, t.used_from,
    t.revoked_at, t.trust_rule_id, t.made_by, p.name
  FROM token t
  JOIN principal p ON p.id = t.principal_id
  WHERE t.kind = 6 AND t.revoked_at IS NULL AND t.id > $1 AND t.expires_at > $2
  ORDER BY t.id
  LIMIT $3)";

constexpr sql::Sql kListOpenInvitesDown = R"(
  SELECT t.id, t.principal_id, t.kind, t.name, t.scope, t.created_at, t.expires_at, t.used_at, t.used_from,
    t.revoked_at, t.trust_rule_id, t.made_by, p.name
  FROM token t
  JOIN principal p ON p.id = t.principal_id
  WHERE t.kind = 6 AND t.revoked_at IS NULL AND t.id < $1 AND t.expires_at > $2
  ORDER BY t.id DESC
  LIMIT $3)";

constexpr sql::Sql kRevoke = R"(
  UPDATE token
  SET revoked_at = $3
  WHERE id = $1 AND principal_id = $2 AND revoked_at IS NULL)";

constexpr sql::Sql kRevokeSignedIn = R"(
  UPDATE token
  SET revoked_at = $2
  WHERE principal_id = $1 AND kind IN (2, 3, 5) AND revoked_at IS NULL)";

constexpr sql::Sql kNoteUse = R"(
  UPDATE token
  SET used_at = $2, used_from = $3
  WHERE id = $1)";

constexpr sql::Sql kShorten = R"(
  UPDATE token
  SET expires_at = $2
  WHERE id = $1 AND (expires_at IS NULL OR expires_at > $2))";

constexpr sql::Sql kOldestKept = R"(
  SELECT id
  FROM token
  WHERE principal_id = $1 AND kind = $2 AND made_by = $4
  ORDER BY id DESC
  LIMIT 1 OFFSET $3)";

constexpr sql::Sql kForgetOlder = R"(
  DELETE FROM token
  WHERE principal_id = $1 AND kind = $2 AND made_by = $4 AND id < $3)";

constexpr sql::Sql kForgetRevoked = R"(
  DELETE FROM token
  WHERE id IN (
    SELECT id
    FROM token
    WHERE revoked_at < $1
    ORDER BY revoked_at
    LIMIT $2))";

constexpr sql::Sql kForgetExpired = R"(
  DELETE FROM token
  WHERE id IN (
    SELECT id
    FROM token
    WHERE expires_at < $1
    ORDER BY expires_at
    LIMIT $2))";

constexpr std::int64_t kKeptOfAKind = 1'000;

TokenRow read(const sql::Row& row) {
  TokenRow out;
  out.id = row.int64(0);
  out.principal = row.int64(1);
  out.kind = static_cast<TokenKind>(row.int64(2));
  out.name = row.text(3);
  out.scope = row.text(4);
  out.created_at_ms = row.int64(5);
  if (!row.is_null(6)) out.expires_at_ms = row.int64(6);
  if (!row.is_null(7)) out.used_at_ms = row.int64(7);
  if (!row.is_null(8)) out.used_from = row.text(8);
  if (!row.is_null(9)) out.revoked_at_ms = row.int64(9);
  out.trust_rule = row.int64(10);
  out.made_by = row.int64(11);
  return out;
}

}  // namespace

Result<TokenId> insert_token(sql::Connection& db, const TokenRow& token, const crypto::Sha256Sum& hash,
                             const Stamp& stamp) {
  TokenId id = 0;
  BERTH_TRYV(db.query(kInsert,
                      {std::span<const std::byte>(hash), token.principal, static_cast<std::int64_t>(token.kind),
                       std::string_view(token.name), std::string_view(token.scope), stamp.at_ms,
                       bind_optional(token.expires_at_ms), token.trust_rule, token.made_by},
                      [&](const sql::Row& row) { id = row.int64(0); }));
  return id;
}

Result<std::optional<TokenRow>> find_token(sql::Connection& db, const crypto::Sha256Sum& hash) {
  std::optional<TokenRow> out;
  BERTH_TRYV(db.query(kFindByHash, {std::span<const std::byte>(hash)}, [&](const sql::Row& row) { out = read(row); }));
  return out;
}

Result<std::optional<TokenRow>> find_token(sql::Connection& db, TokenId id) {
  std::optional<TokenRow> out;
  BERTH_TRYV(db.query(kFindById, {id}, [&](const sql::Row& row) { out = read(row); }));
  return out;
}

Result<std::vector<TokenRow>> list_tokens(sql::Connection& db, PrincipalId principal, TokenKind kind, TokenId after,
                                          std::int64_t limit, Order order) {
  std::vector<TokenRow> out;
  BERTH_TRYV(db.query(order == Order::up ? kList : kListDown,
                      {principal, static_cast<std::int64_t>(kind), after, limit},
                      [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::vector<TokenRow>> list_live_tokens(sql::Connection& db, PrincipalId principal, TokenKind kind,
                                               std::int64_t now_ms, std::int64_t limit, TokenId after, Order order) {
  std::vector<TokenRow> out;
  BERTH_TRYV(db.query(order == Order::up ? kListLive : kListLiveDown,
                      {principal, static_cast<std::int64_t>(kind), now_ms, limit, after},
                      [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::vector<InviteRow>> list_open_invites(sql::Connection& db, std::int64_t now_ms, TokenId after,
                                                 std::int64_t limit, Order order) {
  std::vector<InviteRow> out;
  BERTH_TRYV(db.query(order == Order::up ? kListOpenInvites : kListOpenInvitesDown, {after, now_ms, limit},
                      [&](const sql::Row& row) { out.push_back({read(row), std::string(row.text(12))}); }));
  return out;
}

Result<bool> revoke_token(sql::Connection& db, PrincipalId principal, TokenId id, std::int64_t now_ms) {
  BERTH_TRY(const std::int64_t changed, db.execute(kRevoke, {id, principal, now_ms}));
  return changed > 0;
}

Result<void> revoke_signed_in(sql::Connection& db, PrincipalId principal, std::int64_t now_ms) {
  BERTH_TRYV(db.execute(kRevokeSignedIn, {principal, now_ms}));
  return {};
}

Result<void> note_token_use(sql::Connection& db, TokenId id, std::int64_t now_ms, std::string_view from) {
  BERTH_TRYV(db.execute(kNoteUse, {id, now_ms, from}));
  return {};
}

Result<void> shorten_token(sql::Connection& db, TokenId id, std::int64_t expires_at_ms) {
  BERTH_TRYV(db.execute(kShorten, {id, expires_at_ms}));
  return {};
}

Result<TokenId> insert_bounded_token(sql::Connection& db, const TokenRow& token, const crypto::Sha256Sum& hash,
                                     const Stamp& stamp) {
  BERTH_TRY(const TokenId id, insert_token(db, token, hash, stamp));
  const auto kind = static_cast<std::int64_t>(token.kind);
  std::optional<TokenId> oldest;
  BERTH_TRYV(db.query(kOldestKept, {token.principal, kind, kKeptOfAKind - 1, token.made_by},
                      [&](const sql::Row& row) { oldest = row.int64(0); }));
  if (oldest) BERTH_TRYV(db.execute(kForgetOlder, {token.principal, kind, *oldest, token.made_by}));
  return id;
}

Result<std::int64_t> forget_dead_tokens(sql::Connection& db, std::int64_t before_ms, std::int64_t limit) {
  BERTH_TRY(const std::int64_t expired, db.execute(kForgetExpired, {before_ms, limit}));
  BERTH_TRY(const std::int64_t revoked, db.execute(kForgetRevoked, {before_ms, limit}));
  return expired + revoked;
}

}  // namespace berth::meta
