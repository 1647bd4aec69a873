#include "app/ldap_service.h"

namespace berth::app {

namespace {

constexpr unsigned kThreads = 4;
constexpr std::size_t kQueueMax = 100;
constexpr std::int64_t kPauseMs = 50;  // between two accounts: people who sign in come first

}  // namespace

Result<std::unique_ptr<LdapService>> LdapService::make(Deps deps) {
  if (!deps.settings.is_used()) return nullptr;
  BERTH_TRYV(auth::check_ldap_files(deps.settings));
  BERTH_TRYV(auth::LdapConnection::prepare(deps.settings.transport));
  return std::unique_ptr<LdapService>(new LdapService(deps));
}

LdapService::LdapService(const Deps& deps)
    : log_(deps.log),
      pool_("ldap", kThreads, kQueueMax),
      directory_({deps.settings, deps.clock, deps.random, deps.log, {}}),
      sign_in_({[this](const auth::LdapQuestion& question) { return ask(question); }, pool_, deps.accounts,
                deps.settings.rules, deps.settings.issuer(), deps.clock, deps.log}),
      recheck_({[this](const std::string& id) { return directory_.look_up(id); }, deps.store, deps.settings.rules,
                deps.settings.issuer(), deps.clock, deps.log}) {}

Result<auth::LdapAnswer> LdapService::ask(const auth::LdapQuestion& question) {
  if (stopping_) return fail(Errc::unavailable, "the server is stopping");
  return directory_.ask(question);
}

void LdapService::recheck(io::Periodic& self) {
  const auto done = recheck_.run([&self] { return self.pause_ms(kPauseMs); });
  if (!done) {
    log_.warn("ldap.recheck_failed",
              {f("err", done.error().cause.empty() ? done.error().message : done.error().cause)});
  } else if (done->changed + done->disabled > 0) {
    log_.info("ldap.recheck",
              {f("looked_up", done->looked_up), f("changed", done->changed), f("disabled", done->disabled)});
  }
}

void LdapService::start_background(std::int64_t recheck_ms) {
  if (recheck_ms == 0) return;
  rechecking_ =
      std::make_unique<io::Periodic>("ldap-recheck", recheck_ms, [this](io::Periodic& self) { recheck(self); });
}

void LdapService::stop() {
  stopping_ = true;
  if (rechecking_) rechecking_->stop();
  pool_.stop();
}

}  // namespace berth::app
