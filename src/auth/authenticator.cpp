#include "auth/authenticator.h"

#include "auth/jwt.h"
#include "auth/ldap_sign_in.h"
#include "auth/password.h"
#include "auth/recheck.h"
#include "auth/recorded_name.h"
#include "auth/secret.h"
#include "auth/secret_chain.h"
#include "base/base64.h"

#include <sodium.h>

#include <algorithm>

namespace berth::auth {

namespace {

constexpr std::size_t kCacheBytes = 8 * 1024 * 1024;
constexpr std::int64_t kPasswordMs = 5LL * 60 * 1000;   // how long a verified password or secret is not asked again
constexpr std::int64_t kUseNotedMs = 60LL * 60 * 1000;  // how exact "last used" is
constexpr std::size_t kAuthorizationBytesMax = 32 * 1024;
constexpr std::int64_t kRefreshMs = 90LL * 24 * 60 * 60 * 1000;

/// One sentence for every way to be wrong: who guesses learns nothing (S26).
std::unexpected<Error> wrong() { return fail(Errc::unauthorized, "wrong user name or password"); }

/// To who holds a good secret of the account, and may know.
std::unexpected<Error> not_vouched_for() {
  return fail(Errc::unauthorized,
              "your account is one of an identity provider's, where you have not signed in for long; sign in here with "
              "a browser once, and your tokens work again");
}

/// "scheme value": the value, if the scheme is that one in any case (RFC 9110 11.1).
std::optional<std::string_view> value_of(std::string_view authorization, std::string_view scheme) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return std::nullopt;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (!std::ranges::equal(authorization.substr(0, scheme.size()), scheme, {}, lower)) return std::nullopt;
  std::string_view value = authorization.substr(scheme.size() + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

/// The literal that stands for "whoever the secret belongs to".
bool is_name_for_any(std::string_view name) { return name == "token" || name == "<token>"; }

bool is_password(const NameAndSecret& given) {
  const auto kind = parse_secret(given.secret);
  return !kind || *kind == SecretKind::setup;
}

/// Whether such a row is good as a password. A refresh token is not (A15).
bool signs_in(meta::TokenKind kind) {
  return kind == meta::TokenKind::access || kind == meta::TokenKind::robot_secret ||
         kind == meta::TokenKind::short_lived;
}

std::string_view word_of(meta::TokenKind kind) {
  switch (kind) {
    case meta::TokenKind::access: return "access token";
    case meta::TokenKind::robot_secret: return "robot secret";
    case meta::TokenKind::short_lived: return "short-lived password";
    case meta::TokenKind::refresh: return "refresh token";
    case meta::TokenKind::web_session:
    case meta::TokenKind::invite: break;
  }
  return "";
}

std::vector<Scope> scopes_of(const Claims& claims) {
  std::vector<Scope> out;
  for (const Access& access : claims.access) {
    Scope scope;
    scope.name = access.name;
    if (access.type == "repository") {
      scope.actions = Actions::parse_words(access.actions);
    } else if (access.type == "registry" && access.name == "catalog" && !access.actions.empty()) {
      scope.type = Scope::Type::catalog;
      scope.actions = Actions::pull;
    }
    if (!scope.actions.empty()) out.push_back(std::move(scope));
  }
  return out;
}

/// Whether a job may still be that robot by that rule; 0: it is no job's. trust: nullptr: no job signs in.
Result<bool> rule_holds(sql::Connection& db, const Trust* trust, meta::TrustRuleId id, meta::PrincipalId robot) {
  if (id == 0) return true;
  BERTH_TRY(const auto rule, meta::find_trust_rule(db, id));
  const bool counts = rule && !rule->is_disabled && (trust == nullptr || trust->allows(rule->issuer));
  return counts && rule->robot == robot;
}

struct Holder {
  meta::Principal principal;
  std::optional<meta::TokenRow> secret;    // if there is one behind the credential
  std::int64_t makers_end_ms = INT64_MAX;  // of what that was made by
};

/// Of a live secret. nullopt: it is nobody's any more.
Result<std::optional<Holder>> holder_of(sql::Connection& db, const Trust* trust, meta::TokenRow row,
                                        std::int64_t now_ms) {
  BERTH_TRY(auto principal, meta::find_principal(db, row.principal));
  if (!principal) return std::nullopt;
  BERTH_TRY(const bool holds, rule_holds(db, trust, row.trust_rule, principal->id));
  if (!holds) return std::nullopt;
  BERTH_TRY(const auto makers, find_makers(db, row, now_ms));
  if (!makers) return std::nullopt;
  return Holder{*std::move(principal), std::move(row), makers->end_ms};
}

/// When account or secret end by themselves: what was verified must not be remembered for longer.
std::int64_t end_of(const Holder& holder) {
  const std::int64_t of_secret = holder.secret ? holder.secret->expires_at_ms.value_or(INT64_MAX) : INT64_MAX;
  return std::min({of_secret, holder.makers_end_ms, holder.principal.expires_at_ms.value_or(INT64_MAX)});
}

}  // namespace

std::optional<NameAndSecret> parse_basic(std::string_view authorization) {
  const auto value = value_of(authorization, "basic");
  if (!value) return std::nullopt;
  const auto decoded = decode_base64(*value, Padding::optional);
  if (!decoded) return std::nullopt;
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return NameAndSecret{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

std::optional<std::string_view> parse_bearer(std::string_view authorization) {
  return value_of(authorization, "bearer");
}

Authenticator::Authenticator(Deps deps)
    : deps_(std::move(deps)),
      cache_key_(),
      cache_(deps_.store.epochs(), kCacheBytes),
      recent_(deps_.store.epochs(), deps_.random) {
  deps_.random.fill(std::as_writable_bytes(std::span(cache_key_)));
  if (deps_.external == nullptr) return;
  Identity nobody;  // may nothing, not even what is public to accounts
  nobody.is_external = true;
  anonymous_ = std::make_shared<const Identity>(std::move(nobody));
}

Authenticator::CacheKey Authenticator::key_of(std::string_view authorization) const {
  static_assert(crypto_shorthash_siphashx24_BYTES == sizeof(CacheKey));
  CacheKey out;
  crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(out.data()),
                              reinterpret_cast<const unsigned char*>(authorization.data()), authorization.size(),
                              cache_key_.data());
  return out;
}

IdentityPtr Authenticator::find_cached(std::string_view authorization) {
  if (authorization.empty()) return anonymous_;
  // A password is short enough to hash each time, and is kept nowhere as it came.
  const bool is_kept = authorization[0] == 'B' && authorization.size() > 1 && authorization[1] == 'e';
  auto found = is_kept ? recent_.find(authorization) : nullptr;
  if (!found) {
    const auto stamp = deps_.store.epochs().stamp_with_accounts(meta::Epochs::kAccounts);
    const CacheKey key = key_of(authorization);
    found = cache_.find({}, {reinterpret_cast<const char*>(key.data()), key.size()});
    if (found && stamp && is_kept) recent_.put(authorization, *stamp, found);
  }
  if (found && found->valid_until_ms <= deps_.clock.now_ms()) return nullptr;
  if (found && deps_.external != nullptr && !deps_.external->is_current(*found)) return nullptr;
  return found;
}

void Authenticator::remember(std::string_view authorization, const std::optional<meta::Epochs::Stamp>& stamp,
                             const IdentityPtr& identity) {
  if (!stamp) return;
  std::size_t bytes = sizeof(Identity) + identity->subject.name.size();
  for (const Scope& scope : identity->access) bytes += sizeof(Scope) + scope.name.size();
  for (const auto& part : identity->narrowing.parts) bytes += sizeof(part) + part.pattern.str().size();
  for (const std::string& ns : identity->narrowing.namespaces) bytes += sizeof(ns) + ns.size();
  const CacheKey key = key_of(authorization);
  cache_.put({}, {reinterpret_cast<const char*>(key.data()), key.size()}, *stamp, identity, bytes);
}

io::Task<Result<IdentityPtr>> Authenticator::authenticate(std::string authorization, std::string address) {
  if (auto known = find_cached(authorization)) co_return known;
  if (authorization.size() > kAuthorizationBytesMax) co_return fail(Errc::unauthorized, "the credentials are too long");
  const auto stamp = deps_.store.epochs().stamp_with_accounts(meta::Epochs::kAccounts);
  Result<IdentityPtr> found = fail(Errc::unauthorized, "only Basic and Bearer credentials are understood");
  if (deps_.external != nullptr) {
    const auto token = parse_bearer(authorization);
    found = token ? check_external(*token, 0)
                  : fail(Errc::unauthorized, "passwords are not known here, only tokens of the token server");
  } else if (const auto token = parse_bearer(authorization)) {
    found = parse_secret(*token) ? check_secret({"token", std::string(*token)}, address) : check_token(*token, 0);
  } else if (auto given = parse_basic(authorization)) {
    found = recall(authorization);
    if (found && !*found) {
      const bool is_of_account = is_password(*given);
      found = co_await sign_in(*std::move(given), std::move(address));
      if (found && is_of_account && !(*found)->is_anonymous()) keep_password(authorization, stamp, **found);
    }
  }
  if (found && !(*found)->is_anonymous()) remember(authorization, stamp, *found);
  if (found && (*found)->is_anonymous() && (*found)->credential == Credential::token)
    remember(authorization, stamp, *found);
  co_return found;
}

Result<IdentityPtr> Authenticator::recall(std::string_view authorization) const {
  const std::int64_t now_ms = deps_.clock.now_ms();
  const CacheKey key = key_of(authorization);
  const auto account = verified_.account_of(key, now_ms);
  if (!account) return nullptr;
  BERTH_TRY(const auto principal,
            deps_.store.peek([&](sql::Connection& db) { return meta::find_principal(db, *account); }));
  const auto until_ms = principal ? verified_.find(key, *principal, now_ms) : std::nullopt;
  const auto subject = until_ms ? subject_of(*principal, now_ms) : std::nullopt;
  if (!subject) return nullptr;
  Identity out;
  out.subject = *subject;
  out.credential = Credential::password;
  out.verified_by = VerifiedBy::of(*principal);
  out.valid_until_ms = *until_ms;
  return std::make_shared<const Identity>(std::move(out));
}

void Authenticator::keep_password(std::string_view authorization, const std::optional<meta::Epochs::Stamp>& stamp,
                                  const Identity& identity) {
  if (identity.via != 0 || identity.trust_rule != 0) return;  // no password: a job's ID token
  const auto principal =
      deps_.store.peek([&](sql::Connection& db) { return meta::find_principal(db, identity.subject.id); });
  // As it was when the password was verified: nothing has changed in between.
  if (!principal || !*principal || !stamp || !deps_.store.epochs().holds(*stamp)) return;
  verified_.put(key_of(authorization), **principal, identity.valid_until_ms);
}

io::Task<Result<IdentityPtr>> Authenticator::authenticate(NameAndSecret given, std::string address) {
  // As a header it would be the same: what was verified in one way is known in the other.
  const bool fits = given.name.find(':') == std::string::npos;
  if (!fits) co_return co_await sign_in(std::move(given), std::move(address));
  co_return co_await authenticate("Basic " + encode_base64(given.name + ":" + given.secret), std::move(address));
}

io::Task<Result<IdentityPtr>> Authenticator::sign_in(NameAndSecret given, std::string address) {
  if (given.name.empty() && given.secret.empty()) co_return anonymous_;  // A9
  if (deps_.trust != nullptr && looks_like_token(given.secret)) {        // by its shape: never worth a slow hash
    if (is_name_for_any(given.name)) given.name.clear();
    co_return co_await deps_.trust->sign_in(std::move(given.name), std::move(given.secret), std::move(address));
  }
  if (!is_password(given)) co_return check_secret(given, address);
  co_return co_await check_password(std::move(given), std::move(address));
}

Result<IdentityPtr> Authenticator::check_secret(const NameAndSecret& given, std::string_view address) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  BERTH_TRY(auto holder, deps_.store.peek([&](sql::Connection& db) -> Result<std::optional<Holder>> {
    BERTH_TRY(auto row, meta::find_token(db, secret_hash(given.secret)));
    if (!row || !signs_in(row->kind) || !is_live(*row, now_ms)) return std::nullopt;
    return holder_of(db, deps_.trust, *std::move(row), now_ms);
  }));
  const bool is_theirs = holder && (holder->principal.name == given.name || is_name_for_any(given.name));
  auto subject = is_theirs ? subject_of(holder->principal, now_ms) : std::nullopt;
  if (!subject) {
    note_sign_in(recorded_name(given.name), std::nullopt, address, "a secret that is not valid");
    if (is_theirs && !holder->principal.issuer.empty() && !holder->principal.is_disabled) return not_vouched_for();
    return wrong();
  }
  const meta::TokenRow& row = *holder->secret;
  note_use(row, *subject, address);
  Identity out;
  out.subject = *std::move(subject);
  out.credential = Credential::password;
  out.narrowing = parse_narrowing(row.scope);
  out.via = row.id;
  out.trust_rule = row.trust_rule;
  out.valid_until_ms = std::min(now_ms + kPasswordMs, end_of(*holder));
  return std::make_shared<const Identity>(std::move(out));
}

io::Task<Result<IdentityPtr>> Authenticator::check_password(NameAndSecret given, std::string address) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  BERTH_CO_TRY(auto attempt, limiter_.begin(given.name, address, now_ms));
  BERTH_CO_TRY(const auto principal,
               deps_.store.peek([&](sql::Connection& db) { return meta::find_principal(db, given.name); }));
  const bool has_password =
      principal && principal->kind == meta::PrincipalKind::user && !principal->password_hash.empty();
  const bool is_person = !principal || principal->kind == meta::PrincipalKind::user;
  if (deps_.ldap != nullptr && is_person && !has_password)
    co_return co_await ask_directory(std::move(given), std::move(address), std::move(attempt));
  // Nobody there takes as long as somebody (S26).
  std::string stored(has_password ? principal->password_hash : dummy_hash());
  BERTH_CO_TRY(const bool is_right,
               co_await io::offload(deps_.passwords, [stored, secret = given.secret]() -> Result<bool> {
                 if (verify_password(stored, secret)) return true;
                 // Nor is it to be told from one for nobody that the account's hash is a quicker one.
                 if (is_verified_faster(stored)) (void)verify_password(dummy_hash(), secret);
                 return false;
               }));
  // An account with a password of its own may be tied to the directory all the same.
  if (deps_.ldap != nullptr && has_password && !is_right && principal->issuer == deps_.ldap->issuer())
    co_return co_await ask_directory(std::move(given), std::move(address), std::move(attempt));
  const auto subject = principal ? subject_of(*principal, now_ms) : std::nullopt;
  if (!is_right || !has_password || !subject) {
    attempt.failed(now_ms);
    note_sign_in(recorded_name(given.name), std::nullopt, address, "wrong password, or no such account");
    co_return wrong();
  }
  attempt.succeeded(now_ms);
  note_sign_in(given.name, subject, address, "password");
  if (needs_rehash(stored)) upgrade_hash(*principal, std::move(given.secret));
  Identity out;
  out.subject = *subject;
  out.credential = Credential::password;
  out.verified_by = VerifiedBy::of(*principal);
  out.valid_until_ms = now_ms + kPasswordMs;
  co_return std::make_shared<const Identity>(std::move(out));
}

/// A directory that cannot be asked is nobody's failure, and counts as none.
io::Task<Result<IdentityPtr>> Authenticator::ask_directory(NameAndSecret given, std::string address,
                                                           SignInLimiter::Attempt attempt) {
  BERTH_CO_TRY(auto subject, co_await deps_.ldap->sign_in(given.name, std::move(given.secret), address));
  const std::int64_t now_ms = deps_.clock.now_ms();
  if (!subject) {
    attempt.failed(now_ms);
    note_sign_in(recorded_name(given.name), std::nullopt, address, "LDAP: wrong password, or nobody of that name");
    co_return wrong();
  }
  attempt.succeeded(now_ms);
  Identity out;
  out.subject = *std::move(subject);
  out.credential = Credential::password;
  out.valid_until_ms = now_ms + kPasswordMs;
  co_return std::make_shared<const Identity>(std::move(out));
}

void Authenticator::note_sign_in(std::string_view name, const std::optional<Subject>& subject, std::string_view address,
                                 std::string_view rule) {
  constexpr std::size_t kNameBytesMax = 128;
  meta::AuditEntry entry;
  entry.at_ms = deps_.clock.now_ms();
  entry.action = "sign_in";
  entry.actor = name.substr(0, kNameBytesMax);
  if (subject) entry.actor_id = subject->id;
  entry.target = entry.actor;
  entry.allowed = subject.has_value();
  entry.rule = rule;
  entry.peer = address;
  deps_.audit.note(std::move(entry));
}

/// The password that was just verified, hashed as new ones are. Nobody waits for it; next time it is tried again.
void Authenticator::upgrade_hash(const meta::Principal& principal, std::string password) {
  if (!check_new_password(password)) return;  // an imported one may be shorter than ours: it stays as it is
  deps_.passwords.post([this, id = principal.id, old = principal.password_hash, password = std::move(password)] {
    deps_.store.write_later([id, old, made = hash_password(password)](sql::Connection& db) {
      return meta::replace_password_hash(db, id, old, made);
    });
  });
}

Result<IdentityPtr> Authenticator::check_token(std::string_view token, std::int64_t grace_s) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  const KeyRing::KeysPtr keys = deps_.keys.keys();
  const TokenExpectations expected{.issuer = deps_.service,
                                   .audience = deps_.service,
                                   .now_ms = now_ms,
                                   .leeway_s = deps_.leeway_s,
                                   .grace_s = grace_s};
  BERTH_TRY(const Claims claims, verify_token(token, keys->verifying, expected));
  Identity out;
  out.credential = Credential::token;
  out.access = scopes_of(claims);
  out.valid_until_ms = (claims.expires + expected.leeway_s + grace_s) * 1000;
  if (claims.subject.empty()) return std::make_shared<const Identity>(std::move(out));
  BERTH_TRY(auto holder, deps_.store.peek([&](sql::Connection& db) -> Result<std::optional<Holder>> {
    BERTH_TRY(auto principal, meta::find_principal(db, claims.subject));
    if (!principal || principal->id != claims.principal) return std::nullopt;
    BERTH_TRY(const bool holds, rule_holds(db, deps_.trust, claims.rule, principal->id));
    if (!holds) return std::nullopt;
    Holder found{*std::move(principal), std::nullopt};
    if (claims.via == 0) return found;
    BERTH_TRY(found.secret, meta::find_token(db, claims.via));
    const bool is_theirs = found.secret && found.secret->principal == found.principal.id;
    // What goes on with something begun in time may outlive a secret that came to its own end, not one taken back.
    if (!is_theirs || !is_live(*found.secret, now_ms - grace_s * 1000)) return std::nullopt;
    BERTH_TRY(const auto makers, find_makers(db, *found.secret, now_ms - grace_s * 1000));
    if (!makers) return std::nullopt;
    found.makers_end_ms = makers->end_ms;
    return found;
  }));
  // A16: a token is worth what its account, and the secret or rule it was made by, are worth now.
  auto subject = holder ? subject_of(holder->principal, now_ms) : std::nullopt;
  if (!subject) return fail(Errc::unauthorized, "the account or the secret behind the token is not valid any more");
  out.subject = *std::move(subject);
  out.via = claims.via;
  out.trust_rule = claims.rule;
  if (holder->secret) out.narrowing = parse_narrowing(holder->secret->scope);
  if (grace_s == 0) out.valid_until_ms = std::min(out.valid_until_ms, end_of(*holder));
  return std::make_shared<const Identity>(std::move(out));
}

