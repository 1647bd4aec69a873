#pragma once
// Chance as a parameter: ids, incarnations and multipart boundaries come from here, so that a test can repeat them.

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

namespace berth {

class Random {
 public:
  virtual ~Random() = default;
  /// Fills the whole span. Thread-safe.
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t u64();
  /// `bytes` random bytes as lowercase hex (2 characters a byte).
  std::string hex(std::size_t bytes);
};

/// getrandom(2).
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

/// splitmix64 from a seed: for tests and simulations only.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::mutex mutex_;  // guards: state_
  std::uint64_t state_;
};

}  // namespace berth
