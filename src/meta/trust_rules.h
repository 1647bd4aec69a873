#pragma once
// Trust rules: which jobs of which issuer of ID tokens are which robot. Rows as they are; what they mean is
// auth/trust_rule.h's.

#include "meta/ids.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

struct TrustRule {
  TrustRuleId id = 0;
  std::string issuer;
  std::string audience;
  PrincipalId robot = 0;
  std::string robot_name;  // as it is now; not written
  NamespaceId ns = 0;
  std::string claims = "{}";  // a JSON object: name → pattern
  std::int64_t created_at_ms = 0;
  bool is_disabled = false;
  std::optional<std::int64_t> used_at_ms;
};

Result<TrustRuleId> insert_trust_rule(sql::Connection& db, const TrustRule& rule, const Stamp& stamp);
Result<std::optional<TrustRule>> find_trust_rule(sql::Connection& db, TrustRuleId id);
Result<void> set_trust_rule_disabled(sql::Connection& db, TrustRuleId id, bool is_disabled);
/// False if there was none of that number in the namespace.
Result<bool> remove_trust_rule(sql::Connection& db, NamespaceId ns, TrustRuleId id);
/// Of a namespace, by id, after `after` (exclusive), at most `limit`.
Result<std::vector<TrustRule>> list_trust_rules(sql::Connection& db, NamespaceId ns, TrustRuleId after,
                                                std::int64_t limit, Order order = Order::up);
Result<std::int64_t> count_trust_rules(sql::Connection& db, PrincipalId robot);
/// Whether any rule speaks of that issuer: who is in none is not asked for keys.
Result<bool> has_trust_rules(sql::Connection& db, std::string_view issuer);
/// The robot's rules about that issuer, by id.
Result<std::vector<TrustRule>> trust_rules_of_robot(sql::Connection& db, PrincipalId robot, std::string_view issuer);
/// Everybody's rules about that issuer and audience, by id, at most `limit`.
Result<std::vector<TrustRule>> trust_rules_of_issuer(sql::Connection& db, std::string_view issuer,
                                                     std::string_view audience, std::int64_t limit);
Result<void> note_trust_rule_use(sql::Connection& db, TrustRuleId id, std::int64_t now_ms);

}  // namespace berth::meta
