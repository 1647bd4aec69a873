#include "api/request_observer.h"

#include "base/human_text.h"
#include "base/json_text.h"
#include "http/chars.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace berth::api {

namespace {

constexpr std::array kKnownStatuses = {200, 201, 202, 204, 206, 303, 304, 307, 400, 401, 403, 404, 405,
                                       408, 409, 412, 413, 414, 416, 429, 431, 500, 502, 503, 504};
constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kAgentBytesMax = 120;
constexpr std::size_t kSessionIdShown = 8;

std::string_view method_label(http::Method method) {
  switch (method) {
    case http::Method::get: return "GET";
    case http::Method::head: return "HEAD";
    case http::Method::post: return "POST";
    case http::Method::put: return "PUT";
    case http::Method::patch: return "PATCH";
    case http::Method::delete_: return "DELETE";
    case http::Method::options: return "OPTIONS";
    case http::Method::other: break;
  }
  return "other";
}

std::string_view route_label(std::size_t route) {
  return route < kEndpointCount ? to_string(static_cast<Endpoint>(route)) : "none";
}

std::size_t route_index(std::optional<Endpoint> endpoint) {
  return endpoint ? static_cast<std::size_t>(*endpoint) : kEndpointCount;
}

/// "2026-11-25T08:30:01.123Z", or "08:30:01.123" of the local day.
std::string time_text(std::int64_t now_ms, LogFormat format) {
  const auto second = static_cast<std::time_t>(now_ms / 1000);
  std::tm parts{};
  if (format == LogFormat::json) {
    ::gmtime_r(&second, &parts);
  } else {
    ::localtime_r(&second, &parts);
  }
  std::array<char, 64> text{};
  std::size_t length =
      std::strftime(text.data(), text.size(), format == LogFormat::json ? "%Y-%m-%dT%H:%M:%S." : "%H:%M:%S.", &parts);
  std::string out(text.data(), length);
  const std::string ms = std::to_string(now_ms % 1000);
  out.append(3 - ms.size(), '0').append(ms);
  if (format == LogFormat::json) out += 'Z';
  return out;
}

std::string duration_text(std::int64_t us) {
  std::string text = std::to_string(static_cast<double>(us) / 1000);
  text.resize(text.find('.') + 2);
  return text + " ms";
}

bool is_sane_id(std::string_view text) { return !text.empty() && text.size() <= kIdBytesMax && http::is_token(text); }

}  // namespace

std::string loggable_path(std::string_view path, std::optional<Endpoint> endpoint) {
  if (endpoint != Endpoint::upload_session) return std::string(path);
  const std::size_t id = path.rfind('/') + 1;
  return std::string(path.substr(0, id + kSessionIdShown)) + (path.size() > id + kSessionIdShown ? "..." : "");
}

RequestObserver::RequestObserver(Deps deps)
    : deps_(deps),
      id_prefix_(deps.random.hex(4) + "-"),
      received_bytes_(deps.metrics.counter("berth_http_received_bytes_total", "Bytes of requests, heads included.")),
      sent_bytes_(deps.metrics.counter("berth_http_sent_bytes_total", "Bytes of answers, heads included.")) {
  for (std::size_t route = 0; route <= kEndpointCount; ++route) {
    durations_[route] = &deps_.metrics.histogram("berth_http_request_duration_seconds",
                                                 "From the head of a request to the last byte of its answer.",
                                                 {{"route", std::string(route_label(route))}});
  }
}

metrics::Counter& RequestObserver::requests(std::size_t route, http::Method method, int status) {
  const auto known = std::ranges::find(kKnownStatuses, status);
  const auto index = static_cast<std::size_t>(known - kKnownStatuses.begin());
  auto& slot = counters_[route][static_cast<std::size_t>(method)][index];
  if (metrics::Counter* counter = slot.load(std::memory_order_acquire)) return *counter;
  const std::lock_guard lock(mutex_);
  metrics::Counter* counter = slot.load();
  if (counter == nullptr) {
    counter = &deps_.metrics.counter("berth_http_requests_total", "Requests answered.",
                                     {{"route", std::string(route_label(route))},
                                      {"method", std::string(method_label(method))},
                                      {"code", known == kKnownStatuses.end() ? "other" : std::to_string(status)}});
    slot.store(counter, std::memory_order_release);
  }
  return *counter;
}

