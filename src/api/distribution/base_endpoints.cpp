// The root of the API and what the registry can do beyond the specification (E1).

#include "api/distribution/endpoints.h"
#include "api/distribution/replies.h"
#include "api/gate.h"

namespace berth::api {

namespace {

// Berth has no extension of its own yet; discovery itself is the one there is.
constexpr std::string_view kExtensions =
    R"({"extensions":[{"name":"_oci","description":"extension discovery","url":"https://github.com/opencontainers/distribution-spec/tree/main/extensions","endpoints":["_oci/ext/discover"]}]})";

io::Task<Result<void>> send_json(http::Exchange& exchange, std::string body) {
  auto head = reply(200);
  head.add("Content-Type", "application/json");
  co_return co_await exchange.send(std::move(head), std::move(body));
}

}  // namespace

io::Task<Result<void>> get_base(Context&, http::Exchange& exchange) { co_return co_await send_json(exchange, "{}"); }

io::Task<Result<void>> get_extensions(Context&, http::Exchange& exchange) {
  co_return co_await send_json(exchange, std::string(kExtensions));
}

io::Task<Result<void>> get_repo_extensions(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRYV(repo_of(context.route));
  co_return co_await send_json(exchange, std::string(kExtensions));
}

}  // namespace berth::api
