#pragma once
// How much one caller may ask for and transfer, where the operator set limits: requests a second, and bytes a second in
// both directions. A caller is an account, or the address of somebody without one.
//
// Each has two clocks that run ahead of time: a request moves the first on by its share of a second, transferred bytes
// the second by theirs, and whoever is ahead by more than the burst allows has to wait until time has caught up.
// Nothing that runs is cut off or slowed down: what a transfer cost is known when it has ended, and is paid by the wait
// before the next request.
//
// The table has a fixed size. A caller that finds his set of places full takes that of whoever is least ahead, so that
// a flood of fresh addresses displaces itself before it displaces anybody's debt.

#include "base/clock.h"
#include "base/live.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace berth::auth {

struct SubjectLimits {
  Live<std::int64_t> requests_per_second = 0;  // 0: any number
  Live<std::int64_t> requests_burst = 100;     // at once, after a pause
  Live<std::int64_t> bytes_per_second = 0;     // 0: any number
  Live<std::int64_t> bytes_burst = 1'073'741'824;
};

/// Thread-safe. One per server.
class SubjectBudgets {
 public:
  struct Deps {
    const SubjectLimits& limits;
    const Clock& clock;
    Random& random;
    Metrics& metrics;
  };
  explicit SubjectBudgets(Deps deps);

  /// Whether anything is limited: what callers ask before they find out who it is.
  bool is_on() const { return deps_.limits.requests_per_second != 0 || deps_.limits.bytes_per_second != 0; }

  /// Stands for a caller; 0 for none.
  using Payer = std::uint64_t;
  Payer payer_of(std::string_view caller) const;

  /// One request. Errors: too_many_requests, with the seconds to wait as its number, and as its items the limit's
  /// name, how much it lets through, within how many seconds, and of what, if not requests; such a one costs nothing.
  Result<void> admit(Payer payer);
  /// What it transferred.
  void spend(Payer payer, std::uint64_t bytes);

 private:
  static constexpr std::size_t kShards = 64;
  static constexpr std::size_t kSetsPerShard = 64;
  static constexpr std::size_t kPlaces = 4;  // 16,384 callers in half a megabyte

  struct Account {
    Payer payer = 0;
    std::int64_t requests_ns = 0;  // the clocks that run ahead
    std::int64_t bytes_ns = 0;
  };
  using Set = std::array<Account, kPlaces>;
  struct Shard {
    std::mutex mutex;  // guards: sets
    std::array<Set, kSetsPerShard> sets;
  };
  using Table = std::array<Shard, kShards>;

  Table& table();
  static Account& account_in(Set& set, Payer payer);
  std::int64_t now_ns() const { return deps_.clock.mono_us() * 1000; }

  Deps deps_;
  std::array<unsigned char, 16> key_;
  std::once_flag made_;
  std::unique_ptr<Table> table_;  // made when it is first needed
  metrics::Counter& by_requests_;
  metrics::Counter& by_bandwidth_;
};

}  // namespace berth::auth
