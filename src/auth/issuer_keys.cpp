#include "auth/issuer_keys.h"

#include "base/json.h"

#include <algorithm>

namespace berth::auth {

namespace {

using json::Value;
using Kind = Value::Kind;

constexpr std::int64_t kFreshMs = 60LL * 60 * 1000;
constexpr std::int64_t kStaleMs = 24 * kFreshMs;     // how long keys are used that cannot be asked for anew
constexpr std::int64_t kAgainMs = 60LL * 1000;       // between two questions
constexpr std::int64_t kFirstAgainMs = 10LL * 1000;  // the same while there are no keys at all
constexpr std::int64_t kAgainMaxMs = 15LL * 60 * 1000;
constexpr std::size_t kIssuersMax = 1'000;
constexpr std::size_t kJwksBytesMax = 256 * 1024;  // the large providers' have 20 KB, certificates included
constexpr std::size_t kKeysMax = 100;
constexpr std::size_t kUrlBytesMax = 2048;
constexpr json::Limits kJsonLimits{.depth_max = 16, .elements_max = 20'000};

std::unexpected<Error> refuse(std::string why) { return fail(Errc::unavailable, std::move(why)); }

Result<Value> parse_object(std::string_view text, std::string_view what) {
  auto parsed = json::parse(text, kJsonLimits);
  if (!parsed) return refuse(std::string(what) + " is not JSON: " + parsed.error().message);
  if (!parsed->is(Kind::object)) return refuse(std::string(what) + " is no JSON object");
  return *std::move(parsed);
}

/// https://, or as unprotected as the issuer itself is; nothing that could be read in two ways.
bool is_askable(std::string_view url, std::string_view issuer) {
  const bool is_http = url.starts_with("http://") && issuer.starts_with("http://");
  const bool is_plain =
      std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f' && c != '@' && c != '\\' && c != '#'; });
  return (is_http || url.starts_with("https://")) && is_plain && url.size() <= kUrlBytesMax;
}

}  // namespace

std::string discovery_url(std::string_view issuer) {
  while (issuer.ends_with('/')) issuer.remove_suffix(1);
  return std::string(issuer) + "/.well-known/openid-configuration";
}

Result<Discovery> parse_discovery(std::string_view text, std::string_view issuer) {
  BERTH_TRY(const Value document, parse_object(text, "the discovery document"));
  if (document.text("issuer") != issuer) {
    return refuse("the discovery document is of another issuer, '" + document.text("issuer").substr(0, 200) + "'");
  }
  const auto address = [&](std::string_view name) {
    const std::string_view url = document.text(name);
    return is_askable(url, issuer) ? std::string(url) : std::string();
  };
  Discovery out;
  out.keys = address("jwks_uri");
  if (out.keys.empty()) return refuse("the discovery document names no address of keys that may be asked");
  out.authorization = address("authorization_endpoint");
  out.token = address("token_endpoint");
  out.userinfo = address("userinfo_endpoint");
  // Not said: Basic (OpenID Connect Discovery 1.0, 3).
  const Value* methods = document.find("token_endpoint_auth_methods_supported");
  if (methods != nullptr && methods->is(Kind::array)) {
    out.takes_basic = std::ranges::any_of(methods->array(), [](const Value& method) {
      return method.is(Kind::string) && method.string() == "client_secret_basic";
    });
  }
  return out;
}

Result<std::vector<crypto::VerifyKey>> parse_jwks(std::string_view text) {
  BERTH_TRY(const Value document, parse_object(text, "the key set"));
  const Value* keys = document.find("keys");
  if (keys == nullptr || !keys->is(Kind::array)) return refuse("the key set has no list of keys");
  if (keys->array().size() > kKeysMax) return refuse("the key set has too many keys");
  std::vector<crypto::VerifyKey> out;
  for (const Value& jwk : keys->array()) {
    if (!jwk.is(Kind::object)) continue;
    // Keys for other purposes, and kinds we do not know, stand beside those that are meant for us.
    if (auto key = crypto::VerifyKey::from_jwk(jwk)) out.push_back(*std::move(key));
  }
  if (out.empty()) return refuse("the key set has no key that could check a signature");
  return out;
}

IssuerKeys::IssuerPtr IssuerKeys::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = issuers_.find(name); found != issuers_.end()) return found->second;
  // More than rules ever name: of issuers whose rules are gone.
  if (issuers_.size() >= kIssuersMax) issuers_.clear();
  return issuers_[name] = std::make_shared<Issuer>();
}

