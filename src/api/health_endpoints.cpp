#include "api/health_endpoints.h"

#include "base/json_text.h"

namespace berth::api {

namespace {

http::Response fresh(int status, std::string_view media_type) {
  http::Response head{.status = status, .reason = {}, .field_lines = {}};
  head.add("Content-Type", media_type);
  head.add_lines({"\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store"});
  return head;
}

}  // namespace

io::Task<Result<void>> get_health(Context&, http::Exchange& exchange) {
  co_return co_await exchange.send(fresh(200, "application/json"), R"({"status":"ok"})");
}

io::Task<Result<void>> get_ready(Context& context, http::Exchange& exchange) {
  const std::vector<std::string> problems = context.services.problems();
  if (problems.empty()) co_return co_await exchange.send(fresh(200, "application/json"), R"({"status":"ready"})");
  std::string body = R"({"status":"not ready","problems":[)";
  for (const std::string& problem : problems) {
    if (&problem != &problems.front()) body += ',';
    append_json_string(body, problem);
  }
  body += "]}";
  auto head = fresh(503, "application/json");
  head.add("Retry-After", "5");
  co_return co_await exchange.send(std::move(head), std::move(body));
}

io::Task<Result<void>> get_metrics(Context& context, http::Exchange& exchange) {
  if (context.services.face == Face::registry) co_return fail(Errc::route_unknown, "no such endpoint");
  co_return co_await exchange.send(fresh(200, "text/plain; version=0.0.4; charset=utf-8"),
                                   context.services.metrics.text());
}

}  // namespace berth::api
