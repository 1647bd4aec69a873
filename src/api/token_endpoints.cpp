#include "api/token_endpoints.h"

#include "api/caller_limits.h"
#include "api/certificate_access.h"
#include "api/device_grant.h"
#include "api/distribution/replies.h"
#include "auth/jwt.h"
#include "base/json_text.h"
#include "http/networks.h"
#include "http/target.h"

namespace berth::api {

namespace {

constexpr std::string_view kExchange = "urn:ietf:params:oauth:grant-type:token-exchange";  // RFC 8693
constexpr std::string_view kAccessToken = "urn:ietf:params:oauth:token-type:access_token";
constexpr std::string_view kIdToken = "urn:ietf:params:oauth:token-type:id_token";
constexpr std::string_view kJwt = "urn:ietf:params:oauth:token-type:jwt";

/// A8: a token for another registry's name would be of no use; without one it is ours.
Result<void> check_service(const Context& context, const http::Query& form) {
  BERTH_TRY(const auto service, form.single("service"));
  if (!service || service->empty() || *service == context.services.auth.authenticator.service()) return {};
  return fail(Errc::parameter_invalid,
              "this is the token service of " + context.services.auth.authenticator.service() + ", not of " + *service);
}

struct Asked {
  std::vector<auth::Scope> scopes;
  bool wants_refresh = false;
  bool is_exchange = false;
};

std::vector<auth::Scope> scopes_of(const Context& context, const http::Query& form) {
  return auth::parse_scopes(form.all("scope"), context.services.limits.token_scopes_max);
}

io::Task<Result<void>> send_token(Context& context, http::Exchange& exchange, auth::IdentityPtr identity, Asked asked) {
  const Auth& auth = context.services.auth;
  BERTH_CO_TRYV(take_request(context, identity.get()));
  BERTH_CO_TRY(const auto issued, auth.tokens.issue(*identity, asked.scopes));
  std::string body = R"({"token":)";
  append_json_string(body, issued.text);
  append_json_member(body, "access_token", issued.text);
  append_json_member(body, "expires_in", static_cast<std::uint64_t>(issued.expires_in_s));
  if (exchange.request().method == http::Method::post) append_json_member(body, "scope", issued.scope);
  if (asked.is_exchange) {  // RFC 8693 2.2.1
    append_json_member(body, "issued_token_type", kAccessToken);
    append_json_member(body, "token_type", std::string_view("Bearer"));
  }
  // Only to a password, and for an hour to a job: what was made from a secret or a certificate must end with it.
  const bool is_first = identity->credential == auth::Credential::password && identity->via == 0;
  if (asked.wants_refresh && is_first) {
    BERTH_CO_TRY(const auto secret, co_await auth.authenticator.make_refresh_token(identity));
    append_json_member(body, "refresh_token", secret);
  }
  body += '}';
  auto head = reply(200);
  head.add("Content-Type", "application/json");
  head.add_lines({"\r\nCache-Control: no-store"});
  co_return co_await exchange.send(std::move(head), std::move(body));
}

std::unexpected<Error> grant_unknown() {
  return fail(Errc::parameter_invalid, "grant_type must be password, refresh_token, " + std::string(kExchange) +
                                           " or " + std::string(kDeviceGrant));
}

/// What a token exchange brings: an ID token, and in client_id, where it is given, the robot that is meant.
Result<auth::NameAndSecret> brought(const http::Query& form) {
  BERTH_TRY(const auto token, form.single("subject_token"));
  BERTH_TRY(const auto type, form.single("subject_token_type"));
  BERTH_TRY(const auto wanted, form.single("requested_token_type"));
  BERTH_TRY(const auto robot, form.single("client_id"));
  if (type != kIdToken && type != kJwt) {
    return fail(Errc::parameter_invalid,
                "subject_token_type must be " + std::string(kIdToken) + " or " + std::string(kJwt));
  }
  if (wanted && *wanted != kAccessToken && *wanted != kJwt)
    return fail(Errc::parameter_invalid, "requested_token_type must be " + std::string(kAccessToken));
  if (form.has("actor_token")) return fail(Errc::parameter_invalid, "nobody can act for another here");
  if (!token || !auth::looks_like_token(*token)) return fail(Errc::unauthorized, "subject_token is no ID token");
  return auth::NameAndSecret{robot.value_or("token"), *token};
}

}  // namespace

io::Task<Result<void>> get_token(Context& context, http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  BERTH_CO_TRY(const auto query, http::Query::parse(request.query));
  BERTH_CO_TRYV(check_service(context, query));
  const std::string authorization = request.joined("Authorization");
  auth::Authenticator& authenticator = context.services.auth.authenticator;
  // A token buys no other token: it would live for ever.
  if (auth::parse_bearer(authorization)) co_return fail(Errc::unauthorized, "Basic credentials are needed here");
  const std::string address = http::client_address(request, exchange.peer(), context.services.auth.trusted_proxies);
  auto found = authorization.empty() ? identify_by_certificate(context.services, exchange, address)
                                     : co_await authenticator.authenticate(authorization, address);
  BERTH_CO_TRY(auto identity, found_or_charged(context, std::move(found)));
  BERTH_CO_TRY(const auto offline, query.single("offline_token"));
  co_return co_await send_token(context, exchange, std::move(identity),
                                {.scopes = scopes_of(context, query), .wants_refresh = offline == "true"});
}

io::Task<Result<void>> post_token(Context& context, http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  BERTH_CO_TRY(const auto body,
               co_await exchange.read_body(context.services.limits.token_form_bytes_max, Errc::body_too_large));
  BERTH_CO_TRY(const auto form, http::Query::parse(body));
  BERTH_CO_TRYV(check_service(context, form));
  BERTH_CO_TRY(const auto grant, form.single("grant_type"));
  auth::Authenticator& authenticator = context.services.auth.authenticator;
  auth::IdentityPtr identity;
  const std::string address = http::client_address(request, exchange.peer(), context.services.auth.trusted_proxies);
  Asked asked{.scopes = scopes_of(context, form)};
  if (grant == "password") {
    BERTH_CO_TRY(const auto name, form.single("username"));
    BERTH_CO_TRY(const auto password, form.single("password"));
    auth::NameAndSecret given{name.value_or(""), password.value_or("")};
    const bool has_none = given.name.empty() && given.secret.empty() && !request.find("Authorization");
    auto found = has_none ? identify_by_certificate(context.services, exchange, address)
                          : co_await authenticator.authenticate(std::move(given), address);
    BERTH_CO_TRY(identity, found_or_charged(context, std::move(found)));
    BERTH_CO_TRY(const auto access_type, form.single("access_type"));
    asked.wants_refresh = access_type == "offline";
  } else if (grant == "refresh_token") {
    BERTH_CO_TRY(const auto secret, form.single("refresh_token"));
    BERTH_CO_TRY(identity, found_or_charged(context, authenticator.refresh(secret.value_or(""), address)));
  } else if (grant == kExchange) {
    BERTH_CO_TRY(auto given, brought(form));
    BERTH_CO_TRY(identity, found_or_charged(context, co_await authenticator.sign_in(std::move(given), address)));
    asked.is_exchange = true;
  } else if (grant == kDeviceGrant) {
    co_return co_await answer_device_grant(context, exchange, form);
  } else {
    co_return grant_unknown();
  }
  co_return co_await send_token(context, exchange, std::move(identity), std::move(asked));
}

io::Task<Result<void>> get_jwks(Context& context, http::Exchange& exchange) {
  auto head = reply(200);
  head.add("Content-Type", "application/json");
  head.add_lines({"\r\nCache-Control: public, max-age=300"});
  co_return co_await exchange.send(std::move(head), context.services.auth.keys.jwks());
}

}  // namespace berth::api
