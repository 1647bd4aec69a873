// People who make their own accounts, where the registry lets them, and invitations to do so.

#include "api/admin/lists.h"
#include "api/admin/user_replies.h"
#include "auth/secret.h"
#include "io/address_group.h"

namespace berth::api::admin {

namespace {

constexpr std::int64_t kInviteMs = 7LL * 24 * 60 * 60 * 1000;
constexpr std::size_t kNoteBytesMax = 100;
constexpr std::int64_t kInvitesMax = 1'000;  // of one administrator
constexpr std::int64_t kInviteMaxMs = 30LL * 24 * 60 * 60 * 1000;

std::string invite_json(const meta::TokenRow& row, std::string_view maker) {
  JsonObject out;
  out.text("id", std::to_string(row.id)).text("note", row.name).text("created_by", maker);
  return out.raw("created_at", time_json(row.created_at_ms)).raw("expires_at", time_json(row.expires_at_ms)).str();
}

std::unexpected<Error> invite_refused() {
  return fail(Errc::denied, "the invitation is not valid, or not any more; ask for a new one");
}

/// In the limiter, beside the names of accounts: nobody pays for what another address does.
std::string counted(const AdminCall& call) { return "sign up " + io::address_group(call.request.address); }

/// The row of a live invitation, worth no more than who made it. Errors: denied.
Result<meta::TokenRow> find_invite(sql::Connection& db, const std::string& secret, std::int64_t now_ms) {
  if (auth::parse_secret(secret) != auth::SecretKind::invite) return invite_refused();
  BERTH_TRY(const auto row, meta::find_token(db, auth::secret_hash(secret)));
  const bool is_live =
      row && row->kind == meta::TokenKind::invite && !row->revoked_at_ms && row->expires_at_ms.value_or(0) > now_ms;
  if (!is_live) return invite_refused();
  BERTH_TRY(const auto maker, meta::find_principal(db, row->principal));
  const auto subject = maker ? auth::subject_of(*maker, now_ms) : std::nullopt;
  if (!subject || !auth::decide({.subject = *subject}, auth::Act::administer_registry).is_allowed())
    return invite_refused();
  return *row;
}

/// Whether anybody may, and this one. Errors: denied, too_many_requests.
Result<void> check_sign_up(AdminCall& call, const std::optional<std::string>& invite) {
  auth::SignInLimiter& limiter = call.deps.limiter;
  const std::int64_t now_ms = call.deps.clock.now_ms();
  if (call.deps.sign_up == SignUp::off)
    return fail(Errc::denied, "accounts here are made by an administrator; ask one for yours");
  if (!call.deps.directory.has_accounts())
    return fail(Errc::denied, "this registry has no administrator yet, who is made first");
  BERTH_TRYV(limiter.check(counted(call), call.request.address, now_ms));
  if (call.deps.sign_up == SignUp::open) return {};
  auto found = call.deps.store.peek([&](sql::Connection& db) { return find_invite(db, invite.value_or(""), now_ms); });
  if (!found && found.error().code == Errc::denied) limiter.note_failure(counted(call), call.request.address, now_ms);
  if (!found) return fail(std::move(found).error());
  return {};
}

}  // namespace

Done sign_up(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  auth::NewUser user;
  BERTH_CO_TRY(user.name, fields.required_text("name"));
  BERTH_CO_TRY(auto password, fields.required_text("password"));
  BERTH_CO_TRY(const auto email, fields.text("email"));
  BERTH_CO_TRY(const auto display_name, fields.text("display_name"));
  BERTH_CO_TRY(const auto invite, fields.text("invite"));
  BERTH_CO_TRYV(fields.finish());
  BERTH_CO_TRYV(check_sign_up(call, invite));
  user.email = email.value_or("");
  user.display_name = display_name.value_or("");
  user.visibility = call.deps.visibility;
  BERTH_CO_TRYV(at("/name", auth::check_account_name(user.name)));
  BERTH_CO_TRYV(at("/email", auth::check_email(user.email)));
  BERTH_CO_TRYV(at("/display_name", auth::check_display_name(user.display_name)));
  // Accounts of one address are counted as wrong passwords are: a few cost nothing, then each doubles the wait.
  call.deps.limiter.note_failure(counted(call), call.request.address, call.deps.clock.now_ms());
  BERTH_CO_TRY(user.password_hash, co_await hash_on_pool(call, "/password", std::move(password)));
  call.detail = JsonObject().text("name", user.name).str();
  BERTH_CO_TRY(
      const auto made,
      co_await change_accounts(call,
                               [=, needs_invite = call.deps.sign_up == SignUp::invite,
                                stamp = call.stamp()](sql::Connection& db) -> Result<meta::Principal> {
                                 meta::Stamp by = stamp;
                                 if (needs_invite) {
                                   BERTH_TRY(const auto row, find_invite(db, invite.value_or(""), stamp.at_ms));
                                   BERTH_TRYV(meta::revoke_token(db, row.principal, row.id, stamp.at_ms));  // good once
                                   by.principal = row.principal;
                                 }
                                 BERTH_TRYV(auth::create_user(db, user, false, by));
                                 return load_user(db, user.name);
                               }));
  AdminReply reply = user_reply(made, 201);
  reply.location = "/api/v1/user";
  co_return reply;
}

Done list_invites(AdminCall& call) {
  const auto fetch = [now_ms = call.deps.clock.now_ms()](
                         sql::Connection& db, const PageParameters& page) -> Result<std::vector<meta::InviteRow>> {
    BERTH_TRY(const std::int64_t after, page.number_after());
    return meta::list_open_invites(db, now_ms, after, page.limit, page.order);
  };
  return list(
      call, fetch, [](const meta::InviteRow& row) { return invite_json(row.token, row.maker); },
      [](const meta::InviteRow& row) { return row.token.id; });
}

Done create_invite(AdminCall& call) {
  BERTH_CO_TRYV(check_has_account(call));  // it is worth no more than who made it
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto note, fields.text("note"));
  BERTH_CO_TRY(const auto life, fields.text("expires_in"));
  BERTH_CO_TRYV(fields.finish());
  meta::TokenRow row;
  row.principal = call.identity.subject.id;
  row.kind = meta::TokenKind::invite;
  row.name = note.value_or("");
  if (row.name.size() > kNoteBytesMax) co_return refuse_at("/note", "a note has at most 100 bytes");
  std::int64_t life_ms = kInviteMs;
  if (life) {
    BERTH_CO_TRY(life_ms, at("/expires_in", parse_life_ms(*life)));
  }
  if (life_ms > kInviteMaxMs) co_return refuse_at("/expires_in", "an invitation is good for thirty days at most");
  row.created_at_ms = call.deps.clock.now_ms();
  row.expires_at_ms = row.created_at_ms + life_ms;
  const std::string secret = auth::make_secret(auth::SecretKind::invite, call.deps.random);
  call.detail = JsonObject().text("note", row.name).str();
  BERTH_CO_TRY(
      row.id,
      co_await change_accounts(
          call,
          [row, hash = auth::secret_hash(secret), stamp = call.stamp()](sql::Connection& db) -> Result<meta::TokenId> {
            BERTH_TRY(const auto there, meta::list_live_tokens(db, row.principal, row.kind, stamp.at_ms, kInvitesMax));
            if (std::ssize(there) >= kInvitesMax)
              return fail(Errc::state_conflict, "you have too many open invitations; revoke some");
            return meta::insert_token(db, row, hash, stamp);
          }));
  std::string body = invite_json(row, call.identity.subject.name);
  body.pop_back();
  append_json_member(body, "secret", std::string_view(secret));
  AdminReply reply;
  reply.status = 201;
  reply.body = body + "}";
  co_return reply;
}

Done revoke_invite(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t id, id_of(call.captures[0]));
  BERTH_CO_TRYV(
      co_await change_accounts(call, [=, now_ms = call.deps.clock.now_ms()](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto row, meta::find_token(db, id));
        const bool is_one = row && row->kind == meta::TokenKind::invite;
        BERTH_TRY(const bool was_open,
                  is_one ? meta::revoke_token(db, row->principal, id, now_ms) : Result<bool>(false));
        if (!was_open) return fail(Errc::account_unknown, "there is no open invitation " + std::to_string(id));
        return {};
      }));
  co_return no_content();
}

}  // namespace berth::api::admin
