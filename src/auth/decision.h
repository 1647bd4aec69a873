#pragma once
// The one place that decides who may do what: rule() about repositories, decide() about all else, that is namespaces as
// a whole, the registry, one's own account. Everything that asks goes through them; nothing else looks at offices,
// roles, grants or visibility (S10; `./dev lint` sees to it). Pure: what they need is loaded before (auth/directory.h).
//
// About a repository, from the strongest:
//   1. an administrator of the registry may do everything;
//   2. so may the owner of a user's namespace, and owners and admins of an organisation, within it;
//   3. grants to the subject, or to a team it is in, whose pattern matches: of each right the most specific pattern
//      that speaks of it decides, and where two are as specific, deny beats allow;
//   4. what the role in the organisation brings: a writer reads, writes and overwrites, a reader reads;
//   5. the visibility of a repository that exists: public for everybody, internal for people with an account;
//   6. where nobody owns the namespace, what the registry leaves open to everybody by its setting: whose namespace it
//      is says himself what of it is open.
// What nothing gives is refused. A repository that does not exist has no visibility, so that to whoever has no other
// right there it looks as one that may not be seen (A10).
//
// All else goes by what somebody is, never by a grant, which is on repositories: who could make himself an owner by one
// would have all of them. Administrators of the registry administer it and every namespace; the owner of a user's
// namespace, and owners and admins of an organisation, that one; owners are made and unmade by owners.

#include "auth/repo_pattern.h"
#include "auth/rights.h"
#include "meta/grants.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth::auth {

/// Who asks.
struct Subject {
  enum class Kind : std::uint8_t { anonymous, user, robot };
  Kind kind = Kind::anonymous;
  meta::PrincipalId id = 0;  // 0: anonymous
  std::string name;          // empty: anonymous
  bool is_admin = false;
};

/// Why a right is there, or is not.
struct Cause {
  enum class Kind : std::uint8_t {
    nothing,  // no rule gives it
    administrator,
    own_namespace,
    role,       // in the organisation
    granted,    // by `grant`
    denied,     // by `grant`
    visible,    // public, or internal
    everybody,  // server.anonymous
    own_account,
  };
  Kind kind = Kind::nothing;
  meta::GrantId grant = 0;
  meta::Role role = meta::Role::reader;
};

/// Whether it gives what it is the cause of.
bool allows(const Cause& cause);

struct Ruling {
  Rights rights;
  std::array<Cause, 5> causes;  // of kAllRights, in that order
  bool repo_exists = false;

  const Cause& cause_of(Right right) const;
};

/// everybody: what callers without an account may do where nobody owns the namespace.
Ruling rule(const Subject& subject, const meta::Standing& standing, const oci::RepoName& repo, Rights everybody = {});

/// "administrator", "role writer", "grant 12": for the audit log.
std::string to_text(const Cause& cause);

/// The grant that is the cause; nullptr if none is. Lives as long as the standing's place.
const meta::GrantRow* grant_of(const Cause& cause, const meta::Standing& standing);
/// A sentence for `berth explain`: "the grant 12 to the team acme/dev on acme/web-* allows it". team: the name of whom
/// grant_of() was given to, if that is not the subject itself.
std::string describe(const Cause& cause, const Subject& subject, const meta::Standing& standing,
                     const oci::RepoName& repo, std::string_view team = {});
/// Likewise of what decide() said; ns: what was asked about, empty: the registry.
std::string describe(const Cause& cause, const Subject& subject, std::string_view ns);
/// "an owner of acme or an administrator": who gives rights there.
std::string who_can_grant(std::string_view ns);
/// Who could change that, in the same words whether there is such a namespace or not, and whatever it is (A10).
std::string changeable_by(const Cause& cause, std::string_view ns);

// ---- beside rights on repositories

enum class Act : std::uint8_t {
  keep_profile,            // of one's own account: what it says of itself, its sessions
  keep_credentials,        // likewise: its tokens and its password
  administer_namespace,    // its members, teams, robots, grants and trust rules; or to remove it
  know_members,            // its robots and teams: to give them something elsewhere, and to ask about them there
  appoint_owners,          // of an organisation: to make one, to change or remove one
  read_registry,           // accounts, organisations, the record
  administer_registry,     // to change them; and robots may have plain names
  appoint_administrators,  // to make or unmake one, and to say how somebody else signs in
  see_every_repository,    // at once, without a look at each
};
/// Whether that is about a namespace, and not about the registry or oneself.
bool is_of_namespace(Act act);
/// What it takes to make of somebody's role in an organisation another one; nullopt: he is not in it.
Act act_on_member(std::optional<meta::Role> now, std::optional<meta::Role> wanted);

/// What a token leaves of what its subject may. Not narrow: everything.
struct Narrowing {
  struct Part {
    RepoPattern pattern;
    Rights rights;
  };
  enum class Registry : std::uint8_t { nothing, read, write };  // the last includes the one before
  bool is_narrow = false;
  std::vector<Part> parts;              // rights on repositories
  std::vector<std::string> namespaces;  // to administer
  bool profile = false;                 // one's own
  Registry registry = Registry::nothing;

  Rights apply(Rights rights, std::string_view repo) const;
  /// Whether it leaves that; ns: what the act is on.
  bool covers(Act act, std::string_view ns) const;
};
/// The scope that a token needs for it, "org:admin:acme"; empty: no narrowed token can do that.
std::string scope_for(Act act, std::string_view ns);

/// Who asks, as far as what he signed in with lets him.
struct Asker {
  const Subject& subject;
  const Narrowing* narrowing = nullptr;  // nullptr: none
  bool is_job = false;                   // signed in by its ID token: what it does must not outlive it
};

struct Decision {
  enum class Why : std::uint8_t {
    allowed,
    no_office,
    narrowed,  // the secret does not cover it
    of_a_job,
  };
  Why why = Why::no_office;
  Cause cause;  // by which office the subject may, whatever the secret leaves; nothing: by none

  bool is_allowed() const { return why == Why::allowed; }
};

/// ns: the namespace that the act is on, and `place` the asker's there.
Decision decide(const Asker& asker, Act act, std::string_view ns = {}, const meta::Place& place = {});

}  // namespace berth::auth
