#pragma once
// Counters and histograms that cost a few nanoseconds to feed, and their text for Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
//
// Names: berth_<room>_<thing>_<unit>[_total], base units, counters end in _total. Labels are closed sets, never a
// repository, tag, digest, user or path.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

namespace metrics {

inline constexpr std::size_t kShards = 4;
/// Of the calling thread: two cores that count the same thing do not share a cache line.
std::size_t shard();

class Counter {
 public:
  void add(std::uint64_t count = 1) { shards_[shard()].value.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const;

 private:
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Shard, kShards> shards_;
};

/// Of durations: observed in microseconds, told in seconds.
class Histogram {
 public:
  static constexpr std::array<std::int64_t, 16> kBoundsUs = {
      100,    250,     500,     1'000,   2'500,     5'000,     10'000,     25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 5'000'000, 30'000'000, 300'000'000};

  void observe_us(std::int64_t duration_us);
  /// How many were at most kBoundsUs[i]; the last entry counts all.
  std::array<std::uint64_t, kBoundsUs.size() + 1> cumulative() const;
  std::uint64_t sum_us() const;

 private:
  struct alignas(64) Shard {
    std::array<std::atomic<std::uint64_t>, kBoundsUs.size() + 1> buckets{};
    std::atomic<std::uint64_t> sum_us{0};
  };
  std::array<Shard, kShards> shards_;
};

struct Label {
  std::string name;
  std::string value;
};
using Labels = std::vector<Label>;

}  // namespace metrics

/// All of them. One per server, built in `app`, handed down by reference. What counter() and histogram() return lives
/// as long as the registry. Thread-safe.
class Metrics {
 public:
  /// `name` may come again with other labels; its help is the first one's.
  metrics::Counter& counter(std::string_view name, std::string_view help, metrics::Labels labels = {});
  metrics::Histogram& histogram(std::string_view name, std::string_view help, metrics::Labels labels = {});
  /// Asked when somebody reads the metrics; must not block. `counter_like`: it never falls.
  enum class Kind : std::uint8_t { gauge, counter };
  void read(std::string_view name, std::string_view help, Kind kind, metrics::Labels labels,
            std::function<double()> value);

  std::string text() const;

 private:
  struct Series {
    std::string labels;  // `{a="b"}`, or empty
    metrics::Counter* counter = nullptr;
    metrics::Histogram* histogram = nullptr;
    std::function<double()> value;
  };
  struct Family {
    std::string name;
    std::string help;
    std::string_view type;
    std::vector<Series> series;
  };
  Family& family(std::string_view name, std::string_view help, std::string_view type);

  mutable std::mutex mutex_;  // guards: all of it, not the values
  std::deque<Family> families_;
  std::deque<metrics::Counter> counters_;
  std::deque<metrics::Histogram> histograms_;
};

}  // namespace berth
