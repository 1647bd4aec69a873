#include "auth/external_accounts.h"

#include "auth/accounts.h"
#include "base/human_text.h"
#include "base/json_text.h"

#include <algorithm>

namespace berth::auth {

namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::int64_t kVouchSlackMs = 24LL * 60 * 60 * 1000;
constexpr std::size_t kIdBytesMax = 1024;
constexpr std::size_t kDisplayNameBytesMax = 200;
constexpr std::size_t kGroupsMax = 2'000;  // a directory of a large company puts people in hundreds

bool holds(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

bool is_allowed(const ExternalPerson& person, const ReceptionRules& rules) {
  if (rules.allowed_groups.empty()) return true;
  return person.groups && std::ranges::any_of(*person.groups, [&](const std::string& group) {
           return holds(rules.allowed_groups, group);
         });
}

/// As much of it as we would let somebody type.
std::string fit_display_name(std::string_view text) {
  std::size_t end = std::min(text.size(), kDisplayNameBytesMax);
  const auto is_inside = [&] { return end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80; };
  while (end > 0 && is_inside()) --end;  // not in the middle of a character
  std::string out(text.substr(0, end));
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
  return out;
}
std::string fit_email(std::string_view text) { return check_email(text) ? std::string(text) : std::string(); }

/// A16: what somebody was elsewhere is not known for ever. An account with a password of its own does not depend on it.
void vouch(meta::Principal& account, const ReceptionRules& rules, std::int64_t now_ms) {
  if (rules.vouched_ms == 0 || !account.password_hash.empty()) {
    account.expires_at_ms.reset();
    return;
  }
  const std::int64_t end_ms = now_ms + rules.vouched_ms;
  const std::int64_t slack_ms =
      std::min(kVouchSlackMs, rules.vouched_ms / 2);  // each change of it is one of the accounts
  if (account.expires_at_ms.value_or(0) < end_ms - slack_ms) account.expires_at_ms = end_ms;
}

/// Whether the account has to be told what is said elsewhere; it is changed to it.
Result<bool> update(sql::Connection& db, meta::Principal& account, const ExternalPerson& person,
                    const ReceptionRules& rules, std::int64_t now_ms) {
  const meta::Principal before = account;
  if (const std::string email = fit_email(person.email); !email.empty()) account.email = email;
  if (const std::string name = fit_display_name(person.display_name); !name.empty()) account.display_name = name;
  if (!rules.admin_group.empty() && person.groups) {
    account.is_admin = holds(*person.groups, rules.admin_group);
    if (before.is_admin && !account.is_admin &&
        !before.is_disabled) {  // the registry keeps one who can put things right
      BERTH_TRY(const std::int64_t admins, meta::count_admins(db));
      if (admins < 2) account.is_admin = true;
    }
  }
  vouch(account, rules, now_ms);
  return account.email != before.email || account.display_name != before.display_name ||
         account.is_admin != before.is_admin || account.expires_at_ms != before.expires_at_ms;
}

/// Which places in teams his groups give and take.
Result<void> compare_places(sql::Connection& db, meta::PrincipalId principal, const std::vector<std::string>& groups,
                            Reception& out) {
  std::vector<meta::TeamPlace> wanted;
  for (const std::string& group : groups) {
    BERTH_TRY(const auto places, meta::teams_of_group(db, group));
    for (const meta::TeamPlace& place : places) {
      if (std::ranges::find(wanted, place) == wanted.end()) wanted.push_back(place);
    }
  }
  BERTH_TRY(const auto there, meta::places_from_groups(db, principal));
  for (const meta::TeamPlace& place : there) {
    if (std::ranges::find(wanted, place) == wanted.end()) out.leaves.push_back(place);
  }
  for (const meta::TeamPlace& place : wanted) {
    BERTH_TRY(const bool is_in, meta::is_in_team(db, place.team, principal));
    if (!is_in) out.enters.push_back(place);
  }
  return {};
}

Result<void> check_person(const ExternalPerson& person) {
  const bool is_somebody = !person.issuer.empty() && !person.id.empty() && person.id.size() <= kIdBytesMax;
  if (!is_somebody) return fail(Errc::denied, "the identity provider does not say who you are");
  if (person.groups && person.groups->size() > kGroupsMax) {
    return fail(Errc::state_conflict, "the identity provider names more than " + std::to_string(kGroupsMax) +
                                          " groups of yours; have it "
                                          "send those alone that matter here");
  }
  return {};
}

std::unexpected<Error> name_taken(const std::string& name) {
  return fail(Errc::already_exists, "the name " + name +
                                        " belongs to another account here; if that is yours, have an administrator "
                                        "link it to your sign-in, or sign in with its password and link it yourself");
}

Result<meta::Principal> make_account(sql::Connection& db, const ExternalPerson& person, const ReceptionRules& rules,
                                     const meta::Stamp& stamp) {
  NewUser user;
  user.visibility = rules.visibility;
  auto name = account_name_from(person.name);
  if (!name) {
    return fail(Errc::account_invalid,
                "you are called '" + printable(person.name.substr(0, kNameBytesMax)) +
                    "' there, and of that no account's name can be made here (2 to 64 of a-z and 0-9); have an "
                    "administrator make an account and link it to your sign-in");
  }
  user.name = *std::move(name);
  user.email = fit_email(person.email);
  user.display_name = fit_display_name(person.display_name);
  user.is_admin = !rules.admin_group.empty() && person.groups && holds(*person.groups, rules.admin_group);
  auto id = create_user(db, user, false, stamp);
  if (!id && id.error().code == Errc::already_exists) return name_taken(user.name);
  BERTH_TRYV(id);
  BERTH_TRYV(link_account(db, user.name, person.issuer, person.id, std::nullopt));
  BERTH_TRY(auto made, meta::find_principal(db, *id));
  if (!made) return fail(Errc::internal, {}, "an account that was just made is not there");
  return *std::move(made);
}

}  // namespace

Result<std::string> account_name_from(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, text.find('@'))) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool is_alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool is_joint = c == '.' || c == '_' || c == '-';
    if (is_alnum) {
      out += c;
    } else if (!out.empty() && out.back() != '.' && out.back() != '_' && out.back() != '-') {
      out += is_joint ? c : '-';
    }
  }
  out.resize(std::min(out.size(), kNameBytesMax));
  while (!out.empty() && (out.back() == '.' || out.back() == '_' || out.back() == '-')) out.pop_back();
  BERTH_TRYV(check_account_name(out));
  return out;
}