IssuerKeys::KeysPtr IssuerKeys::known(const Issuer& issuer, std::string_view kid) const {
  const std::lock_guard lock(mutex_);
  if (!issuer.keys || std::ranges::find(*issuer.keys, kid, &crypto::VerifyKey::kid) == issuer.keys->end())
    return nullptr;
  const std::int64_t age_ms = deps_.clock.mono_ms() - issuer.fetched_ms;
  // While one asks, the others go on with what there was.
  return age_ms < (issuer.is_asked ? kStaleMs : kFreshMs) ? issuer.keys : nullptr;
}

bool IssuerKeys::begin_question(Issuer& issuer) const {
  const std::lock_guard lock(mutex_);
  if (issuer.not_before_ms && deps_.clock.mono_ms() < *issuer.not_before_ms) return false;
  issuer.is_asked = true;
  return true;
}

void IssuerKeys::end_question(Issuer& issuer, KeysPtr keys) const {
  const std::lock_guard lock(mutex_);
  issuer.is_asked = false;
  const std::int64_t now_ms = deps_.clock.mono_ms();  // the end: one that never answers takes its time
  issuer.failures = keys ? 0 : issuer.failures + 1;
  const std::int64_t wait_ms = (issuer.keys || keys ? kAgainMs : kFirstAgainMs)
                               << std::clamp(issuer.failures - 1, 0, 10);
  issuer.not_before_ms = now_ms + std::min(wait_ms, kAgainMaxMs);
  if (!keys) return;
  issuer.keys = std::move(keys);
  issuer.fetched_ms = now_ms;
}

Result<IssuerKeys::KeysPtr> IssuerKeys::leftovers(const Issuer& issuer, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  if (issuer.keys && deps_.clock.mono_ms() - issuer.fetched_ms < kStaleMs) return issuer.keys;
  return fail(Errc::unavailable, "the keys of " + name + " cannot be fetched now; the registry's log says why");
}

Result<IssuerKeys::KeysPtr> IssuerKeys::ask(const std::string& name) const {
  BERTH_TRY(const std::string document, deps_.fetch(discovery_url(name), kDiscoveryBytesMax));
  BERTH_TRY(const Discovery discovery, parse_discovery(document, name));
  BERTH_TRY(const std::string set, deps_.fetch(discovery.keys, kJwksBytesMax));
  BERTH_TRY(Keys keys, parse_jwks(set));
  return std::make_shared<const Keys>(std::move(keys));
}

io::Task<Result<IssuerKeys::KeysPtr>> IssuerKeys::keys(std::string name, std::string kid) {
  const IssuerPtr issuer = find(name);
  if (auto keys = known(*issuer, kid)) co_return keys;
  const io::AsyncMutex::Guard guard = co_await issuer->fetching.lock();
  if (auto keys = known(*issuer, kid)) co_return keys;  // by whoever held the lock before
  if (!begin_question(*issuer)) co_return leftovers(*issuer, name);
  auto asked = co_await io::offload(deps_.pool, [this, name] { return ask(name); });
  if (!asked) deps_.log.warn("issuer.keys_failed", {f("issuer", name), f("err", asked.error().message)});
  end_question(*issuer, asked.value_or(nullptr));
  co_return leftovers(*issuer, name);
}

}  // namespace berth::auth