void RequestObserver::end(const Seen& seen, const http::Exchange& exchange) {
  const std::int64_t duration_us = deps_.clock.mono_us() - seen.began_us;
  const std::size_t route = route_index(seen.endpoint);
  const int status = exchange.status();
  requests(route, exchange.request().method, status).add();
  durations_[route]->observe_us(duration_us);
  const auto traffic = exchange.traffic();
  received_bytes_.add(traffic.received_bytes);
  sent_bytes_.add(traffic.sent_bytes);
  if (deps_.access_log == AccessLog::off || !deps_.log.enabled(LogLevel::info)) return;
  constexpr int kFirstError = 400;
  if (deps_.access_log == AccessLog::errors && status < kFirstError) return;
  deps_.log.add_line(deps_.log.format() == LogFormat::text ? text_line(seen, exchange, duration_us)
                                                           : json_line(seen, exchange, duration_us));
}

std::string RequestObserver::request_id(const Seen& seen, const http::Exchange& exchange) const {
  const auto given = exchange.request().find("X-Request-Id");
  if (given && is_sane_id(*given) && deps_.trusted_proxies.contains_peer(exchange.peer())) return std::string(*given);
  return id_prefix_ + std::to_string(seen.number);
}

std::string RequestObserver::json_line(const Seen& seen, const http::Exchange& exchange,
                                       std::int64_t duration_us) const {
  const http::Request& request = exchange.request();
  const auto traffic = exchange.traffic();
  std::string line;
  line.reserve(512);
  line.append(R"({"at":")").append(time_text(deps_.clock.now_ms(), LogFormat::json));
  line.append(R"(","level":"info","event":"http.request")");
  append_json_member(line, "req", request_id(seen, exchange));
  append_json_member(line, "peer", http::client_address(request, exchange.peer(), deps_.trusted_proxies));
  if (seen.identity && !seen.identity->is_anonymous())
    append_json_member(line, "principal", std::string_view(seen.identity->subject.name));
  append_json_member(line, "method", request.method_text);
  append_json_member(line, "path", loggable_path(request.path, seen.endpoint));
  append_json_member(line, "route", route_label(route_index(seen.endpoint)));
  append_json_member(line, "status", static_cast<std::uint64_t>(exchange.status()));
  append_json_member(line, "bytes_in", traffic.received_bytes);
  append_json_member(line, "bytes_out", traffic.sent_bytes);
  append_json_member(line, "us", static_cast<std::uint64_t>(std::max<std::int64_t>(duration_us, 0)));
  append_json_member(line, "agent", request.find("User-Agent").value_or("").substr(0, kAgentBytesMax));
  return line += '}';
}

std::string RequestObserver::text_line(const Seen& seen, const http::Exchange& exchange,
                                       std::int64_t duration_us) const {
  const http::Request& request = exchange.request();
  std::string line = time_text(deps_.clock.now_ms(), LogFormat::text) + " info  ";
  std::string said(request.method_text);
  said += ' ';
  said += loggable_path(request.path, seen.endpoint);
  // Quoted only if it would not be harmless as it is: what comes from outside must not steer a terminal.
  if (!std::ranges::all_of(said, [](char c) { return c >= ' ' && c < '\x7f'; })) said = json_string(said);
  line.append(said).append("  ").append(std::to_string(exchange.status()));
  line.append("  ").append(size_text(std::max(exchange.traffic().received_bytes, exchange.traffic().sent_bytes)));
  line.append("  ").append(duration_text(duration_us));
  line.append("  ").append(http::client_address(request, exchange.peer(), deps_.trusted_proxies));
  if (seen.identity && !seen.identity->is_anonymous()) line.append("  ").append(seen.identity->subject.name);
  return line;
}

}  // namespace berth::api
