#pragma once
// What a trust rule says: whose ID tokens make a caller which robot. A token of GitHub's or GitLab's tells about the
// job it was made for (repository, branch, workflow) in its claims; a rule names the ones that must match.
//
// A pattern is compared with the whole claim: `*` stands for any text, slashes included, everything else for itself.
// Numbers and truth values are compared as they are written in JSON, a list matches if one of its elements does, and
// a claim that is not there matches nothing.

#include "auth/trusted_issuers.h"
#include "base/json.h"
#include "meta/trust_rules.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

struct ClaimPattern {
  std::string name;
  std::string pattern;

  friend bool operator==(const ClaimPattern&, const ClaimPattern&) = default;
};
using ClaimPatterns = std::vector<ClaimPattern>;

/// As the row keeps them, {"ref":"refs/heads/*"}, by name. nullopt: not readable.
std::optional<ClaimPatterns> parse_claim_patterns(std::string_view json);
std::string print_claim_patterns(ClaimPatterns patterns);

bool matches(std::string_view pattern, std::string_view text);
bool matches(std::string_view pattern, const json::Value& claim);
/// What a claim is compared as; nullopt for lists, objects and null.
std::optional<std::string> claim_text(const json::Value& claim);
/// The first pattern that its claim does not match; nullptr: all of them match.
const ClaimPattern* first_mismatch(const ClaimPatterns& patterns, const json::Value& claims);

/// Refuses what cannot be an issuer, and rules that would let in strangers: without a claim that says something, and
/// for an issuer that works for everybody without one that says whose job it is.
/// Errors: account_invalid with a sentence.
Result<void> check_trust_rule(std::string_view issuer, std::string_view audience, const ClaimPatterns& patterns);

struct NewTrustRule {
  std::string ns;
  std::string robot;
  std::string issuer;
  std::string audience;
  ClaimPatterns claims;
};
inline constexpr std::int64_t kTrustRulesPerRobotMax = 100;

// Inside of one write transaction, as auth/accounts.h.

/// Errors: account_invalid, account_unknown (no such robot in the namespace), already_exists, state_conflict (too
/// many).
/// trusted: what rules may be about.
Result<meta::TrustRuleId> create_trust_rule(sql::Connection& db, const NewTrustRule& rule, const meta::Stamp& stamp,
                                            const TrustedIssuers& trusted = {});
/// Errors: account_unknown.
Result<void> remove_trust_rule(sql::Connection& db, std::string_view ns, meta::TrustRuleId id);

}  // namespace berth::auth
