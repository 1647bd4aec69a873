#pragma once
// What floods of peers leave in the log: at most one line a second for each thing that happened to connections, with
// how often. Who it was is in the lines of level debug; the totals are metrics.

#include "base/log.h"
#include "http/server.h"

#include <mutex>
#include <vector>

namespace berth::http {

/// Thread-safe. One per server; the tick of whichever core comes first is asked.
class FloodLog {
 public:
  struct Line {
    LogLevel level;
    std::string_view event;
    std::string_view what;
    std::uint64_t count;
  };

  /// The lines for what was counted since the last ones; none within a second of those. `now` are totals.
  std::vector<Line> due(const Server::Counts& now, std::int64_t mono_ms);
  /// The rest, whenever the last ones were.
  std::vector<Line> rest(const Server::Counts& now);

 private:
  std::vector<Line> take(const Server::Counts& now);

  std::mutex mutex_;  // guards: everything below
  Server::Counts told_;
  std::int64_t quiet_until_ms_ = 0;
};

}  // namespace berth::http
