#include "auth/oidc.h"

#include "base/base64.h"
#include "crypto/hmac.h"
#include "http/target.h"

#include <algorithm>
#include <array>

namespace berth::auth {

namespace {

using json::Value;
using Kind = Value::Kind;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kCodeBytesMax = 4096;
constexpr std::int64_t kFreshMs = 60LL * 60 * 1000;
constexpr std::int64_t kAgainMs = 10LL * 1000;
constexpr json::Limits kJsonLimits{.depth_max = 16, .elements_max = 20'000};

std::unexpected<Error> refuse(std::string why) {
  return fail(Errc::denied, std::string(kSignInFailed), std::move(why));
}

/// The part of the cookie's secret that is for one purpose.
std::string derive(std::string_view secret, std::string_view purpose) {
  return encode_base64url(crypto::hmac_sha256(std::as_bytes(std::span(secret)), std::as_bytes(std::span(purpose))));
}

bool is_same(std::string_view a, std::string_view b) {
  return crypto::equal_in_constant_time(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

/// S256 (RFC 7636 4.2).
std::string challenge_of(std::string_view verifier) {
  return encode_base64url(crypto::sha256(std::as_bytes(std::span(verifier))));
}

void append_parameter(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty() && out.back() != '?' && out.back() != '&') out += '&';
  out.append(name).append("=").append(http::percent_encode(value));
}

/// The first that says something: providers differ in what they send.
std::string_view first_text(const Value& claims, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const std::string_view text = claims.text(name);
    if (!text.empty()) return text;
  }
  return {};
}

Result<Value> parse_claims(std::string_view text) {
  auto parsed = json::parse(text, kJsonLimits);
  if (!parsed || !parsed->is(Kind::object)) return refuse("the provider's answer is no JSON object");
  return *std::move(parsed);
}

}  // namespace

Result<TokenAnswer> parse_token_answer(std::string_view text) {
  BERTH_TRY(const Value answer, parse_claims(text));
  TokenAnswer out{answer.text("id_token"), answer.text("access_token")};
  if (out.id_token.empty()) return refuse("the provider's answer has no id_token; is the scope openid asked for?");
  return out;
}

std::optional<std::vector<std::string>> groups_of(const Value& claims, std::string_view claim) {
  const Value* member = claim.empty() ? nullptr : claims.find(claim);
  if (member == nullptr) return std::nullopt;
  std::vector<std::string> out;
  if (member->is(Kind::string)) out.push_back(member->string());
  if (member->is(Kind::array)) {
    for (const Value& group : member->array()) {
      if (group.is(Kind::string)) out.push_back(group.string());
    }
  }
  return out;
}

Result<ExternalPerson> person_of(const IdToken& token, const OidcSettings& settings, std::string_view nonce) {
  const Claims& claims = token.claims;
  const bool is_for_us = std::ranges::find(claims.audiences, settings.client_id) != claims.audiences.end();
  if (!is_for_us) return refuse("the ID token was made for another client");
  // OpenID Connect Core 1.0, 3.1.3.7: who else is named must not have been the one that asked for it.
  const Value* party = token.payload.find("azp");
  if (party != nullptr && token.payload.text("azp") != settings.client_id)
    return refuse("the ID token was asked for by another client (azp)");
  if (claims.audiences.size() > 1 && party == nullptr) return refuse("the ID token has several audiences and no azp");
  if (!is_same(token.payload.text("nonce"), nonce)) return refuse("the ID token is of another sign-in (nonce)");
  ExternalPerson out;
  out.issuer = settings.issuer;
  out.id = claims.subject;
  if (out.id.empty()) return refuse("the ID token names nobody (sub)");
  out.name = first_text(token.payload, {settings.name_claim, "preferred_username", "nickname", "email"});
  out.email = token.payload.text("email");
  out.display_name = token.payload.text("name");
  out.groups = groups_of(token.payload, settings.groups_claim);
  return out;
}

Oidc::ProviderPtr Oidc::fresh() const {
  const std::lock_guard lock(mutex_);
  if (!provider_) return nullptr;
  const std::int64_t now_ms = deps_.clock.mono_ms();
  // A provider that is away now is believed to be where it was.
  const bool was_tried = tried_ms_ && now_ms - *tried_ms_ < kAgainMs;
  return now_ms - fetched_ms_ < kFreshMs || was_tried ? provider_ : nullptr;
}

Result<Oidc::ProviderPtr> Oidc::discover() const {
  BERTH_TRY(const std::string text, deps_.ask({.url = discovery_url(settings_.issuer)}));
  BERTH_TRY(auto found, parse_discovery(text, settings_.issuer));
  if (found.authorization.empty() || found.token.empty())
    return fail(Errc::unavailable, "the discovery document lacks an authorization_endpoint or token_endpoint");
  return std::make_shared<const Discovery>(std::move(found));
}

io::Task<Result<Oidc::ProviderPtr>> Oidc::provider() {
  if (auto known = fresh()) co_return known;
  const io::AsyncMutex::Guard guard = co_await asking_.lock();
  if (auto known = fresh()) co_return known;
  const auto away = [] {
    return fail(Errc::unavailable, "the identity provider cannot be reached now; the registry's log says why");
  };
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now_ms = deps_.clock.mono_ms();
    if (tried_ms_ && now_ms - *tried_ms_ < kAgainMs) co_return away();
    tried_ms_ = now_ms;
  }
  auto found = co_await io::offload(deps_.pool, [this] { return discover(); });
  const std::lock_guard lock(mutex_);
  if (found) {
    provider_ = *found;
    fetched_ms_ = deps_.clock.mono_ms();
  } else {
    deps_.log.warn("oidc.discovery_failed", {f("issuer", settings_.issuer), f("err", found.error().message)});
  }
  if (provider_) co_return provider_;
  co_return away();
}

io::Task<Result<Oidc::Begun>> Oidc::begin(std::string back) {
  BERTH_CO_TRY(const ProviderPtr to, co_await provider());
  std::array<std::byte, kSecretBytes> drawn{};
  deps_.random.fill(drawn);
  Begun out;
  out.secret = encode_base64url(drawn);
  out.url = to->authorization + (to->authorization.contains('?') ? "&" : "?");
  append_parameter(out.url, "response_type", "code");
  append_parameter(out.url, "client_id", settings_.client_id);
  append_parameter(out.url, "redirect_uri", back);
  append_parameter(out.url, "scope", settings_.scopes);
  append_parameter(out.url, "state", derive(out.secret, "state"));
  append_parameter(out.url, "nonce", derive(out.secret, "nonce"));
  append_parameter(out.url, "code_challenge", challenge_of(derive(out.secret, "verifier")));
  append_parameter(out.url, "code_challenge_method", "S256");
  co_return out;
}

Result<std::string> Oidc::exchange(const Discovery& provider, const Returned& returned) const {
  Question question;
  question.url = provider.token;
  append_parameter(question.form, "grant_type", "authorization_code");
  append_parameter(question.form, "code", returned.code);
  append_parameter(question.form, "redirect_uri", returned.back);
  append_parameter(question.form, "code_verifier", derive(returned.secret, "verifier"));
  if (settings_.client_secret.empty() || !provider.takes_basic)
    append_parameter(question.form, "client_id", settings_.client_id);
  if (!settings_.client_secret.empty() && !provider.takes_basic)
    append_parameter(question.form, "client_secret", settings_.client_secret);
  if (!settings_.client_secret.empty() && provider.takes_basic) {  // RFC 6749 2.3.1: encoded before it is Basic
    question.user = http::percent_encode(settings_.client_id);
    question.secret = http::percent_encode(settings_.client_secret);
  }
  return deps_.ask(question);
}

Result<std::optional<std::vector<std::string>>> Oidc::ask_for_groups(const Discovery& provider,
                                                                     const std::string& token,
                                                                     std::string_view subject) const {
  // Not said is none: a group that was left must not live on because the claim went with it.
  std::optional<std::vector<std::string>> none = std::vector<std::string>();
  if (provider.userinfo.empty() || token.empty()) return none;
  BERTH_TRY(const std::string text, deps_.ask({.url = provider.userinfo, .bearer = token}));
  BERTH_TRY(const Value claims, parse_claims(text));
  if (claims.text("sub") != subject) return refuse("the userinfo endpoint speaks of somebody else");
  auto groups = groups_of(claims, settings_.groups_claim);
  return groups ? std::move(groups) : none;
}

bool Oidc::is_answer_to(std::string_view secret, std::string_view state) {
  return !secret.empty() && is_same(state, derive(secret, "state"));
}

io::Task<Result<ExternalPerson>> Oidc::finish(Returned returned) {
  if (!is_answer_to(returned.secret, returned.state)) co_return refuse("the state is not of this browser's cookie");
  if (!returned.issuer.empty() && returned.issuer != settings_.issuer)
    co_return refuse("the answer is another issuer's");
  if (returned.code.empty() || returned.code.size() > kCodeBytesMax) co_return refuse("there is no code");
  BERTH_CO_TRY(const ProviderPtr from, co_await provider());
  BERTH_CO_TRY(const auto answer, co_await io::offload(deps_.pool, [this, from, returned]() -> Result<TokenAnswer> {
                 BERTH_TRY(const std::string text, exchange(*from, returned));
                 return parse_token_answer(text);
               }));
  const auto hint = peek_token(answer.id_token);
  if (!hint) co_return refuse("the ID token cannot be read: " + hint.error().cause);
  if (hint->issuer != settings_.issuer) co_return refuse("the ID token is another issuer's");
  BERTH_CO_TRY(const auto keys, co_await deps_.issuers.keys(settings_.issuer, hint->kid));
  const auto token = verify_id_token(
      answer.id_token, *keys,
      {.issuer = settings_.issuer, .audience = {}, .now_ms = deps_.clock.now_ms(), .leeway_s = deps_.leeway_s});
  if (!token) co_return refuse("the ID token is not good: " + token.error().cause);
  BERTH_CO_TRY(auto person, person_of(*token, settings_, derive(returned.secret, "nonce")));
  if (!person.groups && !settings_.groups_claim.empty()) {
    BERTH_CO_TRY(person.groups,
                 co_await io::offload(deps_.pool, [this, from, token = answer.access_token, subject = person.id] {
                   return ask_for_groups(*from, token, subject);
                 }));
  }
  co_return person;
}

}  // namespace berth::auth
