#include "api/server_handler.h"

#include "api/distribution/endpoints.h"
#include "api/error_response.h"
#include "api/gate.h"

namespace berth::api {

io::Task<void> ServerHandler::handle(http::Exchange& exchange) {
  const std::int64_t began = services_.clock.mono_ms();
  const auto done = co_await dispatch(exchange);
  if (!done && !exchange.answered()) {
    const Error& error = done.error();
    auto [head, body] = error_response(error);
    // 503 is an answer to the state of things, which has its own lines; 500 is somebody's work.
    if (head.status >= 500) {
      const LogLevel level = head.status == 503 ? LogLevel::warn : LogLevel::error;
      services_.log.write(level, "request.failed",
                          {f("method", exchange.request().method_text), f("path", exchange.request().path),
                           f("status", head.status), f("code", to_string(error.code)), f("err", error.cause)});
    }
    (void)co_await exchange.send(std::move(head), std::move(body));
  }
  if (services_.log.enabled(LogLevel::debug)) {
    services_.log.debug("http.request", {f("peer", exchange.peer()), f("method", exchange.request().method_text),
                                         f("path", exchange.request().path), f("status", exchange.status()),
                                         f("ms", services_.clock.mono_ms() - began)});
  }
}

io::Task<Result<void>> ServerHandler::dispatch(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  BERTH_CO_TRY(auto route, match_route(request.path));
  Context context{services_, std::move(route)};
  BERTH_CO_TRYV(admit(context, request));
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
  }
  co_return fail(Errc::internal, {}, "endpoint without a handler");
}

}  // namespace berth::api
