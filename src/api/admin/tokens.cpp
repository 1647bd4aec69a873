// Access tokens of a user, and passwords for one login.

#include "api/admin/lists.h"
#include "auth/secret.h"
#include "auth/secret_chain.h"
#include "auth/token_scope.h"

#include <algorithm>

namespace berth::api::admin {

namespace {

constexpr std::int64_t kShortLivedMs = 12LL * 60 * 60 * 1000;
constexpr std::size_t kNameBytesMax = 100;
constexpr std::int64_t kTokensMax = 1'000;  // of one user
constexpr std::size_t kScopesMax = 50;      // of one token's scope

std::string token_json(const meta::TokenRow& token) {
  JsonObject out;
  out.text("id", std::to_string(token.id)).text("name", token.name);
  const auth::Narrowing narrowing = auth::parse_narrowing(token.scope);
  if (narrowing.is_narrow) {
    out.texts("scopes", auth::scopes_of(narrowing));
  } else {
    out.raw("scopes", "null");
  }
  out.raw("created_at", time_json(token.created_at_ms)).raw("expires_at", time_json(token.expires_at_ms));
  out.raw("last_used_at", time_json(token.used_at_ms)).text_or_null("last_used_from", token.used_from);
  return out.raw("revoked_at", time_json(token.revoked_at_ms)).str();
}

/// What it is does not change, but for its end.
std::string etag_of_token(const meta::TokenRow& token) {
  return etag_of(JsonObject()
                     .number("id", token.id)
                     .raw("expires_at", time_json(token.expires_at_ms))
                     .raw("revoked_at", time_json(token.revoked_at_ms)));
}

/// "scopes": ["acme/web:read,write", "user"]; without: as much as the user may.
Result<auth::Narrowing> narrowing_of(JsonFields& fields) {
  BERTH_TRY(const auto texts, fields.texts("scopes"));
  auth::Narrowing out;
  if (!texts) return out;
  out.is_narrow = true;
  if (texts->size() > kScopesMax) return refuse_at("/scopes", "a token has at most 50 scopes");
  for (const std::string& text : *texts) {
    BERTH_TRYV(at("/scopes", auth::add_scope(out, text)));
  }
  return out;
}

struct Made {
  std::string secret;
  meta::TokenRow row;
};

io::Task<Result<Made>> make(AdminCall& call, auth::SecretKind kind, meta::TokenRow row) {
  // What is made by a secret ends with it, or one that was meant for hours would make itself one for ever. A browser's
  // session stands for the password or the sign-in that opened it, and tokens are what it is there to make.
  BERTH_CO_TRY(const auto parent, secret_of(call));
  if (parent && parent->kind != meta::TokenKind::web_session) {
    const std::int64_t end_ms = parent->expires_at_ms.value_or(INT64_MAX);
    // As long as the login itself, of which some is over by now, is no more than what it gives.
    const std::int64_t most_ms =
        end_ms == INT64_MAX ? end_ms : call.deps.clock.now_ms() + end_ms - parent->created_at_ms;
    if (row.kind == meta::TokenKind::access && row.expires_at_ms && *row.expires_at_ms > most_ms) {
      co_return refuse_at("/expires_in", "what is made by a login or a token ends with it, at " +
                                             json::parse(time_json(end_ms))->string() +
                                             "; a browser session, at /settings/tokens, makes what lives longer");
    }
    if (parent->expires_at_ms) row.expires_at_ms = std::min(row.expires_at_ms.value_or(INT64_MAX), end_ms);
    BERTH_CO_TRY(const auto makers, call.deps.store.peek([&](sql::Connection& db) {
      return auth::find_makers(db, *parent, call.deps.clock.now_ms());
    }));
    if (!makers || makers->count == auth::kSecretChainMax) {
      co_return fail(Errc::denied,
                     "this secret was made by a secret that was made by another, and so on: sign in anew, "
                     "or use the first of them");
    }
    row.made_by = parent->id;
  }
  Made made{auth::make_secret(kind, call.deps.random), std::move(row)};
  // A secret that nobody has used yet changes nothing that is remembered of others.
  BERTH_CO_TRY(made.row.id, co_await change(call, meta::Touches::nothing(),
                                            [row = made.row, hash = auth::secret_hash(made.secret),
                                             stamp = call.stamp()](sql::Connection& db) {
                                              return row.kind == meta::TokenKind::short_lived
                                                         ? meta::insert_bounded_token(db, row, hash, stamp)
                                                         : meta::insert_token(db, row, hash, stamp);
                                            }));
  made.row.created_at_ms = call.deps.clock.now_ms();
  co_return made;
}

AdminReply made_reply(const Made& made) {
  std::string body = token_json(made.row);
  body.pop_back();
  append_json_member(body, "secret", std::string_view(made.secret));
  AdminReply reply;
  reply.status = 201;
  reply.body = body + "}";
  return reply;
}

}  // namespace

Done list_tokens(AdminCall& call) {
  const auto fetch = [id = call.identity.subject.id](
                         sql::Connection& db, const PageParameters& page) -> Result<std::vector<meta::TokenRow>> {
    BERTH_TRY(const std::int64_t after, page.number_after());
    return meta::list_tokens(db, id, meta::TokenKind::access, after, page.limit, page.order);
  };
  return list(call, fetch, token_json, &meta::TokenRow::id);
}

Done create_token(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  meta::TokenRow row;
  row.principal = call.identity.subject.id;
  row.kind = meta::TokenKind::access;
  BERTH_CO_TRY(row.name, fields.required_text("name"));
  BERTH_CO_TRY(const auto life, fields.text("expires_in"));
  BERTH_CO_TRY(const auto narrowing, narrowing_of(fields));
  BERTH_CO_TRYV(fields.finish());
  if (row.name.size() > kNameBytesMax) co_return refuse_at("/name", "a token's name has at most 100 bytes");
  BERTH_CO_TRY(const auto there, call.deps.store.peek([&](sql::Connection& db) {
    return meta::list_live_tokens(db, row.principal, row.kind, call.deps.clock.now_ms(), kTokensMax);
  }));
  if (std::ssize(there) >= kTokensMax) co_return fail(Errc::state_conflict, "you have too many tokens; revoke some");
  row.scope = auth::print_narrowing(narrowing);
  if (life) {
    BERTH_CO_TRY(const std::int64_t life_ms, at("/expires_in", parse_life_ms(*life)));
    row.expires_at_ms = call.deps.clock.now_ms() + life_ms;
  }
  call.detail = JsonObject().text("name", row.name).raw("scope", row.scope).str();
  BERTH_CO_TRY(const auto made, co_await make(call, auth::SecretKind::personal_token, std::move(row)));
  AdminReply reply = made_reply(made);
  reply.location = "/api/v1/user/tokens/" + std::to_string(made.row.id);
  reply.etag = etag_of_token(made.row);
  co_return reply;
}

Done get_token(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t id, id_of(call.captures[0]));
  BERTH_CO_TRY(const auto found, call.deps.store.peek([&](sql::Connection& db) { return meta::find_token(db, id); }));
  const bool is_own = found && found->principal == call.identity.subject.id && found->kind == meta::TokenKind::access;
  if (!is_own) co_return fail(Errc::account_unknown, "you have no token " + call.captures[0]);
  AdminReply reply;
  reply.body = token_json(*found);
  reply.etag = etag_of_token(*found);
  co_return reply;
}

