// What is signed in as somebody: browsers, docker logins, short-lived passwords.

#include "api/admin/lists.h"
#include "meta/belongings.h"

#include <algorithm>
#include <array>

namespace berth::api::admin {

namespace {

using meta::TokenKind;

constexpr std::array kKinds = {TokenKind::refresh, TokenKind::web_session, TokenKind::short_lived};

std::string_view kind_word(TokenKind kind) {
  switch (kind) {
    case TokenKind::refresh: return "login";
    case TokenKind::web_session: return "browser";
    case TokenKind::short_lived: return "short_lived";
    case TokenKind::access:
    case TokenKind::robot_secret:
    case TokenKind::invite: break;
  }
  return "";
}

std::string session_json(const meta::TokenRow& row, meta::TokenId current) {
  JsonObject out;
  out.text("id", std::to_string(row.id)).text("kind", kind_word(row.kind)).text("name", row.name);
  out.raw("created_at", time_json(row.created_at_ms)).raw("expires_at", time_json(row.expires_at_ms));
  out.raw("last_used_at", time_json(row.used_at_ms)).text_or_null("last_used_from", row.used_from);
  return out.boolean("current", row.id == current).str();
}

io::Task<Result<AdminReply>> end_all(AdminCall& call, std::string user) {
  call.effects = [user, now_ms = call.deps.clock.now_ms()](sql::Connection& db) -> Result<JsonObject> {
    JsonObject out;
    BERTH_TRY(const auto found, meta::find_principal(db, user));
    if (!found) return out;
    BERTH_TRY(const std::int64_t sessions, meta::count_signed_in(db, found->id, now_ms));
    out.number("sessions", sessions);
    return out;
  };
  BERTH_CO_TRYV(co_await change_accounts(
      call, [user = std::move(user), now_ms = call.deps.clock.now_ms()](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto found, meta::find_principal(db, user));
        if (!found || found->kind != meta::PrincipalKind::user)
          return fail(Errc::account_unknown, "there is no user '" + user + "'");
        return meta::revoke_signed_in(db, found->id, now_ms);
      }));
  co_return no_content();
}

}  // namespace

Done list_sessions(AdminCall& call) {
  const auto fetch = [id = call.identity.subject.id, now_ms = call.deps.clock.now_ms()](
                         sql::Connection& db, const PageParameters& page) -> Result<std::vector<meta::TokenRow>> {
    BERTH_TRY(const std::int64_t after, page.number_after());
    std::vector<meta::TokenRow> out;
    for (const TokenKind kind : kKinds) {
      BERTH_TRY(auto some, meta::list_live_tokens(db, id, kind, now_ms, page.limit, after, page.order));
      std::ranges::move(some, std::back_inserter(out));
    }
    std::ranges::sort(out, {}, &meta::TokenRow::id);
    if (page.order == meta::Order::down) std::ranges::reverse(out);
    if (std::ssize(out) > page.limit) out.resize(static_cast<std::size_t>(page.limit));
    return out;
  };
  return list(
      call, fetch, [via = call.identity.via](const meta::TokenRow& row) { return session_json(row, via); },
      &meta::TokenRow::id);
}

Done end_session(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t id, id_of(call.captures[0]));
  BERTH_CO_TRYV(co_await change_accounts(
      call,
      [=, principal = call.identity.subject.id,
       now_ms = call.deps.clock.now_ms()](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto row, meta::find_token(db, id));
        const bool is_one = row && std::ranges::find(kKinds, row->kind) != kKinds.end();
        BERTH_TRY(const bool was_live, is_one ? meta::revoke_token(db, principal, id, now_ms) : Result<bool>(false));
        if (!was_live) return fail(Errc::account_unknown, "you have no session " + std::to_string(id));
        return {};
      }));
  co_return no_content();
}

Done end_own_sessions(AdminCall& call) { co_return co_await end_all(call, call.identity.subject.name); }

Done end_user_sessions(AdminCall& call) { co_return co_await end_all(call, call.captures[0]); }

}  // namespace berth::api::admin
