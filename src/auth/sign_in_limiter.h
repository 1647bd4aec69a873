#pragma once
// How fast passwords may be tried (S26). Failures are counted for an account from one address, for an address over all
// accounts, and for an account over all addresses; beyond a few, each doubles the wait. Addresses of IPv6 count by
// their /64. Nobody is locked out for good, and a stranger who fails on purpose slows an account's owner by a minute at
// most.

#include "base/result.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace berth::auth {

class SignInLimiter {
 public:
  /// Errors: too_many_requests, with the seconds to wait as its number.
  Result<void> check(std::string_view account, std::string_view address, std::int64_t now_ms) const;
  void note_failure(std::string_view account, std::string_view address, std::int64_t now_ms);
  /// Forgets what was counted for the account from there.
  void note_success(std::string_view account, std::string_view address);

  std::size_t size() const;

 private:
  struct Kind {
    int free;                  // failures that cost nothing
    std::int64_t wait_max_ms;  // of what follows: 1 s, 2 s, 4 s, …
  };
  struct Count {
    int failures = 0;
    std::int64_t last_ms = 0;
    std::int64_t open_at_ms = 0;
  };
  static constexpr Kind kPair{5, 15LL * 60 * 1000};
  static constexpr Kind kAddress{50, 15LL * 60 * 1000};
  static constexpr Kind kAccount{100, 60LL * 1000};
  static constexpr std::int64_t kForgetMs = 60LL * 60 * 1000;
  static constexpr std::size_t kCountsMax = 100'000;

  void raise(std::string key, Kind kind, std::int64_t now_ms);
  void make_room(std::int64_t now_ms);

  mutable std::mutex mutex_;  // guards: counts_
  std::unordered_map<std::string, Count> counts_;
};

}  // namespace berth::auth
