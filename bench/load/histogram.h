#pragma once
// Latencies in logarithmic buckets: any range, constant memory, quantiles at most 1/128 above the recorded value.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace berth::load {

class Histogram {
 public:
  void record(std::uint64_t value);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_); }

  /// The least bucket edge that at least `share` (0..1) of the values do not exceed, never above max(); 0 if empty.
  std::uint64_t quantile(double share) const;

 private:
  std::vector<std::uint64_t> counts_;  // grows to the highest bucket used
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace berth::load
