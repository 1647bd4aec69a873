#pragma once
// What is known of every request once it is answered: counters, durations, and its line in the log.

#include "api/routes.h"
#include "auth/identity.h"
#include "auth/subject_budgets.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "http/exchange.h"
#include "http/networks.h"

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>

namespace berth::api {

/// Which requests get a line.
enum class AccessLog : std::uint8_t {
  off,
  errors,  // status 400 and above
  all,
};

/// Thread-safe. One per server.
class RequestObserver {
 public:
  struct Deps {
    const Clock& clock;
    Random& random;
    const Log& log;
    Metrics& metrics;
    const http::Networks& trusted_proxies;
    AccessLog access_log = AccessLog::all;
  };
  explicit RequestObserver(Deps deps);

  /// One request, from its head to its answer.
  struct Seen {
    std::int64_t began_us = 0;
    std::uint64_t number = 0;
    std::optional<Endpoint> endpoint;  // none: no route matched
    auth::SubjectBudgets::Payer payer = 0;
    auth::IdentityPtr identity = {};  // who asked, as far as that was found out
  };
  Seen begin() { return {.began_us = deps_.clock.mono_us(), .number = next_number_.fetch_add(1), .endpoint = {}}; }
  void end(const Seen& seen, const http::Exchange& exchange);

  /// What the log calls the request: the id a trusted proxy gave it in X-Request-Id, or our own.
  std::string request_id(const Seen& seen, const http::Exchange& exchange) const;

 private:
  static constexpr std::size_t kMethods = 8;
  static constexpr std::size_t kStatuses = 32;

  metrics::Counter& requests(std::size_t route, http::Method method, int status);
  std::string text_line(const Seen& seen, const http::Exchange& exchange, std::int64_t duration_us) const;
  std::string json_line(const Seen& seen, const http::Exchange& exchange, std::int64_t duration_us) const;

  Deps deps_;
  std::string id_prefix_;
  std::atomic<std::uint64_t> next_number_{1};
  metrics::Counter& received_bytes_;
  metrics::Counter& sent_bytes_;
  std::array<metrics::Histogram*, kEndpointCount + 1> durations_{};
  std::mutex mutex_;  // guards: the making of counters_
  // Made when the first such request is seen: only what happens is told.
  std::array<std::array<std::array<std::atomic<metrics::Counter*>, kStatuses>, kMethods>, kEndpointCount + 1>
      counters_{};
};

/// The path as the log may have it: no query, and of an upload session no more than the start of its id, since who
/// knows the whole id may write to it (S23).
std::string loggable_path(std::string_view path, std::optional<Endpoint> endpoint);

}  // namespace berth::api
