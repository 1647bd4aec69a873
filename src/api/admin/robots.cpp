// Robots: names for machines, with secrets that can be changed without a gap.

#include "api/admin/lists.h"
#include "auth/secret.h"
#include "base/setting_text.h"
#include "meta/belongings.h"

namespace berth::api::admin {

namespace {

constexpr std::int64_t kOverlapMs = 24LL * 60 * 60 * 1000;
constexpr std::int64_t kOverlapMaxMs = 30 * kOverlapMs;

bool is_live(const meta::TokenRow& secret, const meta::Principal& robot, std::int64_t now_ms) {
  const auto is_over = [&](std::optional<std::int64_t> end_ms) { return end_ms && *end_ms <= now_ms; };
  return !secret.revoked_at_ms && !is_over(secret.expires_at_ms) && !is_over(robot.expires_at_ms);
}

std::string robot_json(const meta::Principal& robot, const std::vector<meta::TokenRow>& secrets, std::int64_t now_ms) {
  std::optional<std::int64_t> used_at_ms;
  std::string used_from;
  std::int64_t live = 0;
  for (const meta::TokenRow& secret : secrets) {
    if (is_live(secret, robot, now_ms)) ++live;
    if (secret.used_at_ms && (!used_at_ms || *secret.used_at_ms > *used_at_ms)) {
      used_at_ms = secret.used_at_ms;
      used_from = secret.used_from;
    }
  }
  JsonObject out;
  out.text("name", robot.name).text("description", robot.display_name).boolean("disabled", robot.is_disabled);
  out.raw("expires_at", time_json(robot.expires_at_ms)).number("live_secrets", live);
  out.raw("last_used_at", time_json(used_at_ms)).text_or_null("last_used_from", used_from);
  return out.raw("created_at", time_json(robot.created_at_ms)).str();
}

struct RobotView {
  meta::Principal robot;
  std::vector<meta::TokenRow> secrets;
};

/// Only below the namespace it was asked for in (S13).
Result<RobotView> load_robot(sql::Connection& db, std::string_view ns_name, std::string_view name) {
  BERTH_TRY(const auto ns, meta::find_namespace(db, ns_name));
  BERTH_TRY(auto found, meta::find_principal(db, name));
  if (!ns || !found || found->kind != meta::PrincipalKind::robot || found->ns != ns->id)
    return fail(Errc::account_unknown, "there is no robot '" + std::string(name) + "' in " + std::string(ns_name));
  RobotView out{*std::move(found), {}};
  BERTH_TRY(out.secrets, meta::list_tokens(db, out.robot.id, meta::TokenKind::robot_secret, 0, 1000));
  return out;
}

/// Inside the transaction that changes it.
Result<std::string> etag_now(sql::Connection& db, std::string_view name) {
  BERTH_TRY(const auto robot, meta::find_principal(db, name));
  return robot ? etag_of(robot->id, robot->version) : std::string();
}

AdminReply robot_reply(const RobotView& view, std::int64_t now_ms) {
  AdminReply reply;
  reply.body = robot_json(view.robot, view.secrets, now_ms);
  reply.etag = etag_of(view.robot.id, view.robot.version);
  return reply;
}

/// "expires_in", from now on; null: never. Without it the end stays what it is.
Result<std::optional<auth::RobotChange::End>> end_of(JsonFields& fields, std::int64_t now_ms) {
  using End = auth::RobotChange::End;
  BERTH_TRY(const auto life, fields.text("expires_in"));
  if (!fields.has("expires_in")) return std::optional<End>();
  if (!life) return std::optional(End{});
  BERTH_TRY(const std::int64_t life_ms, at("/expires_in", parse_life_ms(*life)));
  return std::optional(End{now_ms + life_ms});
}

struct GrantWanted {
  std::string pattern;
  auth::Rights rights;
};

Result<std::vector<GrantWanted>> grants_of(JsonFields& fields, std::string_view ns) {
  BERTH_TRY(auto parts, fields.objects("permissions"));
  std::vector<GrantWanted> out;
  for (JsonFields& part : parts) {
    GrantWanted wanted;
    BERTH_TRY(wanted.pattern, part.required_text("repo"));
    BERTH_TRY(const auto words, part.texts("actions"));
    BERTH_TRYV(part.finish());
    for (const std::string& word : words.value_or(std::vector<std::string>())) {
      const auto right = auth::parse_right(word);
      if (!right)
        return refuse_at(part.pointer("actions"),
                         "'" + word + "' is not an action; those are pull, push, overwrite, delete and admin");
      wanted.rights = wanted.rights | *right;
    }
    BERTH_TRY(const auto pattern, at(part.pointer("repo"), auth::RepoPattern::parse(wanted.pattern)));
    // Whoever administers acme hands out acme's, and nobody else's.
    if (pattern.first_component() != ns)
      return refuse_at(part.pointer("repo"), wanted.pattern + " is not in the namespace " + std::string(ns));
    out.push_back(std::move(wanted));
  }
  return out;
}

io::Task<Result<AdminReply>> add_secret(AdminCall& call, std::string robot) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto overlap, fields.text("overlap"));
  BERTH_CO_TRYV(fields.finish());
  std::int64_t overlap_ms = kOverlapMs;
  if (overlap) {
    const auto wanted = parse_duration_ms(*overlap);
    if (!wanted || *wanted > kOverlapMaxMs)
      co_return refuse_at("/overlap", "an overlap is a duration of at most 30d, such as 12h; 0s is none");
    overlap_ms = *wanted;
  }
  const std::string secret = auth::make_secret(auth::SecretKind::robot, call.deps.random);
  const std::int64_t until_ms = call.deps.clock.now_ms() + overlap_ms;
  BERTH_CO_TRY(const auto etag,
               co_await change_accounts(call,
                                        [=, hash = auth::secret_hash(secret),
                                         stamp = call.stamp()](sql::Connection& db) -> Result<std::string> {
                                          BERTH_TRYV(auth::add_robot_secret(db, robot, hash, until_ms, stamp));
                                          return etag_now(db, robot);
                                        }));
  JsonObject out;
  out.text("name", robot).text("secret", secret).raw("previous_secret_ends_at", time_json(until_ms));
  AdminReply reply;
  reply.status = 201;
  reply.body = out.str();
  reply.etag = etag;
  co_return reply;
}

}  // namespace

