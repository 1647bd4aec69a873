// Users: the administrators' work, and everybody's own account.

#include "api/admin/lists.h"
#include "api/admin/user_replies.h"
#include "auth/external_accounts.h"
#include "auth/password.h"
#include "meta/belongings.h"

namespace berth::api::admin {

namespace {

std::string user_json(const meta::Principal& user) {
  JsonObject out;
  out.text("name", user.name).text_or_null("email", user.email).text("display_name", user.display_name);
  out.boolean("admin", user.is_admin).boolean("disabled", user.is_disabled);
  out.boolean("has_password", !user.password_hash.empty()).raw("created_at", time_json(user.created_at_ms));
  out.text_or_null("issuer", user.issuer).text_or_null("subject", user.external_id);
  return out.str();
}

}  // namespace

AdminReply user_reply(const meta::Principal& user, int status) {
  AdminReply reply;
  reply.status = status;
  reply.body = user_json(user);
  reply.etag = etag_of(user.id, user.version);
  if (status == 201) reply.location = "/api/v1/users/" + user.name;
  return reply;
}

Result<meta::Principal> load_user(sql::Connection& db, std::string_view name) {
  BERTH_TRY(auto found, meta::find_principal(db, name));
  if (!found || found->kind != meta::PrincipalKind::user)
    return fail(Errc::account_unknown, "there is no user '" + std::string(name) + "'");
  return *std::move(found);
}

io::Task<Result<std::string>> hash_on_pool(AdminCall& call, std::string pointer, std::string password) {
  if (const auto checked = auth::check_new_password(password); !checked)
    co_return refuse_at(pointer, checked.error().message);
  co_return co_await io::offload(call.deps.passwords, [password = std::move(password)]() -> Result<std::string> {
    return auth::hash_password(password);
  });
}

namespace {

io::Task<Result<AdminReply>> store_password(AdminCall& call, std::string user, std::string password) {
  BERTH_CO_TRY(auto hash, co_await hash_on_pool(call, "/new", std::move(password)));
  BERTH_CO_TRYV(co_await change_accounts(
      call, [=, stamp = call.stamp()](sql::Connection& db) { return auth::set_password(db, user, hash, stamp); }));
  co_return no_content();
}

/// Whom at an identity provider the account is linked to; both empty: nobody.
struct Link {
  std::string issuer;
  std::string subject;
};

io::Task<Result<AdminReply>> apply_change(AdminCall& call, std::string user, auth::UserChange change,
                                          std::optional<Link> link = {}) {
  if (change.email) BERTH_CO_TRYV(at("/email", auth::check_email(*change.email)));
  if (change.display_name) BERTH_CO_TRYV(at("/display_name", auth::check_display_name(*change.display_name)));
  BERTH_CO_TRY(
      const auto changed,
      co_await change_accounts(call, [=, wanted = if_match_of(call)](sql::Connection& db) -> Result<meta::Principal> {
        BERTH_TRY(const auto before, load_user(db, user));
        BERTH_TRYV(check_match(wanted, etag_of(before.id, before.version)));
        BERTH_TRYV(auth::change_user(db, user, change));
        if (link) BERTH_TRYV(auth::link_account(db, user, link->issuer, link->subject, std::nullopt));
        return load_user(db, user);
      }));
  co_return user_reply(changed);
}

}  // namespace

Done get_self(AdminCall& call) {
  const auth::Subject& subject = call.identity.subject;
  BERTH_CO_TRY(const auto found,
               call.deps.store.peek([&](sql::Connection& db) { return meta::find_principal(db, subject.id); }));
  if (!found) co_return fail(Errc::account_unknown, "the account is gone");
  BERTH_CO_TRY(const auto orgs,
               call.deps.store.peek([&](sql::Connection& db) { return meta::list_orgs_of(db, subject.id); }));
  // A token tells who it is of, and beyond that what it is for.
  const auth::Narrowing& narrowing = call.identity.narrowing;
  const bool shows_profile = !narrowing.is_narrow || narrowing.profile;
  const bool shows_office = !narrowing.is_narrow || narrowing.registry != auth::Narrowing::Registry::nothing;
  std::vector<std::string> names;
  for (const meta::Namespace& org : orgs) {
    if (shows_profile || narrowing.covers(auth::Act::know_members, org.name)) names.push_back(org.name);
  }
  JsonObject out;
  out.text("name", found->name).text("kind", subject.kind == auth::Subject::Kind::robot ? "robot" : "user");
  out.text_or_null("email", shows_profile ? found->email : "").text("display_name", found->display_name);
  out.boolean("admin", found->is_admin && shows_office)
      .texts("organizations", names)
      .raw("created_at", time_json(found->created_at_ms));
  AdminReply reply;
  reply.body = out.str();
  reply.etag = etag_of(found->id, found->version);
  co_return reply;
}

Done change_self(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  auth::UserChange change;
  BERTH_CO_TRY(change.email, fields.clearable_text("email"));
  BERTH_CO_TRY(change.display_name, fields.clearable_text("display_name"));
  BERTH_CO_TRYV(fields.finish());
  co_return co_await apply_change(call, call.identity.subject.name, std::move(change));
}

Done change_own_password(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(auto current, fields.text("current"));
  BERTH_CO_TRY(auto next, fields.required_text("new"));
  BERTH_CO_TRYV(fields.finish());
  const std::string name = call.identity.subject.name;
  const std::int64_t now_ms = call.deps.clock.now_ms();
  BERTH_CO_TRY(auto attempt, call.deps.limiter.begin(name, call.request.address, now_ms));
  BERTH_CO_TRY(const auto user, call.deps.store.peek([&](sql::Connection& db) { return load_user(db, name); }));
  // A stolen access token must not become the whole account.
  BERTH_CO_TRY(const bool is_right,
               co_await io::offload(call.deps.passwords,
                                    [stored = user.password_hash, given = current.value_or("")]() -> Result<bool> {
                                      return !stored.empty() && auth::verify_password(stored, given);
                                    }));
  if (!is_right) {
    attempt.failed(now_ms);
    co_return fail(Errc::denied, "the current password is not right");
  }
  attempt.succeeded(now_ms);
  co_return co_await store_password(call, name, std::move(next));
}

Done list_users(AdminCall& call) {
  return list(
      call,
      [](sql::Connection& db, const PageParameters& page) {
        return meta::list_principals(db, meta::PrincipalKind::user, page.name_after(), page.limit, page.order);
      },
      user_json, &meta::Principal::name);
}

Done create_user(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  auth::NewUser user;
  BERTH_CO_TRY(user.name, fields.required_text("name"));
  BERTH_CO_TRY(const auto password, fields.text("password"));
  BERTH_CO_TRY(const auto hash, fields.text("password_hash"));
  BERTH_CO_TRY(const auto email, fields.text("email"));
  BERTH_CO_TRY(const auto display_name, fields.text("display_name"));
  BERTH_CO_TRY(const auto is_admin, fields.boolean("admin"));
  BERTH_CO_TRY(const auto adopts, fields.boolean("adopt_namespace"));
  BERTH_CO_TRYV(fields.finish());
  user.email = email.value_or("");
  user.display_name = display_name.value_or("");
  user.visibility = call.deps.visibility;
  BERTH_CO_TRYV(at("/name", auth::check_account_name(user.name)));
  BERTH_CO_TRYV(at("/email", auth::check_email(user.email)));
  BERTH_CO_TRYV(at("/display_name", auth::check_display_name(user.display_name)));
  user.is_admin = is_admin.value_or(false);
  if (user.is_admin || adopts.value_or(false)) BERTH_CO_TRYV(check_act(call, auth::Act::appoint_administrators));
  call.detail = JsonObject().text("name", user.name).boolean("admin", user.is_admin).str();
  if (password) {
    BERTH_CO_TRY(user.password_hash, co_await hash_on_pool(call, "/password", *password));
  } else if (hash) {  // of an htpasswd file
    BERTH_CO_TRYV(at("/password_hash", auth::check_password_hash(*hash)));
    user.password_hash = *hash;
  }
  BERTH_CO_TRY(const auto made, co_await change_accounts(call,
                                                         [=, adopt = adopts.value_or(false), stamp = call.stamp()](
                                                             sql::Connection& db) -> Result<meta::Principal> {
                                                           BERTH_TRYV(auth::check_first_user(db, user));
                                                           BERTH_TRYV(auth::create_user(db, user, adopt, stamp));
                                                           return load_user(db, user.name);
                                                         }));
  call.deps.directory.look_for_accounts();
  co_return user_reply(made, 201);
}

/// The first administrator of a registry that was started without one.
Done set_up(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto token, fields.required_text("token"));
  auth::NewUser user;
  BERTH_CO_TRY(user.name, fields.required_text("name"));
  BERTH_CO_TRY(auto password, fields.required_text("password"));
  BERTH_CO_TRYV(fields.finish());
  if (call.deps.directory.has_accounts() || !call.deps.setup.is_right(token))
    co_return fail(
        Errc::denied,
        "the set-up secret is not the one that was printed, or an hour old; a registry without accounts prints "
        "another one at its next start");
  BERTH_CO_TRYV(at("/name", auth::check_account_name(user.name)));
  user.is_admin = true;
  call.detail = JsonObject().text("name", user.name).boolean("admin", true).str();
  user.visibility = call.deps.visibility;
  BERTH_CO_TRY(user.password_hash, co_await hash_on_pool(call, "/password", std::move(password)));
  BERTH_CO_TRY(const auto made, co_await change_accounts(
                                    call, [=, stamp = call.stamp()](sql::Connection& db) -> Result<meta::Principal> {
                                      BERTH_TRY(const bool is_late, meta::has_users(db));
                                      if (is_late) return fail(Errc::denied, "this registry is set up already");
                                      BERTH_TRYV(auth::create_user(db, user, true, stamp));
                                      return load_user(db, user.name);
                                    }));
  call.deps.setup.end();
  call.deps.directory.look_for_accounts();
  co_return user_reply(made, 201);
}

