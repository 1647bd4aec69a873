#pragma once
// Secrets that stand for a principal: access tokens, robots' secrets, refresh tokens, short-lived passwords. Only their
// hash is kept.

#include "crypto/hash.h"
#include "meta/ids.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

enum class TokenKind : std::int64_t {
  access = 1,
  refresh = 2,
  web_session = 3,
  robot_secret = 4,
  short_lived = 5,
  invite = 6,  // of the administrator who made it; revoked when it was used or taken back
};

struct TokenRow {
  TokenId id = 0;
  PrincipalId principal = 0;
  TokenKind kind = TokenKind::access;
  std::string name;
  std::string scope = "{}";  // JSON: what it narrows its principal to
  std::int64_t created_at_ms = 0;
  std::optional<std::int64_t> expires_at_ms;
  std::optional<std::int64_t> used_at_ms;
  std::string used_from;
  std::optional<std::int64_t> revoked_at_ms;
  TrustRuleId trust_rule = 0;  // of a job's: by which rule it is the robot
  TokenId made_by = 0;         // the secret that it was made by, and ends with; 0: none
};

Result<TokenId> insert_token(sql::Connection& db, const TokenRow& token, const crypto::Sha256Sum& hash,
                             const Stamp& stamp);
/// The same for what signing in makes by itself: of a principal's secrets of that kind that were made by the same one
/// the oldest go, beyond a thousand. What a narrow secret makes ends nobody else's.
Result<TokenId> insert_bounded_token(sql::Connection& db, const TokenRow& token, const crypto::Sha256Sum& hash,
                                     const Stamp& stamp);
Result<std::optional<TokenRow>> find_token(sql::Connection& db, const crypto::Sha256Sum& hash);
Result<std::optional<TokenRow>> find_token(sql::Connection& db, TokenId id);
/// Of that kind, newest last, after `after` (exclusive), at most `limit`.
Result<std::vector<TokenRow>> list_tokens(sql::Connection& db, PrincipalId principal, TokenKind kind, TokenId after,
                                          std::int64_t limit, Order order = Order::up);
/// The oldest of those that are neither revoked nor over at `now_ms`, after `after` (exclusive), at most `limit`.
Result<std::vector<TokenRow>> list_live_tokens(sql::Connection& db, PrincipalId principal, TokenKind kind,
                                               std::int64_t now_ms, std::int64_t limit, TokenId after = 0,
                                               Order order = Order::up);
struct InviteRow {
  TokenRow token;
  std::string maker;
};
/// Invitations of everybody that are open at `now_ms`, the oldest first, after `after` (exclusive), at most `limit`.
Result<std::vector<InviteRow>> list_open_invites(sql::Connection& db, std::int64_t now_ms, TokenId after,
                                                 std::int64_t limit, Order order = Order::up);
/// False if it was revoked before, or is not that principal's.
Result<bool> revoke_token(sql::Connection& db, PrincipalId principal, TokenId id, std::int64_t now_ms);
/// Ends what signing in opened: refresh tokens, web sessions, short-lived passwords.
Result<void> revoke_signed_in(sql::Connection& db, PrincipalId principal, std::int64_t now_ms);
/// When and from where it was last seen.
Result<void> note_token_use(sql::Connection& db, TokenId id, std::int64_t now_ms, std::string_view from);
/// Ends it then, if it would live longer: what a rotation does to the secret before.
Result<void> shorten_token(sql::Connection& db, TokenId id, std::int64_t expires_at_ms);
/// Forgets tokens that expired or were revoked before `before_ms`, at most `limit` of each; how many.
Result<std::int64_t> forget_dead_tokens(sql::Connection& db, std::int64_t before_ms, std::int64_t limit);

}  // namespace berth::meta
