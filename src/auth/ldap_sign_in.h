#pragma once
// Signing in with the password that an LDAP directory knows.

#include "auth/external_accounts.h"
#include "auth/ldap_directory.h"
#include "auth/sign_in_limiter.h"
#include "io/blocking_pool.h"

#include <functional>
#include <optional>
#include <string>

namespace berth::auth {

class LdapSignIn {
 public:
  struct Deps {
    /// LdapDirectory::ask. Blocks; it runs on the pool.
    std::function<Result<LdapAnswer>(const LdapQuestion& question)> ask;
    io::BlockingPool& pool;
    ExternalAccounts& accounts;
    ReceptionRules rules;
    std::string issuer;  // of the directory's accounts
    const Clock& clock;
    const Log& log;
  };
  explicit LdapSignIn(Deps deps) : deps_(std::move(deps)) {}

  /// Who that is here; nullopt: the name or the password is wrong. What is right, and what is right but not let in, is
  /// on record then. Errors: denied with a sentence for the person; too_many_requests; unavailable.
  io::Task<Result<std::optional<Subject>>> sign_in(std::string name, std::string password, std::string address);

  const std::string& issuer() const { return deps_.issuer; }

 private:
  Deps deps_;
  // By entries: directories find one by many spellings of its name, and perhaps by its address too.
  SignInLimiter limiter_;
};

}  // namespace berth::auth
