#pragma once
// Everything of a running server that knows who somebody is and what he may do: credentials, tokens, sign-in from
// outside, rights, the record. Built from the settings, in order, and destroyed in reverse.

#include "api/admin/admin_api.h"
#include "api/context.h"
#include "app/browser_sign_in.h"
#include "app/config.h"
#include "app/ldap_service.h"
#include "http/networks.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::app {

class AccountServices {
 public:
  struct Deps {
    ServeConfig& config;  // tokens of another server close what would be open to everybody
    const std::string& data_dir;
    meta::Store& store;
    const Clock& clock;
    Random& random;
    const Log& log;
    const std::atomic<bool>& stopping;
  };
  /// What is in `deps` outlives the services. Errors: those of the database and of files the settings name, with a
  /// sentence for the person at the terminal.
  static Result<std::unique_ptr<AccountServices>> make(const Deps& deps);
  AccountServices(const AccountServices&) = delete;
  AccountServices& operator=(const AccountServices&) = delete;

  auth::Directory& directory() { return *directory_; }
  api::Auth& auth() { return *auth_; }
  api::AdminApi& admin() { return *admin_; }
  const io::BlockingPool& passwords() const { return *passwords_; }
  const io::BlockingPool& outbound() const { return *outbound_; }
  const io::BlockingPool& provider() const { return *provider_; }
  /// What makes the first administrator, within an hour; empty if there were accounts at the start.
  const std::string& setup_secret() const { return setup_secret_; }

  /// What a reload takes over, read and checked; nothing has changed yet.
  struct Next {
    std::vector<auth::CertificateRule> certificate_rules;
    std::optional<std::vector<crypto::VerifyKey>> external_keys;
  };
  Result<Next> prepare(const ServeConfig& next) const;
  /// The token keys are read anew, too: those that were are kept if they cannot be.
  void use(Next next);

  /// Looks accounts of a directory up again, now and then.
  void start_background();
  /// Stops what runs in the background, and asks the directory nothing more.
  void stop_background();
  /// Waits for what still runs on the pools.
  void stop();

 private:
  explicit AccountServices(const Deps& deps) : deps_(deps) {}
  Result<void> build();
  Result<void> build_trust();
  Result<void> build_external();
  Result<void> build_sign_in();
  void record(const std::vector<crypto::SigningKey>& keys) const;

  Deps deps_;
  std::unique_ptr<io::BlockingPool> passwords_;
  // For requests of ours, which wait for others. Whose issuers jobs' rules name is anybody's choice: people who sign in
  // at the registry's own provider must not wait for those.
  std::unique_ptr<io::BlockingPool> outbound_;
  std::unique_ptr<io::BlockingPool> provider_;
  std::unique_ptr<auth::AuditLog> audit_;
  http::Networks issuer_networks_;
  std::unique_ptr<auth::IssuerKeys> issuers_;        // of jobs
  std::unique_ptr<auth::IssuerKeys> provider_keys_;  // of people
  std::unique_ptr<auth::Trust> trust_;
  std::unique_ptr<auth::KeyRing> keys_;
  std::unique_ptr<auth::ExternalTokens> external_;  // if another server makes the tokens
  std::unique_ptr<auth::Directory> directory_;
  std::unique_ptr<auth::SetupToken> setup_;
  std::string setup_secret_;
  std::unique_ptr<auth::ExternalAccounts> external_accounts_;
  std::unique_ptr<LdapService> ldap_;  // if there is a directory
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<auth::TokenService> tokens_;
  std::unique_ptr<auth::CertificateSignIn> certificates_;
  BrowserSignInParts browser_;
  std::unique_ptr<api::Auth> auth_;
  std::unique_ptr<api::AdminApi> admin_;
};

}  // namespace berth::app