Done list_robots(AdminCall& call) {
  const auto fetch = [name = call.captures[0]](sql::Connection& db,
                                               const PageParameters& page) -> Result<std::vector<meta::Principal>> {
    BERTH_TRY(const auto ns, meta::find_namespace(db, name));
    if (!ns) return fail(Errc::account_unknown, "there is no namespace '" + name + "'");
    return meta::list_principals_of(db, ns->id, meta::PrincipalKind::robot, page.name_after(), page.limit, page.order);
  };
  const auto show = [now_ms = call.deps.clock.now_ms()](sql::Connection& db,
                                                        const meta::Principal& robot) -> Result<std::string> {
    BERTH_TRY(const auto secrets, meta::list_tokens(db, robot.id, meta::TokenKind::robot_secret, 0, 1000));
    return robot_json(robot, secrets, now_ms);
  };
  return list(call, fetch, show, &meta::Principal::name);
}

Done create_robot(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  auth::NewRobot robot;
  robot.ns = call.captures[0];
  BERTH_CO_TRY(robot.name, fields.required_text("name"));
  BERTH_CO_TRY(const auto description, fields.text("description"));
  BERTH_CO_TRY(const auto life, fields.text("expires_in"));
  BERTH_CO_TRY(const auto grants, grants_of(fields, robot.ns));
  BERTH_CO_TRYV(fields.finish());
  // A plain name is one that a person could want, or be taken for.
  if (robot.name.find('+') == std::string::npos && !check_act(call, auth::Act::administer_registry))
    co_return fail(Errc::denied,
                   "only an administrator gives robots plain names; call it " + robot.ns + "+" + robot.name);
  robot.description = description.value_or("");
  BERTH_CO_TRYV(at("/name", auth::check_robot_name(robot.name)));
  BERTH_CO_TRYV(at("/description", check_description(robot.description)));
  if (life) {
    BERTH_CO_TRY(const std::int64_t life_ms, at("/expires_in", parse_life_ms(*life)));
    robot.expires_at_ms = call.deps.clock.now_ms() + life_ms;
  }
  std::vector<std::string> given;
  for (const GrantWanted& grant : grants) given.push_back(grant.pattern + ":" + auth::to_text(grant.rights));
  call.detail = JsonObject().text("name", robot.name).texts("permissions", given).str();
  const std::string secret = auth::make_secret(auth::SecretKind::robot, call.deps.random);
  BERTH_CO_TRY(
      const auto etag,
      co_await change_accounts(
          call,
          [=, hash = auth::secret_hash(secret), stamp = call.stamp()](sql::Connection& db) -> Result<std::string> {
            BERTH_TRYV(at("/name", auth::create_robot(db, robot, stamp)));
            for (const GrantWanted& grant : grants)
              BERTH_TRYV(auth::put_grant(db, robot.name, grant.pattern, grant.rights, {}, stamp));
            BERTH_TRYV(auth::add_robot_secret(db, robot.name, hash, stamp.at_ms, stamp));
            return etag_now(db, robot.name);
          }));
  JsonObject out;
  out.text("name", robot.name).text("secret", secret).raw("expires_at", time_json(robot.expires_at_ms));
  AdminReply reply;
  reply.status = 201;
  reply.body = out.str();
  reply.etag = etag;
  reply.location = "/api/v1/namespaces/" + robot.ns + "/robots/" + robot.name;
  co_return reply;
}

