#include "meta/trust_rules.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kInsert = R"(
  INSERT INTO trust_rule(issuer, audience, robot_id, ns_id, claims, created_at, created_by, disabled)
  VALUES($1, $2, $3, $4, $5, $6, $7, $8)
  RETURNING id)";

constexpr sql::Sql kFind = R"(
  SELECT t.id, t.issuer, t.audience, t.robot_id, p.name, t.ns_id, t.claims, t.created_at, t.disabled, t.used_at
  FROM trust_rule t
  JOIN principal p ON p.id = t.robot_id
  WHERE t.id = $1)";

constexpr sql::Sql kSetDisabled = R"(
  UPDATE trust_rule
  SET disabled = $2
  WHERE id = $1)";

constexpr sql::Sql kRemove = R"(
  DELETE FROM trust_rule
  WHERE id = $1 AND ns_id = $2)";

constexpr sql::Sql kList = R"(
  SELECT t.id, t.issuer, t.audience, t.robot_id, p.name, t.ns_id, t.claims, t.created_at, t.disabled, t.used_at
  FROM trust_rule t
  JOIN principal p ON p.id = t.robot_id
  WHERE t.ns_id = $1 AND t.id > $2
  ORDER BY t.id
  LIMIT $3)";

constexpr sql::Sql kListDown = R"(
  SELECT t.id, t.issuer, t.audience, t.robot_id, p.name, t.ns_id, t.claims, t.created_at, t.disabled, t.used_at
  FROM trust_rule t
  JOIN principal p ON p.id = t.robot_id
  WHERE t.ns_id = $1 AND t.id < $2
  ORDER BY t.id DESC
  LIMIT $3)";

constexpr sql::Sql kCount = R"(
  SELECT count(*)
  FROM trust_rule
  WHERE robot_id = $1)";

constexpr sql::Sql kAnyOfIssuer = R"(
  SELECT 1
  FROM trust_rule
  WHERE issuer = $1
  LIMIT 1)";

constexpr sql::Sql kOfRobot = R"(
  SELECT t.id, t.issuer, t.audience, t.robot_id, p.name, t.ns_id, t.claims, t.created_at, t.disabled, t.used_at
  FROM trust_rule t
  JOIN principal p ON p.id = t.robot_id
  WHERE t.robot_id = $1 AND t.issuer = $2
  ORDER BY t.id)";

constexpr sql::Sql kOfIssuer = R"(
  SELECT t.id, t.issuer, t.audience, t.robot_id, p.name, t.ns_id, t.claims, t.created_at, t.disabled, t.used_at
  FROM trust_rule t
  JOIN principal p ON p.id = t.robot_id
  WHERE t.issuer = $1 AND t.audience = $2
  ORDER BY t.id
  LIMIT $3)";

constexpr sql::Sql kNoteUse = R"(
  UPDATE trust_rule
  SET used_at = $2
  WHERE id = $1)";

TrustRule read(const sql::Row& row) {
  TrustRule out;
  out.id = row.int64(0);
  out.issuer = row.text(1);
  out.audience = row.text(2);
  out.robot = row.int64(3);
  out.robot_name = row.text(4);
  out.ns = row.int64(5);
  out.claims = row.text(6);
  out.created_at_ms = row.int64(7);
  out.is_disabled = row.int64(8) != 0;
  if (!row.is_null(9)) out.used_at_ms = row.int64(9);
  return out;
}

}  // namespace

Result<TrustRuleId> insert_trust_rule(sql::Connection& db, const TrustRule& rule, const Stamp& stamp) {
  TrustRuleId id = 0;
  BERTH_TRYV(db.query(kInsert,
                      {std::string_view(rule.issuer), std::string_view(rule.audience), rule.robot, rule.ns,
                       std::string_view(rule.claims), stamp.at_ms, bind_optional(stamp.principal),
                       std::int64_t{rule.is_disabled ? 1 : 0}},
                      [&](const sql::Row& row) { id = row.int64(0); }));
  return id;
}

Result<std::optional<TrustRule>> find_trust_rule(sql::Connection& db, TrustRuleId id) {
  std::optional<TrustRule> out;
  BERTH_TRYV(db.query(kFind, {id}, [&](const sql::Row& row) { out = read(row); }));
  return out;
}

Result<void> set_trust_rule_disabled(sql::Connection& db, TrustRuleId id, bool is_disabled) {
  BERTH_TRYV(db.execute(kSetDisabled, {id, std::int64_t{is_disabled ? 1 : 0}}));
  return {};
}

Result<bool> remove_trust_rule(sql::Connection& db, NamespaceId ns, TrustRuleId id) {
  BERTH_TRY(const std::int64_t changed, db.execute(kRemove, {id, ns}));
  return changed > 0;
}

Result<std::vector<TrustRule>> list_trust_rules(sql::Connection& db, NamespaceId ns, TrustRuleId after,
                                                std::int64_t limit, Order order) {
  std::vector<TrustRule> out;
  BERTH_TRYV(db.query(order == Order::up ? kList : kListDown, {ns, after, limit},
                      [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::int64_t> count_trust_rules(sql::Connection& db, PrincipalId robot) {
  std::int64_t count = 0;
  BERTH_TRYV(db.query(kCount, {robot}, [&](const sql::Row& row) { count = row.int64(0); }));
  return count;
}

Result<bool> has_trust_rules(sql::Connection& db, std::string_view issuer) {
  bool found = false;
  BERTH_TRYV(db.query(kAnyOfIssuer, {issuer}, [&](const sql::Row&) { found = true; }));
  return found;
}

Result<std::vector<TrustRule>> trust_rules_of_robot(sql::Connection& db, PrincipalId robot, std::string_view issuer) {
  std::vector<TrustRule> out;
  BERTH_TRYV(db.query(kOfRobot, {robot, issuer}, [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::vector<TrustRule>> trust_rules_of_issuer(sql::Connection& db, std::string_view issuer,
                                                     std::string_view audience, std::int64_t limit) {
  std::vector<TrustRule> out;
  BERTH_TRYV(db.query(kOfIssuer, {issuer, audience, limit}, [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<void> note_trust_rule_use(sql::Connection& db, TrustRuleId id, std::int64_t now_ms) {
  BERTH_TRYV(db.execute(kNoteUse, {id, now_ms}));
  return {};
}

}  // namespace berth::meta
