#include "auth/trust_rule.h"

#include "base/json_text.h"
#include "meta/namespaces.h"
#include "meta/principals.h"

#include <algorithm>
#include <array>
#include <span>

namespace berth::auth {

namespace {

using json::Value;
using Kind = Value::Kind;

constexpr std::size_t kUrlBytesMax = 512;
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kPatternBytesMax = 512;
constexpr std::size_t kPatternsMax = 20;

std::unexpected<Error> refuse(std::string why) { return fail(Errc::account_invalid, std::move(why)); }

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 80)) + "'"; }

/// Issuers whose tokens anybody can have made, and the claims that tell them apart.
struct SharedIssuer {
  std::string_view url;
  std::span<const std::string_view> whose;
  std::string_view example;
};
constexpr std::array<std::string_view, 5> kOfGitHub = {"repository", "repository_id", "repository_owner",
                                                       "repository_owner_id", "sub"};
constexpr std::array<std::string_view, 5> kOfGitLab = {"project_path", "project_id", "namespace_path", "namespace_id",
                                                       "sub"};
constexpr std::array<std::string_view, 2> kOfGoogle = {"sub", "email"};
constexpr SharedIssuer kShared[] = {
    {"https://token.actions.githubusercontent.com", kOfGitHub, "repository"},
    {"https://gitlab.com", kOfGitLab, "project_path"},
    {"https://accounts.google.com", kOfGoogle, "email"},
};

/// Whether the pattern names an owner: "acme/*" does, "acme*" would also match acme-but-somebody-else.
bool says_whose(std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  return star == std::string_view::npos || pattern.substr(0, star).contains('/');
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

/// "https://host…"; http:// with a literal address only, which the server's settings must list besides.
Result<void> check_issuer(std::string_view issuer) {
  const bool is_https = issuer.starts_with("https://");
  const std::string_view rest = issuer.substr(std::min(issuer.size(), issuer.find("://") + 3));
  const bool is_url = (is_https || issuer.starts_with("http://")) && !rest.empty() && rest.front() != '/';
  if (!is_url || issuer.size() > kUrlBytesMax || !is_plain(issuer) ||
      issuer.find_first_of("?#@") != std::string_view::npos)
    return refuse(quoted(issuer) + " is not an issuer; it is written as in the token, https://gitlab.example.com");
  const bool is_address = (rest.front() >= '0' && rest.front() <= '9') || rest.front() == '[';
  if (!is_https && !is_address) return refuse("an issuer is an https:// address; " + quoted(issuer) + " is not");
  return {};
}

Result<void> check_pattern(const ClaimPattern& claim) {
  constexpr std::array<std::string_view, 6> kOurs = {"iss", "aud", "exp", "nbf", "iat", "jti"};
  if (std::ranges::find(kOurs, claim.name) != kOurs.end())
    return refuse("the claim " + claim.name + " is checked by itself; issuer and audience are fields of the rule");
  if (claim.name.empty() || claim.name.size() > kNameBytesMax)
    return refuse(quoted(claim.name) + " is not the name of a claim");
  if (claim.pattern.empty() || claim.pattern.size() > kPatternBytesMax)
    return refuse("the pattern of " + claim.name + " must have 1 to 512 bytes");
  return {};
}

bool is_anything(const ClaimPattern& claim) { return claim.pattern.find_first_not_of('*') == std::string::npos; }

Result<meta::Principal> require_robot(sql::Connection& db, const NewTrustRule& rule) {
  BERTH_TRY(const auto ns, meta::find_namespace(db, rule.ns));
  BERTH_TRY(auto found, meta::find_principal(db, rule.robot));
  if (!ns || !found || found->kind != meta::PrincipalKind::robot || found->ns != ns->id)
    return fail(Errc::account_unknown, "there is no robot " + quoted(rule.robot) + " in " + rule.ns);
  return *std::move(found);
}

}  // namespace

std::optional<ClaimPatterns> parse_claim_patterns(std::string_view text) {
  const auto parsed = json::parse(text);
  if (!parsed || !parsed->is(Kind::object)) return std::nullopt;
  ClaimPatterns out;
  for (const auto& [name, value] : parsed->object()) {
    if (!value.is(Kind::string)) return std::nullopt;
    out.push_back({name, value.string()});
  }
  return out;
}

std::string print_claim_patterns(ClaimPatterns patterns) {
  std::ranges::sort(patterns, {}, &ClaimPattern::name);
  std::string out;
  for (const ClaimPattern& claim : patterns) {
    out += out.empty() ? '{' : ',';
    append_json_string(out, claim.name);
    out += ':';
    append_json_string(out, claim.pattern);
  }
  return out.empty() ? "{}" : out + '}';
}

