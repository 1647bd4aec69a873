#pragma once
// For tests of accounts: a store with its directory, authenticator and token service under a manual clock, and short
// names for what an administrator does.

#include "auth/accounts.h"
#include "auth/authenticator.h"
#include "auth/directory.h"
#include "auth/secret.h"
#include "auth/token_service.h"
#include "meta/repos.h"
#include "meta/store.h"
#include "support/run_task.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"
#include "support/watched_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace berth::test {

/// "ok", or the name of the error.
template <class T>
std::string outcome(const Result<T>& result) {
  return result.has_value() ? "ok" : std::string(to_string(result.error().code));
}

class AccountsFixture : public ::testing::Test {
 protected:
  static constexpr std::int64_t kMinuteMs = 60'000;
  static constexpr std::int64_t kDayMs = 24 * 60 * kMinuteMs;
  static constexpr std::string_view kPassword = "U*U";
  /// Of kPassword, at the lowest cost there is; shorter than a new password may be, so that none is hashed anew.
  static constexpr std::string_view kHash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  static constexpr std::string_view kService = "registry.example.com";
  static constexpr std::string_view kAddress = "192.0.2.7";

  AccountsFixture() : probe_(dir_ / "meta.db") {}

  static oci::RepoName repo(std::string_view name) { return *oci::RepoName::parse(name); }
  meta::Stamp stamp() const { return {clock_.now_ms(), std::nullopt}; }

  meta::Store::Hooks watched() const {
    meta::Store::Hooks hooks;
    hooks.wrap = [watch = watch_](std::unique_ptr<sql::Connection> inner) -> std::unique_ptr<sql::Connection> {
      return std::make_unique<WatchedConnection>(std::move(inner), watch);
    };
    return hooks;
  }
  /// Runs `fn(Connection&) -> Result<T>` as a change of accounts; what fails leaves nothing.
  template <class F>
  auto change(F fn) {
    return store_->write_blocking(std::move(fn), {.touches = meta::Touches::accounts()});
  }
  template <class F>
  auto look(F fn) {
    return store_->peek(std::move(fn));
  }

  // ---- what an administrator does; each expects to succeed
  meta::PrincipalId add_user(std::string_view name) {
    return make_user({.name = std::string(name), .password_hash = std::string(kHash)});
  }
  meta::PrincipalId add_admin(std::string_view name) {
    return make_user({.name = std::string(name), .is_admin = true, .password_hash = std::string(kHash)});
  }
  meta::NamespaceId add_org(std::string_view name, std::string_view owner) {
    return must(change([&](sql::Connection& db) -> Result<meta::NamespaceId> {
      BERTH_TRY(const auto user, meta::find_principal(db, owner));
      return auth::create_org(db, {.name = std::string(name), .owner = user->id}, false, stamp());
    }));
  }
  void add_member(std::string_view org, std::string_view user, meta::Role role) {
    expect_ok(change([&](sql::Connection& db) { return auth::put_member(db, org, user, role); }));
  }
  meta::PrincipalId add_team(std::string_view name) {
    return must(change([&](sql::Connection& db) { return auth::create_team(db, name, stamp()); }));
  }
  void add_to_team(std::string_view team, std::string_view user) {
    expect_ok(change([&](sql::Connection& db) { return auth::add_to_team(db, team, user); }));
  }
  meta::PrincipalId add_robot(std::string_view name, std::optional<std::int64_t> expires_at_ms = {}) {
    const auth::NewRobot robot{.name = std::string(name), .expires_at_ms = expires_at_ms};
    return must(change([&](sql::Connection& db) { return auth::create_robot(db, robot, stamp()); }));
  }
  meta::GrantId grant(std::string_view to, std::string_view pattern, auth::Rights allow, auth::Rights deny = {}) {
    return must(change([&](sql::Connection& db) { return auth::put_grant(db, to, pattern, allow, deny, stamp()); }));
  }
  meta::RepoId add_repo(std::string_view name, meta::Visibility visibility = meta::Visibility::closed) {
    return must(store_->write_blocking(
        [&](sql::Connection& db) -> Result<meta::RepoId> {
          BERTH_TRY(const auto id, meta::ensure_repo(db, repo(name), stamp()));
          BERTH_TRY(auto info, meta::find_repo_info(db, repo(name)));
          info->visibility = visibility;
          BERTH_TRYV(meta::update_repo(db, *info));
          return id;
        },
        {.touches = meta::Touches::repo(repo(name))}));
  }
  /// A secret of that kind, and its row.
  struct Secret {
    std::string text;
    meta::TokenId id = 0;
  };
  Secret add_secret(std::string_view of, meta::TokenKind kind, meta::TokenRow row = {}) {
    Secret out{auth::make_secret(form_of(kind), random_), 0};
    out.id = must(change([&](sql::Connection& db) -> Result<meta::TokenId> {
      BERTH_TRY(const auto principal, meta::find_principal(db, of));
      row.principal = principal->id;
      row.kind = kind;
      return meta::insert_token(db, row, auth::secret_hash(out.text), stamp());
    }));
    return out;
  }
  void set_disabled(std::string_view user, bool disabled) {
    auth::UserChange wanted;
    wanted.is_disabled = disabled;
    expect_ok(change([&](sql::Connection& db) { return auth::change_user(db, user, wanted); }));
  }

