#pragma once
// What principals were given on repositories, and what a repository and its namespace say about a subject: everything a
// decision is made from (auth/decision.h).

#include "meta/namespaces.h"
#include "oci/repo_name.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

/// Bits of allow and deny are auth::Rights.
struct GrantRow {
  GrantId id = 0;
  PrincipalId principal = 0;
  std::string principal_name;  // empty in a Place
  std::string pattern;
  std::int64_t allow = 0;
  std::int64_t deny = 0;
};

/// One grant a principal and pattern: putting it again replaces the bits.
Result<GrantId> put_grant(sql::Connection& db, NamespaceId ns, const GrantRow& grant, const Stamp& stamp);
/// The one of that principal for that very pattern.
Result<std::optional<GrantId>> find_grant(sql::Connection& db, NamespaceId ns, PrincipalId principal,
                                          std::string_view pattern);
Result<std::optional<GrantRow>> find_grant(sql::Connection& db, NamespaceId ns, GrantId id);
/// False if there was none.
Result<bool> remove_grant(sql::Connection& db, NamespaceId ns, GrantId id);
/// Of one principal in a namespace.
Result<std::int64_t> count_grants(sql::Connection& db, PrincipalId principal, NamespaceId ns);
/// Of a namespace, by id, after `after` (exclusive), at most `limit`.
Result<std::vector<GrantRow>> list_grants(sql::Connection& db, NamespaceId ns, GrantId after, std::int64_t limit,
                                          Order order = Order::up);

/// Grants on exactly that name speak of another one from now on, of the same namespace; whoever has one on that already
/// has both as one, and what either denies is denied. How many there were.
Result<std::int64_t> move_grants(sql::Connection& db, NamespaceId ns, std::string_view from, std::string_view to);

/// Takes back the grants on exactly that name. How many there were.
Result<std::int64_t> drop_grants_on(sql::Connection& db, NamespaceId ns, std::string_view name);

/// A subject's place in a namespace: what its standing at each repository there has in common.
struct Place {
  std::optional<Namespace> ns;   // nullopt: there is no such namespace
  std::optional<Role> role;      // in the organisation
  std::vector<GrantRow> grants;  // in that namespace, its own and its teams', whatever the pattern
};
/// `principal` empty: an anonymous caller.
Result<Place> load_place(sql::Connection& db, std::optional<PrincipalId> principal, std::string_view ns);
/// What there is to know about a subject's place at a repository.
struct Standing {
  std::shared_ptr<const Place> place = std::make_shared<const Place>();  // never null; shared: by who remembers it
  std::optional<Visibility> repo;                                        // nullopt: there is no such repository
};
/// `principal` empty: an anonymous caller. A few point lookups, whatever the number of accounts and grants.
Result<Standing> load_standing(sql::Connection& db, std::optional<PrincipalId> principal, const oci::RepoName& repo);
/// Standing::repo alone: one point lookup.
Result<std::optional<Visibility>> load_visibility(sql::Connection& db, const oci::RepoName& repo);

}  // namespace berth::meta