/// What stands between two stars is looked for from left to right, each as early as possible, which leaves the most to
/// the rest: no going back.
bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t first = pattern.find('*');
  if (first == std::string_view::npos) return pattern == text;
  const std::size_t last = pattern.rfind('*');
  const std::string_view head = pattern.substr(0, first);
  const std::string_view tail = pattern.substr(last + 1);
  if (text.size() < head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) return false;
  text = text.substr(head.size(), text.size() - head.size() - tail.size());
  std::string_view middle = pattern.substr(first, last - first);  // "*a*b", or nothing
  while (!middle.empty()) {
    middle.remove_prefix(1);
    const std::string_view part = middle.substr(0, middle.find('*'));
    const std::size_t at = text.find(part);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + part.size());
    middle.remove_prefix(part.size());
  }
  return true;
}

std::optional<std::string> claim_text(const Value& claim) {
  switch (claim.kind()) {
    case Kind::string:
    case Kind::number: return claim.string();
    case Kind::boolean: return claim.boolean() ? "true" : "false";
    case Kind::integer: return std::to_string(claim.integer());
    case Kind::null:
    case Kind::array:
    case Kind::object: break;
  }
  return std::nullopt;
}

bool matches(std::string_view pattern, const Value& claim) {
  if (claim.is(Kind::array)) {
    return std::ranges::any_of(
        claim.array(), [&](const Value& element) { return !element.is(Kind::array) && matches(pattern, element); });
  }
  const auto text = claim_text(claim);
  return text && matches(pattern, std::string_view(*text));
}

const ClaimPattern* first_mismatch(const ClaimPatterns& patterns, const Value& claims) {
  for (const ClaimPattern& wanted : patterns) {
    const Value* claim = claims.find(wanted.name);
    if (claim == nullptr || !matches(wanted.pattern, *claim)) return &wanted;
  }
  return nullptr;
}

Result<void> check_trust_rule(std::string_view issuer, std::string_view audience, const ClaimPatterns& patterns) {
  BERTH_TRYV(check_issuer(issuer));
  if (audience.empty() || audience.size() > kUrlBytesMax || !is_plain(audience))
    return refuse("the audience must be 1 to 512 characters without spaces, best the name of this registry");
  if (patterns.size() > kPatternsMax) return refuse("a rule has at most 20 claims");
  for (const ClaimPattern& claim : patterns) BERTH_TRYV(check_pattern(claim));
  if (std::ranges::all_of(patterns, is_anything)) {
    return refuse("the rule is too wide: every job of " + std::string(issuer) +
                  " would be the robot; name at least one claim, such as repository or project_path, by more than '*'");
  }
  const auto shared =
      std::ranges::find(kShared, issuer.substr(0, issuer.find_last_not_of('/') + 1), &SharedIssuer::url);
  if (shared == std::end(kShared)) return {};
  const bool is_somebodys = std::ranges::any_of(patterns, [&](const ClaimPattern& claim) {
    return std::ranges::find(shared->whose, claim.name) != shared->whose.end() && says_whose(claim.pattern);
  });
  if (is_somebodys) return {};
  return refuse("the rule is too wide: " + std::string(shared->url) +
                " makes tokens for everybody's jobs; say whose by " + std::string(shared->example) +
                ", with no '*' before the first '/'");
}

Result<meta::TrustRuleId> create_trust_rule(sql::Connection& db, const NewTrustRule& rule, const meta::Stamp& stamp,
                                            const TrustedIssuers& trusted) {
  BERTH_TRYV(check_trust_rule(rule.issuer, rule.audience, rule.claims));
  if (!trusted.allows(rule.issuer)) {
    return refuse("this registry takes no tokens of " + rule.issuer +
                  "; whoever runs it says whose by the setting auth.trusted_issuers");
  }
  BERTH_TRY(const auto robot, require_robot(db, rule));
  meta::TrustRule row;
  row.issuer = rule.issuer;
  row.audience = rule.audience;
  row.robot = robot.id;
  row.ns = robot.ns.value_or(0);
  row.claims = print_claim_patterns(rule.claims);
  BERTH_TRY(const auto there, meta::trust_rules_of_robot(db, robot.id, rule.issuer));
  for (const meta::TrustRule& other : there) {
    if (other.audience == row.audience && other.claims == row.claims)
      return fail(Errc::already_exists, "the rule " + std::to_string(other.id) + " says the same");
  }
  BERTH_TRY(const std::int64_t count, meta::count_trust_rules(db, robot.id));
  if (count >= kTrustRulesPerRobotMax)
    return fail(Errc::state_conflict, rule.robot + " has too many trust rules; remove some, or use patterns");
  return meta::insert_trust_rule(db, row, stamp);
}

Result<void> remove_trust_rule(sql::Connection& db, std::string_view ns_name, meta::TrustRuleId id) {
  BERTH_TRY(const auto ns, meta::find_namespace(db, ns_name));
  if (ns) {
    BERTH_TRY(const bool was_there, meta::remove_trust_rule(db, ns->id, id));
    if (was_there) return {};
  }
  return fail(Errc::account_unknown, "there is no trust rule " + std::to_string(id) + " in " + std::string(ns_name));
}

}  // namespace berth::auth
