#include "app/account_services.h"

#include "app/external_keys.h"
#include "app/issuer_fetch.h"
#include "app/token_keys.h"

#include <algorithm>
#include <thread>

namespace berth::app {

namespace {

constexpr std::size_t kPasswordQueueMax = 100;
constexpr unsigned kOutboundThreads = 2;
constexpr std::size_t kOutboundQueueMax = 100;

/// What the realm says we are, and our tokens are made for: the name outside, where there is one.
std::string service_name(const ServeConfig& config) {
  const std::size_t scheme = config.external_url.find("://");
  return scheme == std::string::npos ? "berth" : config.external_url.substr(scheme + 3);
}

/// Once there are accounts: strangers push, but neither delete nor administer.
auth::Rights rights_of(api::Anonymous anonymous) {
  switch (anonymous) {
    case api::Anonymous::off: return {};
    case api::Anonymous::read: return auth::Right::read;
    case api::Anonymous::write: return auth::Right::read | auth::Right::write | auth::Right::overwrite;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<AccountServices>> AccountServices::make(const Deps& deps) {
  std::unique_ptr<AccountServices> out(new AccountServices(deps));
  BERTH_TRYV(out->build());
  return out;
}

Result<void> AccountServices::build() {
  const ServeConfig& config = deps_.config;
  // Hashing a password takes a core for a while, and 64 MiB: half the cores at most, and whoever finds the queue full
  // is told to come back.
  passwords_ = std::make_unique<io::BlockingPool>("passwords", std::max(1U, std::thread::hardware_concurrency() / 2),
                                                  kPasswordQueueMax);
  BERTH_TRY(const auto loaded, load_token_keys(deps_.data_dir, deps_.clock));
  keys_ = std::make_unique<auth::KeyRing>(loaded);
  record(loaded);
  directory_ =
      std::make_unique<auth::Directory>(deps_.store, rights_of(config.anonymous.value_or(api::Anonymous::off)));
  BERTH_TRYV(build_external());
  directory_->look_for_accounts();
  if (!directory_->has_accounts()) BERTH_TRYV(check_openness(config));
  audit_ = std::make_unique<auth::AuditLog>(deps_.store, deps_.clock);
  setup_ = std::make_unique<auth::SetupToken>(deps_.clock);
  if (!directory_->has_accounts()) setup_secret_ = setup_->make(deps_.random);
  BERTH_TRYV(build_trust());
  BERTH_TRYV(build_sign_in());
  auth_ = std::make_unique<api::Auth>(api::Auth{*directory_, *authenticator_, *tokens_, *certificates_, *audit_, *keys_,
                                                config.http.trusted_proxies, *browser_.all, config.auth_mode,
                                                config.external_url, config.auth_hosts, config.external.realm});
  BERTH_TRY(auto issuers, auth::TrustedIssuers::parse(config.trusted_issuers));
  admin_ = std::make_unique<api::AdminApi>(api::AdminDeps{
      deps_.store, *directory_, *audit_, *setup_, *passwords_, deps_.clock, deps_.random, authenticator_->limiter(),
      config.sign_up, config.visibility, config.job_life_ms, config.deletes, std::move(issuers)});
  return {};
}

/// Where tokens come from another server nobody needs an account, and nobody gets in without a token.
Result<void> AccountServices::build_external() {
  ServeConfig& config = deps_.config;
  if (config.auth_mode != api::AuthMode::external) return {};
  BERTH_TRY(auto trusted, load_external_keys(config.external.key_files));
  external_ = std::make_unique<auth::ExternalTokens>(
      auth::ExternalTokens::Expected{config.external.issuer, config.external.service, config.token_leeway_ms / 1000},
      std::move(trusted));
  config.anonymous = api::Anonymous::off;
  directory_->close();
  return {};
}

Result<void> AccountServices::build_trust() {
  BERTH_TRY(issuer_networks_, http::Networks::parse(deps_.config.auth_trusted_networks));
  BERTH_TRY(const auto trusted, auth::TrustedIssuers::parse(deps_.config.trusted_issuers));
  outbound_ = std::make_unique<io::BlockingPool>("outbound", kOutboundThreads, kOutboundQueueMax);
  provider_ = std::make_unique<io::BlockingPool>("provider", kOutboundThreads, kOutboundQueueMax);
  const auto fetch = [this](const std::string& url, std::size_t bytes_max) -> Result<std::string> {
    if (deps_.stopping) return fail(Errc::unavailable, "the server is stopping");
    return fetch_from_issuer(url, bytes_max, issuer_networks_);
  };
  issuers_ = std::make_unique<auth::IssuerKeys>(auth::IssuerKeys::Deps{fetch, *outbound_, deps_.clock, deps_.log});
  provider_keys_ =
      std::make_unique<auth::IssuerKeys>(auth::IssuerKeys::Deps{fetch, *provider_, deps_.clock, deps_.log});
  trust_ = std::make_unique<auth::Trust>(
      auth::Trust::Deps{deps_.store, *issuers_, deps_.clock, *audit_, deps_.config.token_leeway_ms / 1000, trusted});
  return {};
}

Result<void> AccountServices::build_sign_in() {
  const ServeConfig& config = deps_.config;
  const std::string service = external_ ? external_->service() : service_name(config);
  external_accounts_ = std::make_unique<auth::ExternalAccounts>(
      auth::ExternalAccounts::Deps{deps_.store, *directory_, deps_.clock, *audit_});
  auth::LdapSettings in_directory = config.ldap;
  in_directory.rules.visibility = config.visibility;
  BERTH_TRY(ldap_, LdapService::make({std::move(in_directory), deps_.store, *external_accounts_, deps_.clock,
                                      deps_.random, deps_.log}));
  authenticator_ = std::make_unique<auth::Authenticator>(auth::Authenticator::Deps{
      deps_.store, *passwords_, *keys_, deps_.clock, deps_.random, deps_.log, *audit_, service, trust_.get(),
      ldap_ ? &ldap_->sign_in() : nullptr, external_.get(), config.job_life_ms, config.token_leeway_ms / 1000});
  tokens_ = std::make_unique<auth::TokenService>(
      auth::TokenService::Deps{*directory_, *keys_, deps_.clock, deps_.random, service, config.token_life_ms / 1000});
  BERTH_TRY(browser_, build_browser_sign_in({config, deps_.store, *external_accounts_, *provider_keys_, *provider_,
                                             issuer_networks_, deps_.clock, deps_.random, deps_.log, deps_.stopping}));
  BERTH_TRY(auto rules, auth::parse_certificate_rules(config.certificate_rules));
  certificates_ = std::make_unique<auth::CertificateSignIn>(
      auth::CertificateSignIn::Deps{deps_.store, deps_.clock, *audit_}, std::move(rules));
  return {};
}

/// What cannot be recorded now, as on a full disk, is when it is looked at next.
void AccountServices::record(const std::vector<crypto::SigningKey>& keys) const {
  if (const auto done = record_token_keys(deps_.store, keys, deps_.clock); !done)
    deps_.log.error("keys.record_failed", {f("err", done.error().cause)});
}

Result<AccountServices::Next> AccountServices::prepare(const ServeConfig& next) const {
  if (!directory_->has_accounts()) BERTH_TRYV(check_openness(next));
  Next out;
  BERTH_TRY(out.certificate_rules, auth::parse_certificate_rules(next.certificate_rules));
  if (external_ && next.auth_mode == api::AuthMode::external) {
    BERTH_TRY(out.external_keys, load_external_keys(next.external.key_files));
  }
  return out;
}

void AccountServices::use(Next next) {
  certificates_->replace(std::move(next.certificate_rules));
  if (next.external_keys) external_->replace(*std::move(next.external_keys));
  if (const auto keys = load_token_keys(deps_.data_dir, deps_.clock)) {
    keys_->replace(*keys);
    record(*keys);
  } else {
    deps_.log.error("keys.reload_failed", {f("err", keys.error().message)});
  }
}

void AccountServices::start_background() {
  if (ldap_) ldap_->start_background(deps_.config.ldap_recheck_ms);
}

void AccountServices::stop_background() {
  if (ldap_) ldap_->stop();
}

void AccountServices::stop() {
  passwords_->stop();
  outbound_->stop();
  provider_->stop();
}

}  // namespace berth::app
