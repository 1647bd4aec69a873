#include "support/test_accounts.h"

#include "auth/secret.h"
#include "meta/repos.h"

#include <crypt.h>

#include <array>

namespace berth::test {

std::string cheap_hash(std::string_view password) {
  // bcrypt at its lowest cost, with a salt that need not be secret.
  constexpr const char* kSetting = "$2b$04$abcdefghijklmnopqrstuu";
  const auto data = std::make_unique<crypt_data>();
  const char* hash = crypt_r(std::string(password).c_str(), kSetting, data.get());
  return hash == nullptr ? std::string() : std::string(hash);
}

Result<void> TestAccounts::change(const std::function<Result<void>(sql::Connection&, const meta::Stamp&)>& fn) {
  const meta::Stamp stamp{server_.clock.now_ms(), std::nullopt};
  BERTH_TRYV(server_.store().write_blocking([&](sql::Connection& db) { return fn(db, stamp); }));
  server_.server().run_housekeeping();  // which notices the first account
  return {};
}

Result<void> TestAccounts::add_user(const std::string& name, std::string_view password, bool is_admin) {
  auth::NewUser user;
  user.name = name;
  user.is_admin = is_admin;
  user.password_hash = cheap_hash(password);
  return change([&](sql::Connection& db, const meta::Stamp& stamp) -> Result<void> {
    BERTH_TRYV(auth::create_user(db, user, true, stamp));
    return {};
  });
}

Result<void> TestAccounts::set_disabled(const std::string& user, bool is_disabled) {
  auth::UserChange wanted;
  wanted.is_disabled = is_disabled;
  return change([&](sql::Connection& db, const meta::Stamp&) { return auth::change_user(db, user, wanted); });
}

Result<void> TestAccounts::add_org(const std::string& name, const std::string& owner) {
  return change([&](sql::Connection& db, const meta::Stamp& stamp) -> Result<void> {
    BERTH_TRY(const auto found, meta::find_principal(db, owner));
    if (!found) return fail(Errc::account_unknown, "there is no user " + owner);
    BERTH_TRYV(auth::create_org(db, {.name = std::string(name), .owner = found->id}, true, stamp));
    return {};
  });
}

Result<void> TestAccounts::add_member(const std::string& org, const std::string& user, meta::Role role) {
  return change([&](sql::Connection& db, const meta::Stamp&) { return auth::put_member(db, org, user, role); });
}

Result<void> TestAccounts::add_team(const std::string& name, const std::vector<std::string>& members) {
  return change([&](sql::Connection& db, const meta::Stamp& stamp) -> Result<void> {
    BERTH_TRYV(auth::create_team(db, name, stamp));
    for (const std::string& member : members) BERTH_TRYV(auth::add_to_team(db, name, member));
    return {};
  });
}

Result<void> TestAccounts::join_team(const std::string& team, const std::string& user) {
  return change([&](sql::Connection& db, const meta::Stamp&) -> Result<void> {
    BERTH_TRYV(auth::add_to_team(db, team, user));
    return {};
  });
}

Result<void> TestAccounts::grant(const std::string& subject, const std::string& pattern, auth::Rights allow,
                                 auth::Rights deny) {
  return change([&](sql::Connection& db, const meta::Stamp& stamp) -> Result<void> {
    BERTH_TRYV(auth::put_grant(db, subject, pattern, allow, deny, stamp));
    return {};
  });
}

Result<std::string> TestAccounts::add_robot(const std::string& name) {
  SystemRandom random;
  const std::string secret = auth::make_secret(auth::SecretKind::robot, random);
  BERTH_TRYV(change([&](sql::Connection& db, const meta::Stamp& stamp) -> Result<void> {
    auth::NewRobot robot;
    robot.name = name;
    BERTH_TRYV(auth::create_robot(db, robot, stamp));
    BERTH_TRYV(auth::add_robot_secret(db, name, auth::secret_hash(secret), stamp.at_ms, stamp));
    return {};
  }));
  return secret;
}

Result<void> TestAccounts::add_repo(const std::string& name) {
  BERTH_TRY(const auto repo, oci::RepoName::parse(name));
  return change([&](sql::Connection& db, const meta::Stamp& stamp) -> Result<void> {
    BERTH_TRYV(meta::ensure_repo(db, repo, stamp));
    return {};
  });
}

Result<void> TestAccounts::set_visibility(const std::string& repo, meta::Visibility visibility) {
  BERTH_TRY(const auto name, oci::RepoName::parse(repo));
  return change([&](sql::Connection& db, const meta::Stamp&) -> Result<void> {
    BERTH_TRY(auto info, meta::find_repo_info(db, name));
    if (!info) return fail(Errc::name_unknown, "there is no repository " + repo);
    info->visibility = visibility;
    return meta::update_repo(db, *info);
  });
}

}  // namespace berth::test
