#include "auth/ldap_recheck.h"

#include "auth/accounts.h"

namespace berth::auth {

namespace {

constexpr std::int64_t kPage = 100;

meta::AuditEntry entry_about(const meta::Principal& account, std::string action, std::string rule,
                             std::int64_t now_ms) {
  meta::AuditEntry out;
  out.at_ms = now_ms;
  out.action = std::move(action);
  out.actor = "ldap";
  out.target = account.name;
  out.allowed = true;
  out.rule = std::move(rule);
  return out;
}

}  // namespace

Result<RecheckReport> LdapRecheck::run(const std::function<bool()>& pace) {
  RecheckReport report;
  std::vector<Gone> gone;
  std::string last;
  for (;;) {
    BERTH_TRY(const auto page, deps_.store.peek([&](sql::Connection& db) {
      return meta::list_external(db, deps_.issuer, last, kPage);
    }));
    if (page.empty()) break;
    BERTH_TRY(const bool goes_on, look_at(page, pace, report, gone));
    if (!goes_on) return report;
    last = page.back().external_id;
  }
  // One of one may be gone, two of three are not.
  const std::size_t missing = gone.size() + report.passed_over;
  report.is_doubted = !gone.empty() && missing > 1 && missing * 2 > report.looked_up + report.passed_over;
  if (report.is_doubted) {
    deps_.log.error("ldap.recheck_doubted",
                    {f("err", std::to_string(gone.size()) + " of " + std::to_string(report.looked_up) +
                                  " accounts are not in the directory any more; are the settings right? Nobody was "
                                  "disabled")});
    return report;
  }
  for (const Gone& one : gone) {
    BERTH_TRY(const bool is_disabled, disable(one));
    if (is_disabled) ++report.disabled;
  }
  return report;
}

Result<void> LdapRecheck::look_at_one(const meta::Principal& account, RecheckReport& report, std::vector<Gone>& gone) {
  BERTH_TRY(const auto person, deps_.look_up(account.external_id));
  if (!person) {
    gone.push_back({account.id, "LDAP: the entry is gone"});
    return {};
  }
  const auto plan = deps_.store.peek(
      [&](sql::Connection& db) { return plan_reception(db, *person, deps_.rules, deps_.clock.now_ms()); });
  if (!plan && plan.error().code == Errc::denied) {
    gone.push_back({account.id, "LDAP: " + plan.error().message});
    return {};
  }
  BERTH_TRYV(plan);
  if (plan->is_settled()) return {};
  BERTH_TRYV(follow(*person));
  ++report.changed;
  return {};
}

Result<bool> LdapRecheck::look_at(const std::vector<meta::Principal>& page, const std::function<bool()>& pace,
                                  RecheckReport& report, std::vector<Gone>& gone) {
  constexpr std::size_t kInARowMax = 5;  // then it is the directory, not the entry
  std::size_t in_a_row = 0;
  for (const meta::Principal& account : page) {
    if (account.is_disabled) continue;
    if (!pace()) return false;
    auto looked = look_at_one(account, report, gone);
    if (looked) {
      ++report.looked_up;
      in_a_row = 0;
      continue;
    }
    ++report.passed_over;
    const bool is_directory = ++in_a_row >= kInARowMax || (report.looked_up == 0 && account.id == page.back().id);
    if (is_directory) return fail(std::move(looked).error());
    deps_.log.warn("ldap.recheck_passed_over", {f("account", account.name), f("err", looked.error().message)});
  }
  return true;
}

Result<void> LdapRecheck::follow(const ExternalPerson& person) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  return deps_.store.write_blocking(
      [&](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto account, receive(db, person, deps_.rules, {now_ms, std::nullopt}));
        return meta::append_audit(db, entry_about(account, "account.follow", "LDAP: looked up again", now_ms));
      },
      {.touches = meta::Touches::accounts()});
}

Result<bool> LdapRecheck::disable(const Gone& gone) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  auto done = deps_.store.write_blocking(
      [&](sql::Connection& db) -> Result<bool> {
        BERTH_TRY(const auto account, meta::find_principal(db, gone.account));
        if (!account || account->is_disabled || account->issuer != deps_.issuer) return false;
        BERTH_TRYV(change_user(db, account->name, {.is_disabled = true}));
        BERTH_TRYV(meta::append_audit(db, entry_about(*account, "account.disable", gone.why, now_ms)));
        return true;
      },
      {.touches = meta::Touches::accounts()});
  // The last administrator stays, whatever the directory says.
  if (!done && done.error().code == Errc::state_conflict) return false;
  return done;
}

}  // namespace berth::auth
