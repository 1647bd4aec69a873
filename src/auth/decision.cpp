#include "auth/decision.h"

#include <algorithm>
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

/// What somebody is, by which everything in the namespace is his; nothing: he has what grants and his role give.
Cause office_of(const Subject& subject, const meta::Place& place) {
  if (subject.is_admin) return {.kind = Cause::Kind::administrator, .grant = 0, .role = {}};
  const bool is_owner =
      place.ns && place.ns->kind == meta::NamespaceKind::user && subject.id != 0 && place.ns->owner == subject.id;
  if (is_owner) return {.kind = Cause::Kind::own_namespace, .grant = 0, .role = {}};
  if (place.role && *place.role >= meta::Role::admin)
    return {.kind = Cause::Kind::role, .grant = 0, .role = *place.role};
  return {};
}

/// What somebody is, by which he may do that, were it not for his secret.
Cause office_for(Act act, const Subject& subject, const meta::Place& place) {
  const Cause office = office_of(subject, place);
  switch (act) {
    case Act::keep_profile:
    case Act::keep_credentials:
      if (subject.kind != Subject::Kind::user) return {};
      return {.kind = Cause::Kind::own_account, .grant = 0, .role = {}};
    case Act::administer_namespace: return office;
    case Act::know_members:  // whoever is one
      if (allows(office) || !place.role) return office;
      return {.kind = Cause::Kind::role, .grant = 0, .role = *place.role};
    case Act::appoint_owners:  // admins are no owners, and do not make themselves some
      if (office.kind == Cause::Kind::role && office.role == meta::Role::owner) return office;
      [[fallthrough]];
    case Act::read_registry:
    case Act::administer_registry:
    case Act::appoint_administrators:
    case Act::see_every_repository: return office.kind == Cause::Kind::administrator ? office : Cause{};
  }
  return {};
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

std::string_view to_string(meta::Role role) {
  switch (role) {
    case meta::Role::reader: return "a reader";
    case meta::Role::writer: return "a writer";
    case meta::Role::admin: return "an admin";
    case meta::Role::owner: return "an owner";
  }
  return "";
}

/// What docker puts before short names belongs to nobody else, ever.
bool is_administrators(std::string_view ns) { return ns == "library"; }

std::string describe_grant(const Cause& cause, const meta::Standing& standing, std::string_view team) {
  const std::string number = "the grant " + std::to_string(cause.grant);
  const meta::GrantRow* row = grant_of(cause, standing);
  if (row == nullptr) return number;
  const std::string to_team = team.empty() ? "" : " to the team " + std::string(team);
  return number + to_team + " on " + row->pattern + (cause.kind == Cause::Kind::denied ? " denies it" : " allows it");
}

}  // namespace

bool allows(const Cause& cause) { return cause.kind != Cause::Kind::nothing && cause.kind != Cause::Kind::denied; }

const Cause& Ruling::cause_of(Right right) const { return causes[index_of(right)]; }

Ruling rule(const Subject& subject, const meta::Standing& standing, const oci::RepoName& repo, Rights everybody) {
  const bool exists = standing.repo.has_value();
  const Cause office = office_of(subject, *standing.place);
  if (allows(office)) return everything(office, exists);
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
    case Cause::Kind::own_account: return "own account";
  }
  return "";
}

const meta::GrantRow* grant_of(const Cause& cause, const meta::Standing& standing) {
  if (cause.kind != Cause::Kind::granted && cause.kind != Cause::Kind::denied) return nullptr;
  const auto& rows = standing.place->grants;
  const auto found = std::ranges::find(rows, cause.grant, &meta::GrantRow::id);
  return found == rows.end() ? nullptr : &*found;
}

std::string describe(const Cause& cause, const Subject& subject, const meta::Standing& standing,
                     const oci::RepoName& repo, std::string_view team) {
  switch (cause.kind) {
    case Cause::Kind::administrator:
    case Cause::Kind::own_namespace:
    case Cause::Kind::role:
    case Cause::Kind::own_account: return describe(cause, subject, repo.first_component());
    case Cause::Kind::granted:
    case Cause::Kind::denied: return describe_grant(cause, standing, team);
    case Cause::Kind::visible:
      return repo.str() + (standing.repo == meta::Visibility::open ? " is public" : " is internal, open to every user");
    case Cause::Kind::everybody: return "the registry leaves it open to everybody (server.anonymous)";
    case Cause::Kind::nothing: break;
  }
  return "no role, grant or visibility gives it";
}

