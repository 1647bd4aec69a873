#pragma once
// Everything of a running server that asks the LDAP directory, with threads of its own: who waits for a directory that
// does not answer must not keep others from their passwords or keys.

#include "auth/external_accounts.h"
#include "auth/ldap_directory.h"
#include "auth/ldap_recheck.h"
#include "auth/ldap_sign_in.h"
#include "io/blocking_pool.h"
#include "io/periodic.h"

#include <atomic>
#include <cstdint>
#include <memory>

namespace berth::app {

class LdapService {
 public:
  struct Deps {
    auth::LdapSettings settings;
    meta::Store& store;
    auth::ExternalAccounts& accounts;
    const Clock& clock;
    Random& random;
    const Log& log;
  };
  /// nullptr if there is no directory. Errors: parameter_invalid if its files cannot be read.
  static Result<std::unique_ptr<LdapService>> make(Deps deps);
  ~LdapService() { stop(); }
  LdapService(const LdapService&) = delete;
  LdapService& operator=(const LdapService&) = delete;

  auth::LdapSignIn& sign_in() { return sign_in_; }
  /// Looks accounts up again every so often; 0: never.
  void start_background(std::int64_t recheck_ms);
  /// Asks nothing more, and waits for what is being asked. Idempotent.
  void stop();

 private:
  explicit LdapService(const Deps& deps);
  Result<auth::LdapAnswer> ask(const auth::LdapQuestion& question);
  void recheck(io::Periodic& self);

  const Log& log_;
  std::atomic<bool> stopping_{false};
  io::BlockingPool pool_;
  auth::LdapDirectory directory_;
  auth::LdapSignIn sign_in_;
  auth::LdapRecheck recheck_;
  std::unique_ptr<io::Periodic> rechecking_;
};

}  // namespace berth::app
