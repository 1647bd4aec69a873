// Trust rules: which jobs of a CI platform are which robot, by the ID tokens the platform makes for them.

#include "api/admin/lists.h"
#include "auth/trust_rule.h"

namespace berth::api::admin {

namespace {

std::string rule_json(const AdminCall& call, const meta::TrustRule& rule) {
  JsonObject out;
  out.text("id", std::to_string(rule.id)).text("robot", rule.robot_name);
  out.text("issuer", rule.issuer).text("audience", rule.audience).raw("claims", rule.claims);
  out.boolean("disabled", rule.is_disabled);
  out.boolean("issuer_trusted", call.deps.issuers.allows(rule.issuer)).raw("created_at", time_json(rule.created_at_ms));
  return out.raw("last_used_at", time_json(rule.used_at_ms)).str();
}

/// Whether it counts is all that can change.
std::string etag_of_rule(const meta::TrustRule& rule) {
  return etag_of(JsonObject().number("id", rule.id).boolean("disabled", rule.is_disabled));
}

AdminReply rule_reply(const AdminCall& call, const meta::TrustRule& rule, int status = 200) {
  AdminReply reply;
  reply.status = status;
  reply.body = rule_json(call, rule);
  reply.etag = etag_of_rule(rule);
  return reply;
}

/// Only below the namespace it was asked for in (S13).
Result<meta::TrustRule> load_rule(sql::Connection& db, std::string_view ns_name, meta::TrustRuleId id) {
  BERTH_TRY(const auto ns, meta::find_namespace(db, ns_name));
  BERTH_TRY(auto found, meta::find_trust_rule(db, id));
  if (ns && found && found->ns == ns->id) return *std::move(found);
  return fail(Errc::account_unknown, "there is no trust rule " + std::to_string(id) + " in " + std::string(ns_name));
}

}  // namespace

Done list_trust_rules(AdminCall& call) {
  const auto fetch = [name = call.captures[0]](sql::Connection& db,
                                               const PageParameters& page) -> Result<std::vector<meta::TrustRule>> {
    BERTH_TRY(const std::int64_t after, page.number_after());
    BERTH_TRY(const auto ns, meta::find_namespace(db, name));
    if (!ns) return fail(Errc::account_unknown, "there is no namespace '" + name + "'");
    return meta::list_trust_rules(db, ns->id, after, page.limit, page.order);
  };
  const auto show = [&call](const meta::TrustRule& rule) { return rule_json(call, rule); };
  return list(call, fetch, show, &meta::TrustRule::id);
}

Done create_trust_rule(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  auth::NewTrustRule rule;
  rule.ns = call.captures[0];
  BERTH_CO_TRY(rule.robot, fields.required_text("robot"));
  BERTH_CO_TRY(rule.issuer, fields.required_text("issuer"));
  BERTH_CO_TRY(rule.audience, fields.required_text("audience"));
  BERTH_CO_TRY(const auto claims, fields.text_members("claims"));
  BERTH_CO_TRYV(fields.finish());
  for (const auto& [name, pattern] : claims) rule.claims.push_back({name, pattern});
  const std::string printed = auth::print_claim_patterns(rule.claims);
  call.detail = JsonObject()
                    .text("robot", rule.robot)
                    .text("issuer", rule.issuer)
                    .text("audience", rule.audience)
                    .raw("claims", printed)
                    .str();
  meta::TrustRule made;
  BERTH_CO_TRY(made.id, co_await change_accounts(call, [=, &call, stamp = call.stamp()](sql::Connection& db) {
                 return auth::create_trust_rule(db, rule, stamp, call.deps.issuers);
               }));
  made.robot_name = rule.robot;
  made.issuer = rule.issuer;
  made.audience = rule.audience;
  made.claims = printed;
  made.created_at_ms = call.deps.clock.now_ms();
  AdminReply reply = rule_reply(call, made, 201);
  reply.location = "/api/v1/namespaces/" + rule.ns + "/trust/" + std::to_string(made.id);
  co_return reply;
}

Done get_trust_rule(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t id, id_of(call.captures[1]));
  BERTH_CO_TRY(const auto rule,
               call.deps.store.peek([&](sql::Connection& db) { return load_rule(db, call.captures[0], id); }));
  co_return rule_reply(call, rule);
}

/// Off and on again: what a rule says is not changed, but said by a new one.
Done change_trust_rule(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t id, id_of(call.captures[1]));
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto is_disabled, fields.boolean("disabled"));
  BERTH_CO_TRYV(fields.finish());
  if (is_disabled) call.detail = JsonObject().boolean("disabled", *is_disabled).str();
  BERTH_CO_TRY(
      const auto changed,
      co_await change_accounts(
          call, [=, ns = call.captures[0], wanted = if_match_of(call)](sql::Connection& db) -> Result<meta::TrustRule> {
            BERTH_TRY(const auto before, load_rule(db, ns, id));
            BERTH_TRYV(check_match(wanted, etag_of_rule(before)));
            if (is_disabled) BERTH_TRYV(meta::set_trust_rule_disabled(db, id, *is_disabled));
            return load_rule(db, ns, id);
          }));
  co_return rule_reply(call, changed);
}

Done remove_trust_rule(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t id, id_of(call.captures[1]));
  BERTH_CO_TRYV(co_await change_accounts(
      call, [=, ns = call.captures[0], wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto rule, load_rule(db, ns, id));
        BERTH_TRYV(check_match(wanted, etag_of_rule(rule)));
        return auth::remove_trust_rule(db, ns, id);
      }));
  co_return no_content();
}

}  // namespace berth::api::admin