Result<IdentityPtr> Authenticator::check_external(std::string_view token, std::int64_t grace_s) const {
  auto found = deps_.external->check(token, deps_.clock.now_ms(), grace_s);
  if (found) return std::make_shared<const Identity>(*std::move(found));
  deps_.log.debug("auth.token_refused", {f("err", found.error().cause)});  // what who sets it up needs to know
  return fail(std::move(found).error());
}

IdentityPtr Authenticator::find_expired(std::string_view authorization, std::int64_t grace_ms) {
  const auto token = parse_bearer(authorization);
  if (!token) return nullptr;
  const std::int64_t grace_s = grace_ms / 1000;
  return (deps_.external != nullptr ? check_external(*token, grace_s) : check_token(*token, grace_s)).value_or(nullptr);
}

void Authenticator::note_use(const meta::TokenRow& row, const Subject& subject, std::string_view address) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  if (row.used_at_ms && now_ms - *row.used_at_ms < kUseNotedMs && row.used_from == address) return;
  note_sign_in(subject.name, subject, address, word_of(row.kind));
  deps_.store.write_later([id = row.id, now_ms, from = std::string(address)](sql::Connection& db) {
    return meta::note_token_use(db, id, now_ms, from);
  });
}

Result<IdentityPtr> Authenticator::refresh(std::string_view secret, std::string_view address) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  const auto refused = [] { return fail(Errc::unauthorized, "the refresh token is not valid; sign in again"); };
  if (parse_secret(secret) != SecretKind::refresh) return refused();
  BERTH_TRY(auto holder, deps_.store.peek([&](sql::Connection& db) -> Result<std::optional<Holder>> {
    BERTH_TRY(auto row, meta::find_token(db, secret_hash(secret)));
    if (!row || row->kind != meta::TokenKind::refresh || !is_live(*row, now_ms)) return std::nullopt;
    return holder_of(db, deps_.trust, *std::move(row), now_ms);
  }));
  auto subject = holder ? subject_of(holder->principal, now_ms) : std::nullopt;
  if (!subject) return refused();
  note_use(*holder->secret, *subject, address);
  Identity out;
  out.subject = *std::move(subject);
  out.credential = Credential::password;
  out.via = holder->secret->id;
  out.trust_rule = holder->secret->trust_rule;
  out.narrowing = parse_narrowing(holder->secret->scope);
  out.valid_until_ms = std::min(now_ms + kPasswordMs, end_of(*holder));
  return std::make_shared<const Identity>(std::move(out));
}

io::Task<Result<std::string>> Authenticator::make_refresh_token(IdentityPtr identity) {
  std::string secret = make_secret(SecretKind::refresh, deps_.random);
  meta::TokenRow row;
  row.principal = identity->subject.id;
  row.kind = meta::TokenKind::refresh;
  row.name = "docker login";
  row.scope = print_narrowing(identity->narrowing);  // A16
  row.trust_rule = identity->trust_rule;
  row.expires_at_ms = deps_.clock.now_ms() + (identity->trust_rule != 0 ? deps_.job_life_ms : kRefreshMs);
  const meta::Stamp stamp{deps_.clock.now_ms(), identity->subject.id};
  BERTH_CO_TRYV(co_await deps_.store.write(
      [row, stamp, identity, hash = secret_hash(secret)](sql::Connection& db) -> Result<meta::TokenId> {
        BERTH_TRYV(check_still_stands(db, *identity, stamp.at_ms));
        return meta::insert_bounded_token(db, row, hash, stamp);
      },
      {.touches = meta::Touches::nothing()}));
  co_return secret;
}

}  // namespace berth::auth
