#pragma once
// The one function that decides who may do what with a repository. Everything that asks goes through rule(); nothing
// else looks at roles, grants or visibility (S10). Pure: what it needs is loaded before (auth/directory.h).
//
// From the strongest:
//   1. an administrator of the registry may do everything;
//   2. so may the owner of a user's namespace, and owners and admins of an organisation, within it;
//   3. grants to the subject, or to a team it is in, whose pattern matches: of each right the most specific pattern
//   that
//      speaks of it decides, and where two are as specific, deny beats allow;
//   4. what the role in the organisation brings: a writer reads, writes and overwrites, a reader reads;
//   5. the visibility of a repository that exists: public for everybody, internal for people with an account;
//   6. where nobody owns the namespace, what the registry leaves open to everybody by its setting: whose namespace it
//   is
//      says himself what of it is open.
// What nothing gives is refused. A repository that does not exist has no visibility, so that to whoever has no other
// right there it looks as one that may not be seen (A10).

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
  };
  Kind kind = Kind::nothing;
  meta::GrantId grant = 0;
  meta::Role role = meta::Role::reader;
};

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

/// A sentence for `berth explain` and the audit log: "the grant 12 to the team acme/dev on acme/web-* allows it".
std::string describe(const Cause& cause, const Subject& subject, const meta::Standing& standing,
                     const oci::RepoName& repo);

/// What a token leaves of its subject's rights. Without patterns: everything.
struct Narrowing {
  struct Part {
    RepoPattern pattern;
    Rights rights;
  };
  bool is_narrow = false;
  std::vector<Part> parts;

  Rights apply(Rights rights, std::string_view repo) const;
};

}  // namespace berth::auth
