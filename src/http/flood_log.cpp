#include "http/flood_log.h"

#include <utility>

namespace berth::http {

namespace {

constexpr std::int64_t kQuietMs = 1'000;

struct Row {
  std::uint64_t Server::Counts::* figure;
  LogLevel level;
  std::string_view event;
  std::string_view what;
};

constexpr Row kRows[] = {
    {&Server::Counts::refused, LogLevel::warn, "http.refused", "connections beyond limits.connections"},
    {&Server::Counts::accept_failed, LogLevel::error, "http.accept_failed",
     "no descriptors or memory left for another connection"},
    {&Server::Counts::timed_out, LogLevel::info, "http.timed_out", "peers that stood still"},
    {&Server::Counts::malformed, LogLevel::info, "http.malformed", "requests that could not be read or are too large"},
    {&Server::Counts::tls_failed, LogLevel::info, "http.handshakes_failed", "TLS handshakes that failed"},
    {&Server::Counts::proxy_invalid, LogLevel::warn, "http.proxy_header_invalid",
     "connections of trusted proxies without a valid PROXY header"},
};

}  // namespace

std::vector<FloodLog::Line> FloodLog::due(const Server::Counts& now, std::int64_t mono_ms) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || mono_ms < quiet_until_ms_) return {};  // not to be had: another core is at it
  std::vector<Line> lines = take(now);
  if (!lines.empty()) quiet_until_ms_ = mono_ms + kQuietMs;
  return lines;
}

std::vector<FloodLog::Line> FloodLog::rest(const Server::Counts& now) {
  const std::lock_guard lock(mutex_);
  return take(now);
}

std::vector<FloodLog::Line> FloodLog::take(const Server::Counts& now) {
  std::vector<Line> lines;
  for (const Row& row : kRows) {
    // A core that was slow to come here may bring older totals than those told last.
    if (now.*row.figure <= told_.*row.figure) continue;
    const std::uint64_t count = now.*row.figure - std::exchange(told_.*row.figure, now.*row.figure);
    lines.push_back({row.level, row.event, row.what, count});
  }
  return lines;
}

}  // namespace berth::http