std::string describe(const Cause& cause, const Subject& subject, std::string_view ns) {
  const std::string who = subject.kind == Subject::Kind::anonymous ? "an anonymous caller" : subject.name;
  switch (cause.kind) {
    case Cause::Kind::administrator: return who + " is an administrator of the registry";
    case Cause::Kind::own_namespace: return "the namespace " + std::string(ns) + " is " + who + "'s";
    case Cause::Kind::role: return who + " is " + std::string(to_string(cause.role)) + " of " + std::string(ns);
    case Cause::Kind::own_account: return "the account is " + who + "'s own";
    case Cause::Kind::granted:
    case Cause::Kind::denied:
    case Cause::Kind::visible:
    case Cause::Kind::everybody:
    case Cause::Kind::nothing: break;
  }
  return "no office gives it";
}

std::string who_can_grant(std::string_view ns) {
  return is_administrators(ns) ? "an administrator" : "an owner of " + std::string(ns) + " or an administrator";
}

std::string changeable_by(const Cause& cause, std::string_view ns) {
  switch (cause.kind) {
    case Cause::Kind::administrator: return "another administrator";
    case Cause::Kind::own_namespace: return "an administrator";
    case Cause::Kind::everybody: return "whoever runs the registry, by the setting server.anonymous";
    case Cause::Kind::own_account:
    case Cause::Kind::nothing:
    case Cause::Kind::role:
    case Cause::Kind::granted:
    case Cause::Kind::denied:
    case Cause::Kind::visible: break;
  }
  return ns.empty() || is_administrators(ns) ? "an administrator"
                                             : "owners of " + std::string(ns) + " or an administrator";
}

Rights Narrowing::apply(Rights rights, std::string_view repo) const {
  if (!is_narrow) return rights;
  Rights left;
  for (const Part& part : parts) {
    if (part.pattern.matches(repo)) left = left | part.rights;
  }
  return rights & left;
}

bool is_of_namespace(Act act) {
  return act == Act::administer_namespace || act == Act::know_members || act == Act::appoint_owners;
}

Act act_on_member(std::optional<meta::Role> now, std::optional<meta::Role> wanted) {
  const bool is_about_an_owner = now == meta::Role::owner || wanted == meta::Role::owner;
  return is_about_an_owner ? Act::appoint_owners : Act::administer_namespace;
}

bool Narrowing::covers(Act act, std::string_view ns) const {
  if (!is_narrow) return true;
  switch (act) {
    case Act::keep_profile: return profile;
    case Act::administer_namespace:
    case Act::know_members:
    case Act::appoint_owners: return std::ranges::find(namespaces, ns) != namespaces.end();
    case Act::read_registry: return registry != Registry::nothing;
    case Act::administer_registry: return registry == Registry::write;
    // By these a token could become its owner, or somebody else.
    case Act::keep_credentials:
    case Act::appoint_administrators: return false;
    case Act::see_every_repository: return false;
  }
  return false;
}

std::string scope_for(Act act, std::string_view ns) {
  switch (act) {
    case Act::keep_profile: return "user";
    case Act::administer_namespace:
    case Act::know_members:
    case Act::appoint_owners: return "org:admin:" + std::string(ns);
    case Act::read_registry: return "admin:read";
    case Act::administer_registry: return "admin:write";
    case Act::keep_credentials:
    case Act::appoint_administrators:
    case Act::see_every_repository: break;
  }
  return {};
}

Decision decide(const Asker& asker, Act act, std::string_view ns, const meta::Place& place) {
  using Why = Decision::Why;
  const Cause office = office_for(act, asker.subject, place);
  const bool has_none = !allows(office);
  // What somebody is in the registry, or to himself, is no secret to him. What he is in a namespace is not told to who
  // may not do it with what he came with (A10).
  if (has_none && !is_of_namespace(act)) return {Why::no_office, office};
  if (asker.is_job) return {Why::of_a_job, office};
  if (asker.narrowing != nullptr && !asker.narrowing->covers(act, ns)) return {Why::narrowed, office};
  return {has_none ? Why::no_office : Why::allowed, office};
}

}  // namespace berth::auth
