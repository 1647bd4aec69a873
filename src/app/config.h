#pragma once
// Everything `berth serve` can be told, with its defaults.

#include "api/context.h"
#include "api/request_observer.h"
#include "http/server.h"
#include "registry/limits.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::app {

struct ListenAddress {
  std::string host;  // literal address or "localhost", IPv6 without brackets
  std::uint16_t port = 0;
};

struct ServeConfig {
  ListenAddress listen{"127.0.0.1", 5000};
  std::string data_dir;
  /// Unset: everybody may do everything, but only on loopback.
  std::optional<api::Anonymous> anonymous;
  registry::Limits limits;
  http::ServerLimits http;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::json;
  api::AccessLog access_log = api::AccessLog::all;
  unsigned threads = 0;  // 0: one per core
  unsigned disk_threads = 8;
  std::uint64_t scrub_bytes_per_second = 20'000'000;  // 0: no background check
  std::size_t descriptors_max = 65'536;               // of the process; see descriptors.h
  api::Deletes deletes = api::Deletes::on;            // off: every DELETE of content is a 405 (D2)
  std::int64_t drain_ms = 30'000;                     // how long a stop waits for running requests
};

/// "HOST:PORT", "[::1]:PORT", ":PORT" (all addresses). Errors: parameter_invalid with a sentence.
Result<ListenAddress> parse_listen(std::string_view text);
bool is_loopback(const ListenAddress& address);
Result<registry::ReferencePolicy> parse_reference_policy(std::string_view text);  // strict, sparse-index, sparse
Result<api::Anonymous> parse_anonymous(std::string_view text);                    // off, read, write
Result<api::Deletes> parse_deletes(std::string_view text);                        // on, off
Result<LogFormat> parse_log_format(std::string_view text);       // json, text, auto (text on a terminal)
Result<api::AccessLog> parse_access_log(std::string_view text);  // all, errors, off
Result<LogLevel> parse_log_level(std::string_view text);         // debug, info, warn, error, off

/// Refuses what must not be started: a registry open to the network that nobody opened on purpose.
Result<void> validate(const ServeConfig& config);

}  // namespace berth::app
