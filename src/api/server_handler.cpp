#include "api/server_handler.h"

#include "api/admin_endpoints.h"
#include "api/caller_limits.h"
#include "api/device_grant.h"
#include "api/distribution/endpoints.h"
#include "api/error_response.h"
#include "api/gate.h"
#include "api/health_endpoints.h"
#include "api/pages/pages.h"
#include "api/request_observer.h"
#include "api/setup_page.h"
#include "api/token_endpoints.h"
#include "http/networks.h"

namespace berth::api {

io::Task<void> ServerHandler::handle(http::Exchange& exchange) {
  RequestObserver& observer = services_.observer;
  RequestObserver::Seen seen = observer.begin();
  const bool goes_the_long_way = services_.face == Face::operator_only || services_.budgets.is_on();
  const auto at_hand = goes_the_long_way ? std::nullopt : find_manifest_at_hand(services_, exchange);
  if (at_hand) {  // what is asked for most: without a coroutine
    seen.endpoint = Endpoint::manifest;
    seen.identity = at_hand->identity;
    const auto is_sent = exchange.begin_send(at_hand->head, at_hand->body ? at_hand->body->bytes : std::string_view());
    if (is_sent && !*is_sent) (void)co_await exchange.finish_send();
    observer.end(seen, exchange);
    co_return;
  }
  const auto done = co_await dispatch(exchange, seen);
  if (!done && !exchange.answered()) {
    const Error& error = done.error();
    auto [head, body] = error_response(error);
    const std::string id = observer.request_id(seen, exchange);
    head.add("X-Request-Id", id);  // what a user can quote, `berth explain` look up, and the operator find
    // 503 is an answer to the state of things, which has its own lines; 500 is somebody's work.
    if (head.status >= 500) {
      const LogLevel level = head.status == 503 ? LogLevel::warn : LogLevel::error;
      services_.log.write(level, "request.failed",
                          {f("req", id), f("method", exchange.request().method_text),
                           f("path", loggable_path(exchange.request().path, seen.endpoint)), f("status", head.status),
                           f("code", to_string(error.code)), f("err", error.cause)});
    }
    (void)co_await exchange.send(std::move(head), std::move(body));
  }
  if (seen.payer != 0) {
    const auto traffic = exchange.traffic();
    services_.budgets.spend(seen.payer, traffic.received_bytes + traffic.sent_bytes);
  }
  observer.end(seen, exchange);
}

/// Fills seen.endpoint once the route is known.  borrows: seen is of the awaiting frame.
io::Task<Result<void>> ServerHandler::dispatch(http::Exchange& exchange, RequestObserver::Seen& seen) {
  const http::Request& request = exchange.request();
  Context context{services_, Route(), seen.payer};
  if (auto route = match_route(request.path)) {  // gone before anything waits: frames beyond a kilobyte are not reused
    context.route = *std::move(route);
  } else {
    co_return fail(std::move(route).error());
  }
  if (services_.face == Face::operator_only && !is_operators(context.route.endpoint))
    co_return fail(Errc::route_unknown, "no such endpoint: this address is for the operator");
  seen.endpoint = context.route.endpoint;
  const bool has_accounts = services_.auth.directory.has_accounts();
  if (has_accounts || limits_callers(services_))
    context.address = http::client_address(request, exchange.peer(), services_.auth.trusted_proxies);
  if (has_accounts) context.request_id = services_.observer.request_id(seen, exchange);
  auto admitted = admit_at_once(context, exchange);
  if (!admitted) admitted = co_await admit(context, exchange);
  seen.identity = context.identity;
  BERTH_CO_TRYV(*std::move(admitted));
  switch (context.route.endpoint) {
    case Endpoint::base: co_return co_await get_base(context, exchange);
    case Endpoint::catalog: co_return co_await get_catalog(context, exchange);
    case Endpoint::extensions: co_return co_await get_extensions(context, exchange);
    case Endpoint::repo_extensions: co_return co_await get_repo_extensions(context, exchange);
    case Endpoint::tags: co_return co_await get_tags(context, exchange);
    case Endpoint::referrers: co_return co_await get_referrers(context, exchange);
    case Endpoint::upload_start: co_return co_await start_upload(context, exchange);
    case Endpoint::blob:
      if (request.method == http::Method::delete_) co_return co_await delete_blob(context, exchange);
      co_return co_await get_blob(context, exchange);
    case Endpoint::manifest:
      if (request.method == http::Method::put) co_return co_await put_manifest(context, exchange);
      if (request.method == http::Method::delete_) co_return co_await delete_manifest(context, exchange);
      co_return co_await get_manifest(context, exchange);
    case Endpoint::upload_session:
      if (request.method == http::Method::patch) co_return co_await append_upload(context, exchange);
      if (request.method == http::Method::put) co_return co_await finish_upload(context, exchange);
      if (request.method == http::Method::delete_) co_return co_await cancel_upload(context, exchange);
      co_return co_await get_upload(context, exchange);
    default: co_return co_await serve_others(context, exchange, seen);
  }
}

/// What is around the protocol, in a frame of its own: the hot requests should not pay for what these need.
// borrows: seen is of the awaiting frame
io::Task<Result<void>> ServerHandler::serve_others(Context& context, http::Exchange& exchange,
                                                   RequestObserver::Seen& seen) {
  const http::Request& request = exchange.request();
  switch (context.route.endpoint) {
    case Endpoint::token:
      if (!services_.auth.directory.has_accounts()) co_return fail(Errc::route_unknown, "there are no accounts yet");
      if (request.method == http::Method::post) co_return co_await post_token(context, exchange);
      co_return co_await get_token(context, exchange);
    case Endpoint::jwks: co_return co_await get_jwks(context, exchange);
    case Endpoint::device_code:
      if (!services_.auth.directory.has_accounts()) co_return fail(Errc::route_unknown, "there are no accounts yet");
      co_return co_await begin_device_sign_in(context, exchange);
    case Endpoint::setup: co_return co_await get_setup(context, exchange);
    case Endpoint::page:
      co_return co_await serve_page(context, exchange, services_.observer.request_id(seen, exchange));
    case Endpoint::admin: {
      auto done = co_await serve_admin(context, exchange, services_.observer.request_id(seen, exchange));
      seen.identity = context.identity;
      co_return done;
    }
    case Endpoint::health: co_return co_await get_health(context, exchange);
    case Endpoint::ready: co_return co_await get_ready(context, exchange);
    case Endpoint::metrics: co_return co_await get_metrics(context, exchange);
    default: co_return fail(Errc::internal, {}, "endpoint without a handler");
  }
}

}  // namespace berth::api
