#include "auth/decision.h"

#include <bit>

namespace berth::auth {

namespace {

constexpr std::size_t index_of(Right right) {
  return static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(right)));
}

constexpr Rights rights_of(meta::Role role) {
  switch (role) {
    case meta::Role::reader: return Right::read;
    case meta::Role::writer: return Right::read | Right::write | Right::overwrite;
    case meta::Role::admin:
    case meta::Role::owner: return Rights::all();
  }
  return {};
}

Ruling everything(Cause cause, bool repo_exists) {
  Ruling out{.rights = Rights::all(), .causes = {}, .repo_exists = repo_exists};
  out.causes.fill(cause);
  return out;
}

/// A grant whose pattern matches the repository in question.
struct Match {
  RepoPattern::Specificity specificity;
  const meta::GrantRow* row;
};

std::vector<Match> matching(const std::vector<meta::GrantRow>& grants, const oci::RepoName& repo) {
  std::vector<Match> out;
  for (const meta::GrantRow& row : grants) {
    const auto pattern = RepoPattern::parse(row.pattern);
    if (pattern && pattern->matches(repo.str())) out.push_back({pattern->specificity(), &row});
  }
  return out;
}

/// The grant that decides about one right.
std::optional<Cause> decide_by_grants(const std::vector<Match>& matches, Right right) {
  const Match* best = nullptr;
  for (const Match& match : matches) {
    const bool denies = Rights::from_bits(match.row->deny).has(right);
    if (!denies && !Rights::from_bits(match.row->allow).has(right)) continue;
    const bool is_better =
        best == nullptr || match.specificity > best->specificity || (match.specificity == best->specificity && denies);
    if (is_better) best = &match;
  }
  if (best == nullptr) return std::nullopt;
  const bool denies = Rights::from_bits(best->row->deny).has(right);
  return Cause{.kind = denies ? Cause::Kind::denied : Cause::Kind::granted, .grant = best->row->id, .role = {}};
}

bool is_visible(const Subject& subject, const meta::Standing& standing) {
  if (!standing.repo) return false;
  return *standing.repo == meta::Visibility::open ||
         (*standing.repo == meta::Visibility::internal && subject.kind == Subject::Kind::user);
}

Cause decide(const Subject& subject, const meta::Standing& standing, const std::vector<Match>& matches, Right right,
             Rights everybody) {
  if (const auto by_grant = decide_by_grants(matches, right)) return *by_grant;
  if (standing.place->role && rights_of(*standing.place->role).has(right))
    return {.kind = Cause::Kind::role, .grant = 0, .role = *standing.place->role};
  if (right == Right::read && is_visible(subject, standing))
    return {.kind = Cause::Kind::visible, .grant = 0, .role = {}};
  if (everybody.has(right)) return {.kind = Cause::Kind::everybody, .grant = 0, .role = {}};
  return {};
}

bool allows(const Cause& cause) { return cause.kind != Cause::Kind::nothing && cause.kind != Cause::Kind::denied; }

std::string_view to_string(meta::Role role) {
  switch (role) {
    case meta::Role::reader: return "a reader";
    case meta::Role::writer: return "a writer";
    case meta::Role::admin: return "an admin";
    case meta::Role::owner: return "an owner";
  }
  return "";
}

std::string describe_grant(const Cause& cause, const meta::Standing& standing) {
  for (const meta::GrantRow& row : standing.place->grants) {
    if (row.id != cause.grant) continue;
    const std::string to_team = row.principal_name.empty() ? "" : " to the team " + row.principal_name;
    return "the grant " + std::to_string(row.id) + to_team + " on " + row.pattern +
           (cause.kind == Cause::Kind::denied ? " denies it" : " allows it");
  }
  return "the grant " + std::to_string(cause.grant);
}

}  // namespace

const Cause& Ruling::cause_of(Right right) const { return causes[index_of(right)]; }

Ruling rule(const Subject& subject, const meta::Standing& standing, const oci::RepoName& repo, Rights everybody) {
  const bool exists = standing.repo.has_value();
  if (subject.is_admin) return everything({.kind = Cause::Kind::administrator, .grant = 0, .role = {}}, exists);
  const bool is_owner = standing.place->ns && standing.place->ns->kind == meta::NamespaceKind::user &&
                        subject.id != 0 && standing.place->ns->owner == subject.id;
  if (is_owner) return everything({.kind = Cause::Kind::own_namespace, .grant = 0, .role = {}}, exists);
  if (standing.place->role && *standing.place->role >= meta::Role::admin)
    return everything({.kind = Cause::Kind::role, .grant = 0, .role = *standing.place->role}, exists);
  const bool is_owned = standing.place->ns && standing.place->ns->kind != meta::NamespaceKind::unowned;
  if (is_owned) everybody = {};
  const auto matches = matching(standing.place->grants, repo);
  Ruling out{.rights = {}, .causes = {}, .repo_exists = exists};
  for (const Right right : kAllRights) {
    const Cause cause = decide(subject, standing, matches, right, everybody);
    out.causes[index_of(right)] = cause;
    if (allows(cause)) out.rights = out.rights | right;
  }
  return out;
}

std::string to_text(const Cause& cause) {
  switch (cause.kind) {
    case Cause::Kind::nothing: return "nothing gives it";
    case Cause::Kind::administrator: return "administrator";
    case Cause::Kind::own_namespace: return "own namespace";
    case Cause::Kind::role: return "role in the organisation: " + std::string(to_string(cause.role));
    case Cause::Kind::granted: return "grant " + std::to_string(cause.grant);
    case Cause::Kind::denied: return "denied by grant " + std::to_string(cause.grant);
    case Cause::Kind::visible: return "visibility";
    case Cause::Kind::everybody: return "server.anonymous";
  }
  return "";
}

std::string describe(const Cause& cause, const Subject& subject, const meta::Standing& standing,
                     const oci::RepoName& repo) {
  const std::string who = subject.kind == Subject::Kind::anonymous ? "an anonymous caller" : subject.name;
  switch (cause.kind) {
    case Cause::Kind::administrator: return who + " is an administrator of the registry";
    case Cause::Kind::own_namespace:
      return "the namespace " + std::string(repo.first_component()) + " is " + who + "'s";
    case Cause::Kind::role:
      return who + " is " + std::string(to_string(cause.role)) + " of " + std::string(repo.first_component());
    case Cause::Kind::granted:
    case Cause::Kind::denied: return describe_grant(cause, standing);
    case Cause::Kind::visible:
      return repo.str() + (standing.repo == meta::Visibility::open ? " is public" : " is internal, open to every user");
    case Cause::Kind::everybody: return "the registry leaves it open to everybody (server.anonymous)";
    case Cause::Kind::nothing: break;
  }
  return "no role, grant or visibility gives it";
}

Rights Narrowing::apply(Rights rights, std::string_view repo) const {
  if (!is_narrow) return rights;
  Rights left;
  for (const Part& part : parts) {
    if (part.pattern.matches(repo)) left = left | part.rights;
  }
  return rights & left;
}

}  // namespace berth::auth
