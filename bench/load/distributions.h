#pragma once
// Chance, from a seed: the same seed gives the same run on every machine (std's distributions do not promise that).

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace berth::load {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  double unit();                         // [0, 1)
  std::uint64_t below(std::uint64_t n);  // [0, n), n > 0
  double exponential(double mean);
  double lognormal(double median, double sigma);

 private:
  std::array<std::uint64_t, 4> state_{};
};

/// Ranks 0..n-1 with probability ∝ 1/(rank+1)^exponent.
class Zipf {
 public:
  Zipf(std::size_t n, double exponent);
  std::size_t operator()(Random& random) const;

 private:
  std::vector<double> cumulative_;
};

/// Bytes of a layer: 35 % around 2 kB, 30 % 200 kB, 20 % 4 MB, 13 % 40 MB, 2 % 400 MB, lognormal each, at most `cap`.
std::uint64_t layer_size(Random& random, std::uint64_t cap);

/// Index of `weights`, drawn in proportion to them.
std::size_t weighted(Random& random, const std::vector<double>& weights);

/// Intended start times in nanoseconds: Poisson at `rate` per second, and `burst_factor` times that for `burst_s`
/// seconds out of every `burst_every_s` (0: no bursts). `rate` is the mean outside bursts.
class Arrivals {
 public:
  struct Shape {
    double rate = 100;
    double burst_factor = 1;
    double burst_s = 0;
    double burst_every_s = 0;
  };
  Arrivals(Shape shape, std::uint64_t seed) : shape_(shape), random_(seed) {}
  std::uint64_t next();

 private:
  Shape shape_;
  Random random_;
  double now_s_ = 0;
};

}  // namespace berth::load