  // ---- what others ask
  std::optional<meta::Principal> principal(std::string_view name) {
    return must(look([&](sql::Connection& db) { return meta::find_principal(db, name); }));
  }
  /// Empty: nobody.
  auth::Subject subject(std::string_view name) {
    if (name.empty()) return {};
    const auto found = principal(name);
    return found ? auth::subject_of(*found, clock_.now_ms()).value_or(auth::Subject{}) : auth::Subject{};
  }
  auth::Rights rights(std::string_view name, std::string_view on) {
    return must(directory_.ruling(subject(name), repo(on)))->rights;
  }
  Result<auth::IdentityPtr> authenticate(std::string_view authorization, std::string_view from = kAddress) {
    return run_task(authenticator_.authenticate(std::string(authorization), std::string(from)));
  }
  Result<auth::IdentityPtr> sign_in(std::string_view name, std::string_view secret, std::string_view from = kAddress) {
    return run_task(authenticator_.sign_in({std::string(name), std::string(secret)}, std::string(from)));
  }
  /// Its name, "anonymous", or the error.
  static std::string who(const Result<auth::IdentityPtr>& found) {
    if (!found) return outcome(found);
    return (*found)->is_anonymous() ? "anonymous" : (*found)->subject.name;
  }

  template <class T>
  static T must(Result<T> result) {
    EXPECT_TRUE(result.has_value()) << result.error().message << result.error().cause;
    return result ? *std::move(result) : T{};
  }
  template <class T>
  static void expect_ok(const Result<T>& result) {
    EXPECT_TRUE(result.has_value()) << result.error().message << result.error().cause;
  }

  TempDir dir_{TempDir::Where::memory};
  ManualClock clock_;
  Log log_{LogLevel::off};
  SeededRandom random_{1};
  SqliteProbe probe_;
  std::shared_ptr<SqlWatch> watch_ = std::make_shared<SqlWatch>();
  std::unique_ptr<meta::Store> store_ = *meta::Store::open({.path = dir_ / "meta.db"}, watched(), clock_, log_);
  io::BlockingPool passwords_{"passwords", 1, 16};
  crypto::SigningKey key_ = crypto::SigningKey::generate();
  auth::KeyRing keys_{{key_}};
  auth::Directory directory_{*store_, {}};
  auth::AuditLog audit_{*store_, clock_};
  auth::Authenticator authenticator_{
      {*store_, passwords_, keys_, clock_, random_, log_, audit_, std::string(kService)}};
  auth::TokenService tokens_{{directory_, keys_, clock_, random_, std::string(kService)}};

 private:
  meta::PrincipalId make_user(const auth::NewUser& user) {
    return must(change([&](sql::Connection& db) { return auth::create_user(db, user, false, stamp()); }));
  }
  static auth::SecretKind form_of(meta::TokenKind kind) {
    switch (kind) {
      case meta::TokenKind::access: return auth::SecretKind::personal_token;
      case meta::TokenKind::refresh: return auth::SecretKind::refresh;
      case meta::TokenKind::robot_secret: return auth::SecretKind::robot;
      case meta::TokenKind::web_session:
      case meta::TokenKind::short_lived:
      case meta::TokenKind::invite: break;
    }
    return auth::SecretKind::login;
  }
};

}  // namespace berth::test
