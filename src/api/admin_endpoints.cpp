#include "api/admin_endpoints.h"

#include "api/caller_limits.h"
#include "api/certificate_access.h"
#include "api/pages/pages.h"
#include "auth/secret.h"
#include "http/networks.h"

namespace berth::api {

namespace {

constexpr std::size_t kBodyBytesMax = 1024 * 1024;

io::Task<Result<void>> send_reply(http::Exchange& exchange, AdminReply reply) {
  http::Response head{.status = reply.status, .reason = {}, .field_lines = {}};
  head.add_lines({"\r\nX-Content-Type-Options: nosniff"});
  head.add("Cache-Control", reply.cache_control);
  const bool has_body = reply.status != 204 && reply.status != 304;
  if (has_body) head.add("Content-Type", reply.content_type);
  if (!reply.etag.empty()) head.add("ETag", reply.etag);
  if (!reply.location.empty()) head.add("Location", reply.location);
  if (!reply.link.empty()) head.add("Link", reply.link);
  if (reply.status == 401) head.add("WWW-Authenticate", "Basic realm=\"Berth\"");
  if (reply.status == 429 || reply.status == 503)
    head.add("Retry-After", std::to_string(reply.retry_after_s == 0 ? 5 : reply.retry_after_s));
  if (!reply.rate_limit.empty()) {
    head.add("RateLimit", reply.rate_limit);
    head.add("RateLimit-Policy", reply.rate_limit_policy);
  }
  if (!reply.request_id.empty()) head.add("X-Request-Id", reply.request_id);
  if (reply.is_replay) head.add("Idempotency-Replayed", "true");
  if (!reply.allow.empty()) head.add("Allow", reply.allow);
  co_return co_await exchange.send(std::move(head), std::move(reply.body));
}

/// Passwords and secrets. A token of /token was made for a repository and must not become more (A16); a refresh token
/// stands for the sign-in it came from.
io::Task<Result<auth::IdentityPtr>> identify(Context& context, http::Exchange& exchange, std::string address) {
  auth::Authenticator& authenticator = context.services.auth.authenticator;
  std::string authorization = exchange.request().joined("Authorization");
  if (authorization.empty()) co_return identify_by_certificate(context.services, exchange, address);
  if (const auto token = auth::parse_bearer(authorization)) {
    const auto kind = auth::parse_secret(*token);
    if (!kind)
      co_return fail(Errc::unauthorized,
                     "tokens of the registry are not for its administration; use a password or a personal token");
    if (*kind == auth::SecretKind::refresh) co_return authenticator.refresh(*token, address);
  }
  co_return co_await authenticator.authenticate(std::move(authorization), std::move(address));
}

/// A browser that is signed in. What it reads must have been asked for by a page of ours, and what it changes by one
/// that knows the session's token besides: a cookie comes along whoever asks.
Result<auth::IdentityPtr> session_of(const Context& context, const http::Exchange& exchange, const std::string& cookie,
                                     std::string_view address) {
  const http::Request& request = exchange.request();
  if (is_same_origin(request) != true)
    return fail(Errc::unauthorized, "the session of a browser counts for pages of this registry only");
  BERTH_TRY(auto session, context.services.auth.browser.sessions.find(cookie, address));
  if (!session) return fail(Errc::unauthorized, "the session is over; sign in again");
  const bool reads = request.method == http::Method::get || request.method == http::Method::head;
  if (!reads && !auth::is_form_token(request.joined("X-CSRF-Token"), cookie))
    return fail(Errc::unauthorized, "X-CSRF-Token is missing, or of another session");
  return session;
}

io::Task<Result<auth::IdentityPtr>> identify_caller(Context& context, http::Exchange& exchange, std::string address) {
  const bool has_credentials = exchange.request().find("Authorization").has_value();
  const std::string cookie = !has_credentials ? session_cookie(context.services, exchange) : std::string();
  auto found =
      cookie.empty() ? co_await identify(context, exchange, address) : session_of(context, exchange, cookie, address);
  co_return found_or_charged(context, std::move(found));
}

}  // namespace

io::Task<Result<void>> serve_admin(Context& context, http::Exchange& exchange, std::string request_id) {
  const http::Request& http_request = exchange.request();
  AdminRequest request;
  request.method = http_request.method;
  request.path = http_request.path.substr(kAdminPrefix.size());
  request.query = http_request.query;
  request.if_match = http_request.joined("If-Match");
  request.content_type = http_request.joined("Content-Type");
  request.if_none_match = http_request.joined("If-None-Match");
  if (http_request.find("Idempotency-Key")) request.idempotency_key = http_request.joined("Idempotency-Key");
  request.address = http::client_address(http_request, exchange.peer(), context.services.auth.trusted_proxies);
  if (context.services.auth.mode == AuthMode::external) {
    const Error error(Errc::route_unknown, "there is nothing to administer: rights come from an external token server");
    co_return co_await send_reply(exchange, problem(error, request_id, request.path));
  }
  auto identity = co_await identify_caller(context, exchange, request.address);
  if (!identity) co_return co_await send_reply(exchange, problem(identity.error(), request_id, request.path));
  context.identity = *identity;  // for the access log
  if (const auto taken = take_request(context, identity->get()); !taken)
    co_return co_await send_reply(exchange, problem(taken.error(), request_id, request.path));
  if (http_request.has_body()) {
    auto body = co_await exchange.read_body(kBodyBytesMax, Errc::body_too_large);
    if (!body) co_return co_await send_reply(exchange, problem(body.error(), request_id, request.path));
    request.body = *std::move(body);
    // Once more (A16): who sends slowly chooses how long ago it was that he was asked for his credentials.
    identity = co_await identify_caller(context, exchange, request.address);
    if (!identity) co_return co_await send_reply(exchange, problem(identity.error(), request_id, request.path));
    context.identity = *identity;
  }
  auto reply = co_await context.services.admin.handle(**identity, request, std::move(request_id));
  co_return co_await send_reply(exchange, std::move(reply));
}

}  // namespace berth::api