Done revoke_token(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t id, id_of(call.captures[0]));
  BERTH_CO_TRYV(co_await change_accounts(
      call,
      [=, principal = call.identity.subject.id, now_ms = call.deps.clock.now_ms(),
       wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto row, meta::find_token(db, id));
        const bool is_own = row && row->kind == meta::TokenKind::access && row->principal == principal;
        if (is_own) BERTH_TRYV(check_match(wanted, etag_of_token(*row)));
        BERTH_TRY(const bool was_live, is_own ? meta::revoke_token(db, principal, id, now_ms) : Result<bool>(false));
        if (!was_live) return fail(Errc::account_unknown, "you have no live token " + std::to_string(id));
        return {};
      }));
  co_return no_content();
}

Done create_short_lived(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto life, fields.text("expires_in"));
  BERTH_CO_TRY(auto narrowing, narrowing_of(fields));
  BERTH_CO_TRYV(fields.finish());
  std::int64_t life_ms = kShortLivedMs;
  if (life) {
    const auto wanted_ms = parse_life_ms(*life);
    if (!wanted_ms || *wanted_ms > kShortLivedMs) {
      co_return refuse_at("/expires_in",
                          "a short-lived password lives a minute to twelve hours, as in 90m; what lives longer is an "
                          "access token");
    }
    life_ms = *wanted_ms;
  }
  // What was made from a narrow secret is as narrow.
  if (call.identity.narrowing.is_narrow) {
    if (narrowing.is_narrow)
      co_return fail(Errc::denied, "a token that is narrowed cannot choose the scopes of what it makes");
    narrowing = call.identity.narrowing;
  }
  meta::TokenRow row;
  row.principal = call.identity.subject.id;
  row.kind = meta::TokenKind::short_lived;
  row.name = "short-lived";
  row.scope = auth::print_narrowing(narrowing);
  row.expires_at_ms = call.deps.clock.now_ms() + life_ms;
  // A job's ID token ends within minutes, as GitHub's do; what it makes is for the job, and ends with the rule.
  row.trust_rule = call.identity.trust_rule;
  if (row.trust_rule != 0)
    row.expires_at_ms = std::min(*row.expires_at_ms, call.deps.clock.now_ms() + call.deps.job_life_ms);
  if (call.identity.credential == auth::Credential::certificate)  // it ends with what it was made by
    row.expires_at_ms = std::min(*row.expires_at_ms, call.identity.valid_until_ms);
  BERTH_CO_TRY(const auto made, co_await make(call, auth::SecretKind::login, std::move(row)));
  co_return made_reply(made);
}

}  // namespace berth::api::admin
