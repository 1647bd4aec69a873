#include "auth/token_service.h"

#include "auth/jwt.h"

#include <algorithm>

namespace berth::auth {

namespace {

Actions actions_of(Rights rights) {
  Actions out;
  if (rights.has(Right::read)) out = out | Actions::pull;
  if (rights.has(Right::write)) out = out | Actions::push;
  if (rights.has(Right::remove)) out = out | Actions::remove;
  return out;
}

}  // namespace

constexpr std::int64_t kLifetimeMinS = 60;

Result<Actions> TokenService::granted(const Identity& identity, const Scope& scope) {
  if (scope.type == Scope::Type::catalog) return Actions(Actions::pull);  // what is listed is filtered
  const auto repo = oci::RepoName::parse(scope.name);
  if (!repo) return Actions();
  BERTH_TRY(const RulingPtr ruling, deps_.directory.ruling(identity.subject, *repo));
  return scope.actions & actions_of(identity.narrowing.apply(ruling->rights, scope.name));
}

Result<IssuedToken> TokenService::issue(const Identity& identity, const std::vector<Scope>& wanted) {
  const std::int64_t now_s = deps_.clock.now_ms() / 1000;
  Claims claims;
  claims.issuer = deps_.service;
  claims.audiences = {deps_.service};
  claims.subject = identity.subject.name;
  claims.principal = identity.subject.id;
  claims.via = identity.via;
  claims.rule = identity.trust_rule;
  claims.issued_at = now_s;
  claims.not_before = now_s;
  std::int64_t lifetime_s = deps_.lifetime_s;
  // What stands behind others is looked at with each use (A16).
  const bool is_of_a_job = identity.trust_rule != 0 && identity.via == 0;
  const bool ends_with_it = is_of_a_job || identity.credential == Credential::certificate;
  if (ends_with_it) lifetime_s = std::min(lifetime_s, identity.valid_until_ms / 1000 - now_s);
  // A11: clients take every token to be good for a minute, and would use it after its end.
  if (ends_with_it && lifetime_s < kLifetimeMinS)
    return fail(Errc::unauthorized, "what you sign in with ends within a minute; sign in with a newer one");
  claims.expires = now_s + lifetime_s;
  claims.id = deps_.random.hex(16);
  IssuedToken out;
  out.expires_in_s = lifetime_s;
  for (const Scope& scope : wanted) {
    BERTH_TRY(const Actions actions, granted(identity, scope));
    const bool is_catalog = scope.type == Scope::Type::catalog;
    // Asked for and denied is said, too (A12).
    claims.access.push_back({is_catalog ? "registry" : "repository", scope.name,
                             is_catalog ? std::vector<std::string>{"*"} : actions.to_words()});
    if (actions.empty()) continue;
    if (!out.scope.empty()) out.scope += ' ';
    out.scope += is_catalog ? "registry:catalog:*" : "repository:" + scope.name + ":" + actions.to_text();
  }
  out.text = sign_token(deps_.keys.keys()->signing, claims);
  return out;
}

}  // namespace berth::auth
