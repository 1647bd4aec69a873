#include "auth/web_sessions.h"

#include "auth/directory.h"
#include "auth/recheck.h"
#include "auth/secret.h"
#include "base/base64.h"
#include "crypto/hmac.h"

#include <algorithm>

namespace berth::auth {

namespace {

constexpr std::int64_t kUseNotedMs = 5LL * 60 * 1000;  // how exact "last used" is, and the idle time with it
constexpr std::size_t kBrowserBytesMax = 200;

struct Found {
  meta::Principal principal;
  meta::TokenRow row;
};

}  // namespace

io::Task<Result<std::string>> WebSessions::open(IdentityPtr person, std::string browser, std::string address) {
  std::string secret = make_secret(SecretKind::web, deps_.random);
  const std::int64_t now_ms = deps_.clock.now_ms();
  meta::TokenRow row;
  row.principal = person->subject.id;
  row.kind = meta::TokenKind::web_session;
  row.name = browser.substr(0, kBrowserBytesMax);
  row.expires_at_ms = now_ms + kLifeMs;
  const meta::Stamp stamp{now_ms, person->subject.id};
  BERTH_CO_TRYV(co_await deps_.store.write(
      [row, stamp, person, hash = secret_hash(secret), from = std::move(address)](sql::Connection& db) -> Result<void> {
        BERTH_TRYV(check_still_stands(db, *person, stamp.at_ms));
        BERTH_TRY(const meta::TokenId id, meta::insert_bounded_token(db, row, hash, stamp));
        return meta::note_token_use(db, id, stamp.at_ms, from);
      },
      {.touches = meta::Touches::nothing()}));
  co_return secret;
}

Result<IdentityPtr> WebSessions::find(std::string_view cookie, std::string_view address) {
  if (parse_secret(cookie) != SecretKind::web) return nullptr;
  const std::int64_t now_ms = deps_.clock.now_ms();
  BERTH_TRY(auto found, deps_.store.peek([&](sql::Connection& db) -> Result<std::optional<Found>> {
    BERTH_TRY(auto row, meta::find_token(db, secret_hash(cookie)));
    if (!row || row->kind != meta::TokenKind::web_session || row->revoked_at_ms) return std::nullopt;
    BERTH_TRY(auto principal, meta::find_principal(db, row->principal));
    if (!principal) return std::nullopt;
    return Found{*std::move(principal), *std::move(row)};
  }));
  if (!found) return nullptr;
  const std::int64_t used_ms = found->row.used_at_ms.value_or(found->row.created_at_ms);
  const std::int64_t end_ms = std::min(found->row.expires_at_ms.value_or(0), used_ms + kIdleMs);
  auto subject = end_ms > now_ms ? subject_of(found->principal, now_ms) : std::nullopt;
  if (!subject) return nullptr;
  if (now_ms - used_ms >= kUseNotedMs || found->row.used_from != address) {
    deps_.store.write_later([id = found->row.id, now_ms, from = std::string(address)](sql::Connection& db) {
      return meta::note_token_use(db, id, now_ms, from);
    });
  }
  Identity out;
  out.subject = *std::move(subject);
  out.credential = Credential::password;
  out.via = found->row.id;
  out.valid_until_ms = end_ms;
  return std::make_shared<const Identity>(std::move(out));
}

io::Task<Result<void>> WebSessions::close(IdentityPtr session) {
  BERTH_CO_TRYV(co_await deps_.store.write(
      [id = session->via, principal = session->subject.id, now_ms = deps_.clock.now_ms()](sql::Connection& db) {
        return meta::revoke_token(db, principal, id, now_ms);
      },
      {.touches = meta::Touches::accounts()}));
  co_return Result<void>{};
}

Result<bool> WebSessions::is_open(const Identity& session) const {
  const std::int64_t now_ms = deps_.clock.now_ms();
  return deps_.store.peek([&](sql::Connection& db) -> Result<bool> {
    BERTH_TRY(const auto row, meta::find_token(db, session.via));
    const bool is_live =
        row && row->principal == session.subject.id && !row->revoked_at_ms && row->expires_at_ms.value_or(0) > now_ms;
    if (!is_live) return false;
    BERTH_TRY(const auto principal, meta::find_principal(db, session.subject.id));
    return principal && subject_of(*principal, now_ms).has_value();
  });
}

std::string form_token(std::string_view cookie) {
  constexpr std::string_view kPurpose = "form";
  return encode_base64url(crypto::hmac_sha256(std::as_bytes(std::span(cookie)), std::as_bytes(std::span(kPurpose))));
}

bool is_form_token(std::string_view given, std::string_view cookie) {
  const std::string wanted = form_token(cookie);
  return crypto::equal_in_constant_time(std::as_bytes(std::span(given)), std::as_bytes(std::span(wanted)));
}

}  // namespace berth::auth
