#pragma once
// Who sent a request, and by which credential.

#include "auth/decision.h"
#include "auth/scope.h"
#include "meta/principals.h"
#include "meta/tokens.h"
#include "meta/trust_rules.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::auth {

enum class Credential : std::uint8_t {
  none,
  password,     // Basic: a password, or a secret in its place
  token,        // Bearer
  certificate,  // of the connection
};

/// What a password was compared with. One that was chosen anew differs in both; one that was only hashed anew, or an
/// account whose address changed, in one.
struct VerifiedBy {
  std::int64_t version = 0;  // of the account's row
  std::size_t hash_mark = 0;

  static VerifiedBy of(const meta::Principal& principal) {
    return {principal.version, std::hash<std::string>()(principal.password_hash)};
  }
  bool differs(const VerifiedBy& now) const { return version != now.version && hash_mark != now.hash_mark; }
};

struct Identity {
  Subject subject;
  Credential credential = Credential::none;
  Narrowing narrowing;                    // of the secret it came with, if any
  meta::TokenId via = 0;                  // that secret's row; 0: a password
  std::optional<VerifiedBy> verified_by;  // of an account's own password
  meta::TrustRuleId trust_rule = 0;       // a job's: by which rule it is the robot; what it makes ends with the rule
  std::vector<Scope> access;              // of a token: what it was made for
  std::int64_t valid_until_ms = 0;        // wall clock: the credential is not to be believed any longer
  bool is_external = false;          // no account stands behind it: `access` is all it may do (auth/external_tokens.h)
  std::string certificate_name;      // of a certificate's: by which of its names
  std::uint64_t key_generation = 0;  // of an external token: which keys verified it

  bool is_anonymous() const { return subject.kind == Subject::Kind::anonymous; }
  /// For decide().
  Asker asker() const { return {.subject = subject, .narrowing = &narrowing, .is_job = trust_rule != 0}; }
  /// What the token was made for on that repository.
  Actions actions_on(std::string_view repo) const;
  /// Whether the token speaks of that repository, be it to allow nothing.
  bool lists(std::string_view repo) const;
  /// Those actions as rights, for a token that is all there is to ask.
  Rights rights_by_access(std::string_view repo) const;
  bool may_list_catalog() const;
};
/// shared: by the cache of credentials and by requests.
using IdentityPtr = std::shared_ptr<const Identity>;

/// From the `scope` of a secret's row, {"repos":[{"pattern":"acme/**","rights":"read,write"}],"namespaces":["acme"],
/// "profile":true,"registry":"read"}, or {} for one that is not narrowed. What cannot be read leaves nothing.
Narrowing parse_narrowing(std::string_view json);
std::string print_narrowing(const Narrowing& narrowing);

}  // namespace berth::auth
