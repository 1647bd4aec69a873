#include "api/token_endpoints.h"

#include "api/distribution/replies.h"
#include "base/json_text.h"
#include "http/networks.h"
#include "http/target.h"

namespace berth::api {

namespace {

constexpr std::size_t kFormBytesMax = 64 * 1024;  // A7

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
};

io::Task<Result<void>> send_token(Context& context, http::Exchange& exchange, auth::IdentityPtr identity, Asked asked) {
  const Auth& auth = context.services.auth;
  BERTH_CO_TRY(const auto issued, auth.tokens.issue(*identity, asked.scopes));
  std::string body = R"({"token":)";
  append_json_string(body, issued.text);
  append_json_member(body, "access_token", issued.text);
  append_json_member(body, "expires_in", static_cast<std::uint64_t>(issued.expires_in_s));
  if (exchange.request().method == http::Method::post) append_json_member(body, "scope", issued.scope);
  // Only to a password: what was made from a secret must end with it.
  if (asked.wants_refresh && !identity->is_anonymous() && identity->via == 0) {
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
  return fail(Errc::parameter_invalid, "grant_type must be password or refresh_token");
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
  BERTH_CO_TRY(auto identity, co_await authenticator.authenticate(
                                  authorization, http::client_address(request, exchange.peer(),
                                                                      context.services.auth.trusted_proxies)));
  BERTH_CO_TRY(const auto offline, query.single("offline_token"));
  co_return co_await send_token(context, exchange, std::move(identity),
                                {auth::parse_scopes(query.all("scope")), offline == "true"});
}

io::Task<Result<void>> post_token(Context& context, http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  BERTH_CO_TRY(const auto body, co_await exchange.read_body(kFormBytesMax, Errc::body_too_large));
  BERTH_CO_TRY(const auto form, http::Query::parse(body));
  BERTH_CO_TRYV(check_service(context, form));
  BERTH_CO_TRY(const auto grant, form.single("grant_type"));
  auth::Authenticator& authenticator = context.services.auth.authenticator;
  auth::IdentityPtr identity;
  Asked asked{auth::parse_scopes(form.all("scope")), false};
  if (grant == "password") {
    BERTH_CO_TRY(const auto name, form.single("username"));
    BERTH_CO_TRY(const auto password, form.single("password"));
    const std::string address = http::client_address(request, exchange.peer(), context.services.auth.trusted_proxies);
    BERTH_CO_TRY(identity, co_await authenticator.sign_in({name.value_or(""), password.value_or("")}, address));
    BERTH_CO_TRY(const auto access_type, form.single("access_type"));
    asked.wants_refresh = access_type == "offline";
  } else if (grant == "refresh_token") {
    BERTH_CO_TRY(const auto secret, form.single("refresh_token"));
    BERTH_CO_TRY(identity, authenticator.refresh(secret.value_or("")));
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