Done get_user(AdminCall& call) {
  BERTH_CO_TRY(const auto user,
               call.deps.store.peek([&](sql::Connection& db) { return load_user(db, call.captures[0]); }));
  co_return user_reply(user);
}

Done change_user(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  auth::UserChange change;
  BERTH_CO_TRY(change.email, fields.clearable_text("email"));
  BERTH_CO_TRY(change.display_name, fields.clearable_text("display_name"));
  BERTH_CO_TRY(change.is_admin, fields.boolean("admin"));
  BERTH_CO_TRY(change.is_disabled, fields.boolean("disabled"));
  BERTH_CO_TRY(const auto issuer, fields.clearable_text("issuer"));
  BERTH_CO_TRY(const auto subject, fields.clearable_text("subject"));
  BERTH_CO_TRYV(fields.finish());
  if (issuer.has_value() != subject.has_value())
    co_return refuse_at(issuer ? "/subject" : "/issuer", "issuer and subject are changed together");
  std::optional<Link> link;
  if (issuer) {
    BERTH_CO_TRYV(at("/subject", auth::check_link(*issuer, *subject)));
    link = Link{*issuer, *subject};
  }
  if (link || change.is_admin) BERTH_CO_TRYV(check_act(call, auth::Act::appoint_administrators));
  JsonObject said;
  if (link) said.text("issuer", link->issuer).text("subject", link->subject);
  if (change.is_admin) said.boolean("admin", *change.is_admin);
  if (change.is_disabled) said.boolean("disabled", *change.is_disabled);
  call.detail = said.str();
  co_return co_await apply_change(call, call.captures[0], std::move(change), std::move(link));
}

