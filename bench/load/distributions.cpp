#include "distributions.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace berth::load {

namespace {

std::uint64_t rotated(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

}  // namespace

// xoshiro256++, seeded by splitmix64.
Random::Random(std::uint64_t seed) {
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Random::next() {
  const std::uint64_t result = rotated(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotated(state_[3], 45);
  return result;
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t Random::below(std::uint64_t n) {
  return next() % n;
}  // the bias of 2^-40 for small n does not matter here

double Random::exponential(double mean) { return -mean * std::log1p(-unit()); }

double Random::lognormal(double median, double sigma) {
  const double radius = std::sqrt(-2.0 * std::log1p(-unit()));
  return median * std::exp(sigma * radius * std::cos(2.0 * std::numbers::pi * unit()));
}

Zipf::Zipf(std::size_t n, double exponent) : cumulative_(n) {
  double sum = 0;
  for (std::size_t rank = 0; rank < n; ++rank) {
    sum += std::pow(static_cast<double>(rank + 1), -exponent);
    cumulative_[rank] = sum;
  }
}

std::size_t Zipf::operator()(Random& random) const {
  const double drawn = random.unit() * cumulative_.back();
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), drawn);
  return std::min<std::size_t>(static_cast<std::size_t>(found - cumulative_.begin()), cumulative_.size() - 1);
}

std::size_t weighted(Random& random, const std::vector<double>& weights) {
  double drawn = random.unit() * std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
    if (drawn < weights[i]) return i;
    drawn -= weights[i];
  }
  return weights.size() - 1;
}

std::uint64_t layer_size(Random& random, std::uint64_t cap) {
  static const std::vector<double> kShares{35, 30, 20, 13, 2};
  static constexpr std::array kMedians{2e3, 200e3, 4e6, 40e6, 400e6};
  constexpr double kSigma = 0.8;
  const double size = random.lognormal(kMedians[weighted(random, kShares)], kSigma);
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(size), 32, cap);
}

std::uint64_t Arrivals::next() {
  const bool has_bursts = shape_.burst_every_s > 0 && shape_.burst_s > 0;
  double wanted = random_.exponential(1.0);  // of expected arrivals; spent at the rate of each stretch of time
  for (;;) {
    const double phase = has_bursts ? std::fmod(now_s_, shape_.burst_every_s) : 0;
    const bool in_burst = has_bursts && phase >= shape_.burst_every_s - shape_.burst_s;
    const double rate = shape_.rate * (in_burst ? shape_.burst_factor : 1.0);
    const double boundary = in_burst ? shape_.burst_every_s : shape_.burst_every_s - shape_.burst_s;
    const double left_s = has_bursts ? std::max(boundary - phase, 1e-9) : wanted / rate;
    if (wanted <= left_s * rate) {
      now_s_ += wanted / rate;
      return static_cast<std::uint64_t>(now_s_ * 1e9);
    }
    wanted -= left_s * rate;
    now_s_ += left_s;
  }
}

}  // namespace berth::load