Result<Reception> plan_reception(sql::Connection& db, const ExternalPerson& person, const ReceptionRules& rules,
                                 std::int64_t now_ms) {
  BERTH_TRYV(check_person(person));
  if (!is_allowed(person, rules))
    return fail(Errc::denied, "signing in is for the members of certain groups, and you are in none of them");
  Reception out;
  BERTH_TRY(out.account, meta::find_external(db, person.issuer, person.id));
  if (!out.account) {
    if (rules.creates) return out;
    return fail(Errc::denied, "you have no account here, and none is made by signing in; ask an administrator");
  }
  BERTH_TRY(out.changes_account, update(db, *out.account, person, rules, now_ms));
  if (person.groups) BERTH_TRYV(compare_places(db, out.account->id, *person.groups, out));
  return out;
}

Result<meta::Principal> receive(sql::Connection& db, const ExternalPerson& person, const ReceptionRules& rules,
                                const meta::Stamp& stamp) {
  BERTH_TRY(auto plan, plan_reception(db, person, rules, stamp.at_ms));
  if (!plan.account) {
    BERTH_TRY(plan.account, make_account(db, person, rules, stamp));
    BERTH_TRY(plan.changes_account, update(db, *plan.account, person, rules, stamp.at_ms));
    if (person.groups) BERTH_TRYV(compare_places(db, plan.account->id, *person.groups, plan));
  }
  if (plan.changes_account) {
    BERTH_TRYV(meta::update_principal(db, *plan.account));
    ++plan.account->version;
  }
  for (const meta::TeamPlace& place : plan.leaves) BERTH_TRYV(meta::leave_by_group(db, place, plan.account->id));
  for (const meta::TeamPlace& place : plan.enters) BERTH_TRYV(meta::enter_by_group(db, place, plan.account->id));
  return *std::move(plan.account);
}

Result<void> check_link(std::string_view issuer, std::string_view id) {
  if (issuer.empty() == id.empty() && id.size() <= kIdBytesMax && issuer.size() <= kIdBytesMax) return {};
  return fail(Errc::account_invalid, "issuer and subject are given both, with at most 1024 bytes each, or neither");
}