Done set_user_password(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(auto password, fields.required_text("new"));
  BERTH_CO_TRYV(fields.finish());
  BERTH_CO_TRYV(call.deps.store.peek([&](sql::Connection& db) { return load_user(db, call.captures[0]); }));
  co_return co_await store_password(call, call.captures[0], std::move(password));
}

Done remove_user(AdminCall& call) {
  call.effects = [name = call.captures[0],
                  now_ms = call.deps.clock.now_ms()](sql::Connection& db) -> Result<JsonObject> {
    JsonObject out;
    BERTH_TRY(const auto user, meta::find_principal(db, name));
    if (!user) return out;
    BERTH_TRY(const auto theirs, meta::belongings_of(db, user->id, now_ms));
    out.number("secrets", theirs.secrets).number("grants", theirs.grants);
    out.number("organizations", theirs.organizations).number("teams", theirs.teams);
    BERTH_TRY(const auto ns, meta::find_namespace(db, name));
    if (!ns || ns->owner != user->id) return out;
    BERTH_TRY(const auto residents, meta::residents_of(db, ns->id));
    out.number("robots", residents.robots).number("grants_in_namespace", residents.grants);
    return out;
  };
  BERTH_CO_TRYV(co_await change_accounts(
      call, [name = call.captures[0], wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto user, load_user(db, name));
        BERTH_TRYV(check_match(wanted, etag_of(user.id, user.version)));
        return auth::remove_user(db, name);
      }));
  co_return no_content();
}

}  // namespace berth::api::admin