Done get_robot(AdminCall& call) {
  BERTH_CO_TRY(const auto view, call.deps.store.peek([&](sql::Connection& db) {
    return load_robot(db, call.captures[0], call.captures[1]);
  }));
  co_return robot_reply(view, call.deps.clock.now_ms());
}

Done change_robot(AdminCall& call) {
  const std::int64_t now_ms = call.deps.clock.now_ms();
  BERTH_CO_TRY(auto fields, body_of(call));
  auth::RobotChange change;
  BERTH_CO_TRY(change.description, fields.clearable_text("description"));
  BERTH_CO_TRY(change.is_disabled, fields.boolean("disabled"));
  BERTH_CO_TRY(change.end, end_of(fields, now_ms));
  BERTH_CO_TRYV(fields.finish());
  if (change.description) BERTH_CO_TRYV(at("/description", check_description(*change.description)));
  JsonObject said;
  if (change.is_disabled) said.boolean("disabled", *change.is_disabled);
  if (change.end) said.raw("expires_at", time_json(change.end->at_ms));
  call.detail = said.str();
  BERTH_CO_TRY(
      const auto changed,
      co_await change_accounts(call,
                               [change, ns = call.captures[0], name = call.captures[1],
                                wanted = if_match_of(call)](sql::Connection& db) -> Result<RobotView> {
                                 BERTH_TRY(const auto before, load_robot(db, ns, name));
                                 BERTH_TRYV(check_match(wanted, etag_of(before.robot.id, before.robot.version)));
                                 BERTH_TRYV(auth::change_robot(db, name, change));
                                 return load_robot(db, ns, name);
                               }));
  co_return robot_reply(changed, now_ms);
}

Done remove_robot(AdminCall& call) {
  call.effects = [name = call.captures[1],
                  now_ms = call.deps.clock.now_ms()](sql::Connection& db) -> Result<JsonObject> {
    JsonObject out;
    BERTH_TRY(const auto robot, meta::find_principal(db, name));
    if (!robot) return out;
    BERTH_TRY(const auto its, meta::belongings_of(db, robot->id, now_ms));
    out.number("secrets", its.secrets).number("grants", its.grants).number("trust_rules", its.trust_rules);
    return out;
  };
  BERTH_CO_TRYV(co_await change_accounts(call,
                                         [ns = call.captures[0], name = call.captures[1],
                                          wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
                                           BERTH_TRY(const auto view, load_robot(db, ns, name));
                                           BERTH_TRYV(check_match(wanted, etag_of(view.robot.id, view.robot.version)));
                                           return auth::remove_robot(db, name);
                                         }));
  co_return no_content();
}

Done rotate_robot(AdminCall& call) {
  BERTH_CO_TRYV(
      call.deps.store.peek([&](sql::Connection& db) { return load_robot(db, call.captures[0], call.captures[1]); }));
  co_return co_await add_secret(call, call.captures[1]);
}

/// A robot changes its own secret, so that nobody has to hand it one.
Done rotate_self(AdminCall& call) {
  if (call.identity.subject.kind != auth::Subject::Kind::robot)
    co_return fail(Errc::denied, "only a robot has a secret to rotate");
  // What a robot hands on, narrowed or for a few hours, must not become the robot.
  BERTH_CO_TRY(const auto secret, secret_of(call));
  if (!secret || secret->kind != meta::TokenKind::robot_secret)
    co_return fail(Errc::denied, "only the robot's own secret changes itself, not a password that was made of it");
  // It has an end since it was rotated out: who found an old one must not get rid of the new one by it.
  if (secret->expires_at_ms)
    co_return fail(Errc::denied,
                   "this secret was rotated out, and the newer one rotates from now on; if that is lost, "
                   "who administers the namespace rotates");
  co_return co_await add_secret(call, call.identity.subject.name);
}

}  // namespace berth::api::admin
