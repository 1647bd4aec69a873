#include "auth/trust.h"

#include "auth/directory.h"
#include "auth/recorded_name.h"
#include "base/json_text.h"

#include <algorithm>
#include <array>

namespace berth::auth {

namespace {

constexpr std::int64_t kLifeMaxMs = 60LL * 60 * 1000;   // of what a token is exchanged for, however long it lives
constexpr std::int64_t kUseNotedMs = 60LL * 60 * 1000;  // how exact "last used" is
constexpr std::size_t kAudiencesMax = 8;                // of a token that comes without a robot's name
constexpr std::size_t kRulesMax = 1'000;                // that are about such a token
constexpr std::size_t kToldMax = 3;                     // rules whose mismatch is told
constexpr std::size_t kTextBytesMax = 200;              // of one claim on record

/// Claims that tell which job it was, on record beside those of the rule.
constexpr std::array<std::string_view, 7> kTelling = {"sub", "repository", "project_path", "ref",
                                                      "sha", "run_id",     "job_id"};

std::string shortened(std::string_view text) { return std::string(text.substr(0, kTextBytesMax)); }

/// A claim as it may be shown: the text, or a word for what has none.
std::string shown(const json::Value* claim) {
  if (claim == nullptr) return "not there";
  const auto text = claim_text(*claim);
  return text ? "'" + shortened(*text) + "'" : "of another kind";
}

/// What of the rule the token does not fulfil; empty: it fulfils all.
std::string mismatch(const meta::TrustRule& rule, const IdToken& token) {
  if (rule.is_disabled) return "is disabled";
  if (std::ranges::find(token.claims.audiences, rule.audience) == token.claims.audiences.end())
    return "wants the audience " + rule.audience;
  const auto patterns = parse_claim_patterns(rule.claims);
  if (!patterns || patterns->empty()) return "cannot be read";
  const ClaimPattern* wanted = first_mismatch(*patterns, token.payload);
  if (wanted == nullptr) return {};
  return "wants " + wanted->name + " " + shortened(wanted->pattern) + ", which is " +
         shown(token.payload.find(wanted->name));
}

/// {"issuer":…,"claims":{…}}
std::string detail_of(const meta::TrustRule& rule, const IdToken& token) {
  std::vector<std::string_view> names(kTelling.begin(), kTelling.end());
  const auto patterns = parse_claim_patterns(rule.claims).value_or(ClaimPatterns());
  for (const ClaimPattern& claim : patterns) {
    if (std::ranges::find(names, claim.name) == names.end()) names.push_back(claim.name);
  }
  std::string claims;
  for (const std::string_view name : names) {
    const json::Value* claim = token.payload.find(name);
    const auto text = claim == nullptr ? std::nullopt : claim_text(*claim);
    if (!text) continue;
    claims += claims.empty() ? "{" : ",";
    append_json_string(claims, name);
    claims += ':';
    append_json_string(claims, shortened(*text));
  }
  return "{\"issuer\":" + json_string(rule.issuer) + ",\"claims\":" + (claims.empty() ? "{" : claims) + "}}";
}

}  // namespace

io::Task<Result<IdentityPtr>> Trust::sign_in(std::string robot, std::string token, std::string address) {
  const auto hint = peek_token(token);
  if (!hint) co_return refuse(robot, address, hint.error().cause, kJobRefused);
  // Before it is asked for anything: rules about it may be older than the setting.
  if (!allows(hint->issuer))
    co_return refuse(robot, address, "auth.trusted_issuers does not name " + shortened(hint->issuer), kJobRefused);
  BERTH_CO_TRY(const bool is_known,
               deps_.store.peek([&](sql::Connection& db) { return meta::has_trust_rules(db, hint->issuer); }));
  if (!is_known) co_return refuse(robot, address, "no rule trusts " + shortened(hint->issuer), kJobRefused);
  BERTH_CO_TRY(const auto keys, co_await deps_.issuers.keys(hint->issuer, hint->kid));
  auto verified = verify_id_token(
      token, *keys,
      {.issuer = hint->issuer, .audience = {}, .now_ms = deps_.clock.now_ms(), .leeway_s = deps_.leeway_s});
  if (!verified) {
    const bool is_over = verified.error().message == kTokenExpired;
    co_return refuse(robot, address, verified.error().cause, is_over ? kJobExpired : kJobRefused);
  }
  // Looked up only now: a rule that was taken away while keys were fetched is not there any more.
  Rules rules;
  if (!robot.empty()) {
    BERTH_CO_TRY(rules, rules_of(robot, verified->claims.issuer));
  } else {
    BERTH_CO_TRY(auto found, co_await rules_about(verified->claims));
    if (!found) {
      co_return refuse(robot, address,
                       "several namespaces have rules about its issuer and audience; the user name must be the robot's",
                       kJobNeedsName);
    }
    rules = *std::move(found);
  }
  co_return judge(Job{std::move(robot), std::move(address), *std::move(verified)}, rules);
}

Result<Trust::Rules> Trust::rules_of(std::string_view robot, std::string_view issuer) {
  return deps_.store.peek([&](sql::Connection& db) -> Result<Rules> {
    BERTH_TRY(const auto principal, meta::find_principal(db, robot));
    if (!principal) return Rules();
    return meta::trust_rules_of_robot(db, principal->id, issuer);
  });
}

/// Anybody who owns a namespace makes rules, about anybody's jobs: where two namespaces have some, matching or not, it
/// must be the job that says whose it is, or a stranger's rule could catch it, or stand in its way. The same if there
/// are more than can be looked at.
io::Task<Result<std::optional<Trust::Rules>>> Trust::rules_about(Claims claims) {
  if (claims.audiences.size() > kAudiencesMax) co_return std::nullopt;
  co_return co_await deps_.store.read(
      [claims = std::move(claims)](sql::Connection& db) -> Result<std::optional<Rules>> {
        Rules out;
        for (const std::string& audience : claims.audiences) {
          BERTH_TRY(auto found, meta::trust_rules_of_issuer(db, claims.issuer, audience, kRulesMax + 1));
          std::ranges::move(found, std::back_inserter(out));
        }
        const auto is_anothers = [&](const meta::TrustRule& rule) { return rule.ns != out.front().ns; };
        if (out.size() > kRulesMax || std::ranges::any_of(out, is_anothers)) return std::nullopt;
        return std::optional(std::move(out));
      });
}

Result<IdentityPtr> Trust::judge(const Job& job, const Rules& rules) {
  const meta::TrustRule* chosen = nullptr;
  std::string why;
  std::size_t told = 0;
  for (const meta::TrustRule& rule : rules) {
    const std::string wrong = mismatch(rule, job.token);
    if (wrong.empty()) {
      if (chosen != nullptr && chosen->robot != rule.robot) {
        return refuse(job.robot, job.address,
                      "rules of several robots match, of " + chosen->robot_name + " and " + rule.robot_name +
                          "; the user name must say which is meant",
                      kJobRefused);
      }
      if (chosen == nullptr) chosen = &rule;
    } else if (told < kToldMax) {
      why += (++told == 1 ? "rule " : "; rule ") + std::to_string(rule.id) + " " + wrong;
    }
  }
  if (chosen != nullptr) return accept(job, *chosen);
  if (why.empty()) why = "there is no rule about " + shortened(job.token.claims.issuer) + " for it";
  return refuse(job.robot, job.address, why, kJobRefused);
}

Result<IdentityPtr> Trust::accept(const Job& job, const meta::TrustRule& rule) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  const std::string name = "trust rule " + std::to_string(rule.id);
  BERTH_TRY(const auto principal,
            deps_.store.peek([&](sql::Connection& db) { return meta::find_principal(db, rule.robot); }));
  auto subject = principal ? subject_of(*principal, now_ms) : std::nullopt;
  if (!subject || subject->kind != Subject::Kind::robot)
    return refuse(rule.robot_name, job.address, name + ", but the robot is disabled or has expired", kJobRefused);
  Identity out;
  out.subject = *std::move(subject);
  out.credential = Credential::password;
  out.trust_rule = rule.id;
  const std::int64_t end_s = std::min(job.token.claims.expires, (now_ms + kLifeMaxMs) / 1000);  // before the product
  out.valid_until_ms = std::min(end_s * 1000, principal->expires_at_ms.value_or(INT64_MAX));
  if (out.valid_until_ms <= now_ms) return refuse(rule.robot_name, job.address, "exp is over", kJobExpired);
  if (!rule.used_at_ms || now_ms - *rule.used_at_ms >= kUseNotedMs) {
    deps_.store.write_later(
        [id = rule.id, now_ms](sql::Connection& db) { return meta::note_trust_rule_use(db, id, now_ms); });
  }
  meta::AuditEntry entry = deps_.audit.entry(out, job.address, {});
  entry.action = "sign_in";
  entry.target = entry.actor;
  entry.rule = name;
  entry.detail = detail_of(rule, job.token);
  deps_.audit.note(std::move(entry));
  return std::make_shared<const Identity>(std::move(out));
}

std::unexpected<Error> Trust::refuse(std::string_view robot, std::string_view address, const std::string& why,
                                     std::string_view message) {
  meta::AuditEntry entry;
  entry.at_ms = deps_.clock.now_ms();
  entry.action = "sign_in";
  if (!robot.empty()) entry.actor = recorded_name(robot);
  entry.target = entry.actor;
  entry.allowed = false;
  entry.rule = "ID token: " + why;
  entry.peer = address;
  deps_.audit.note(std::move(entry));
  return fail(Errc::unauthorized, std::string(message), why);
}

}  // namespace berth::auth
