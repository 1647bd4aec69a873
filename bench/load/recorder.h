#pragma once
// What a run found: a histogram for each operation, errors with samples, and the run as one line of JSON.

#include "histogram.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace berth::load {

class Recorder {
 public:
  /// From the intended start (open loop) or the actual one (closed loop), in nanoseconds of Loop's clock.
  void record(const std::string& operation, std::uint64_t start_ns, std::uint64_t end_ns);
  void error(const std::string& operation, std::string what);

  /// Requests answered correctly, over all operations.
  std::uint64_t count() const { return count_; }
  std::uint64_t errors() const { return errors_; }

  /// {"seconds": …, "requests": …, "errors": …, "operations": {…}, <extra>} in one line.
  std::string json(double seconds, const std::vector<std::pair<std::string, double>>& extra) const;

 private:
  std::map<std::string, Histogram> operations_;
  std::map<std::string, std::uint64_t> errors_by_operation_;
  std::vector<std::string> samples_;
  std::uint64_t count_ = 0;
  std::uint64_t errors_ = 0;
};

/// CPU seconds of this process.
double own_cpu_seconds();

}  // namespace berth::load