Result<void> link_account(sql::Connection& db, std::string_view user, std::string_view issuer, std::string_view id,
                          std::optional<std::int64_t> version) {
  BERTH_TRYV(check_link(issuer, id));
  BERTH_TRY(auto row, meta::find_principal(db, user));
  if (!row || row->kind != meta::PrincipalKind::user)
    return fail(Errc::account_unknown, "there is no user '" + std::string(user.substr(0, 80)) + "'");
  if (version && *version != row->version) return fail(Errc::precondition_failed, row->name + " was changed meanwhile");
  if (!issuer.empty()) {
    BERTH_TRY(const auto other, meta::find_external(db, issuer, id));
    if (other && other->id != row->id)
      return fail(Errc::already_exists, "the account " + other->name + " is linked to that sign-in");
  }
  if (row->issuer == issuer && row->external_id == id) return {};
  row->issuer = issuer;
  row->external_id = id;
  if (issuer.empty()) row->expires_at_ms.reset();
  BERTH_TRYV(meta::update_principal(db, *row));
  // What another sign-in's groups gave goes with it.
  BERTH_TRY(const auto places, meta::places_from_groups(db, row->id));
  for (const meta::TeamPlace& place : places) BERTH_TRYV(meta::leave_by_group(db, place, row->id));
  return {};
}

io::Task<Result<meta::Principal>> ExternalAccounts::find_or_make(ExternalPerson person, ReceptionRules rules) {
  BERTH_CO_TRY(auto plan,
               co_await deps_.store.read([person, rules, now_ms = deps_.clock.now_ms()](sql::Connection& db) {
                 return plan_reception(db, person, rules, now_ms);
               }));
  if (plan.is_settled()) co_return *std::move(plan.account);
  // Or the secret that makes the first administrator would be dead, and there were none.
  const bool is_administrator = !rules.admin_group.empty() && person.groups && holds(*person.groups, rules.admin_group);
  if (!deps_.directory.has_accounts() && !is_administrator)
    co_return fail(Errc::denied, "this registry has no administrator yet, who is made first");
  meta::AuditEntry entry;
  entry.at_ms = deps_.clock.now_ms();
  entry.action = plan.account ? "account.follow" : "account.create";
  entry.rule = "sign-in from outside";
  entry.detail = "{\"issuer\":" + json_string(person.issuer) + ",\"subject\":" + json_string(person.id) + "}";
  const meta::Stamp stamp{entry.at_ms, std::nullopt};
  auto made = co_await deps_.store.write(
      [=](sql::Connection& db) -> Result<meta::Principal> {
        BERTH_TRY(auto account, receive(db, person, rules, stamp));
        meta::AuditEntry written = entry;
        written.actor = account.name;
        written.actor_id = account.id;
        written.target = account.name;
        BERTH_TRYV(meta::append_audit(db, written));
        return account;
      },
      {.touches = meta::Touches::accounts()});
  if (made) deps_.directory.look_for_accounts();
  co_return made;
}

io::Task<Result<void>> ExternalAccounts::link(std::string user, ExternalPerson person, meta::AuditEntry entry) {
  co_return co_await deps_.store.write(
      [=](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto account, meta::find_principal(db, user));
        // Somebody else vouches for it, and must go on hearing of it when he leaves there.
        if (account && !account->issuer.empty() && account->issuer != person.issuer)
          return fail(Errc::denied, "your account is linked to another sign-in; an administrator can change that");
        BERTH_TRYV(link_account(db, user, person.issuer, person.id, std::nullopt));
        return meta::append_audit(db, entry);
      },
      {.touches = meta::Touches::accounts()});
}

io::Task<Result<Subject>> ExternalAccounts::sign_in(ExternalPerson person, ReceptionRules rules, std::string how,
                                                    std::string address) {
  constexpr std::size_t kNameBytesShown = 128;
  meta::AuditEntry entry;
  entry.at_ms = deps_.clock.now_ms();
  entry.action = "sign_in";
  entry.peer = std::move(address);
  entry.detail = "{\"issuer\":" + json_string(person.issuer) + ",\"subject\":" + json_string(person.id) + "}";
  entry.actor = person.name.substr(0, kNameBytesShown);
  auto account = co_await find_or_make(std::move(person), std::move(rules));
  std::optional<Subject> subject;
  if (account) {
    entry.actor = account->name;
    subject = subject_of(*account, entry.at_ms);
  }
  if (subject) entry.actor_id = subject->id;
  entry.target = entry.actor;
  entry.allowed = subject.has_value();
  entry.rule = how;
  if (!account) entry.rule += ": " + account.error().message;
  if (account && !subject) entry.rule += ": the account is disabled";
  deps_.audit.note(std::move(entry));
  if (!account) co_return fail(std::move(account).error());
  if (!subject) co_return fail(Errc::denied, "the account " + account->name + " is disabled");
  co_return *std::move(subject);
}

}  // namespace berth::auth
