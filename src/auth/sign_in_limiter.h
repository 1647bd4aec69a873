#pragma once
// How fast passwords may be tried (S26). Failures are counted for an account from one address, for an address over all
// accounts, and for an account over all addresses; beyond a few, each doubles the wait. Addresses of IPv6 count by
// their /64. Nobody is locked out for good: a stranger who fails on purpose slows an account's owner by a minute at
// most, and not at all at an address where he was let in within the day.

#include "base/result.h"

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace berth::auth {

class SignInLimiter {
 public:
  /// A password that is being checked, which takes a while. Until it ends it counts as if it had failed, so that
  /// guesses made at once are held up like those made one after another. One that ends without a verdict was none.
  class Attempt {
   public:
    Attempt(Attempt&& other) noexcept
        : limiter_(std::exchange(other.limiter_, nullptr)),
          account_(std::move(other.account_)),
          address_(std::move(other.address_)) {}
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    Attempt& operator=(Attempt&&) = delete;
    ~Attempt();

    void failed(std::int64_t now_ms);
    void succeeded(std::int64_t now_ms);

   private:
    friend class SignInLimiter;
    Attempt(SignInLimiter& limiter, std::string account, std::string address)
        : limiter_(&limiter), account_(std::move(account)), address_(std::move(address)) {}

    SignInLimiter* limiter_;  // nullptr: moved from
    std::string account_;
    std::string address_;
  };
  /// Lives longer than the attempt. Errors: as check().
  Result<Attempt> begin(std::string_view account, std::string_view address, std::int64_t now_ms);

  /// For what is decided at once. Errors: too_many_requests, with the seconds to wait as its number, and the limit as
  /// its items, as SubjectBudgets::admit() tells it.
  Result<void> check(std::string_view account, std::string_view address, std::int64_t now_ms) const;
  void note_failure(std::string_view account, std::string_view address, std::int64_t now_ms);
  /// Forgets what was counted for the account from there.
  void note_success(std::string_view account, std::string_view address, std::int64_t now_ms);

  std::size_t size() const;

 private:
  struct Kind {
    int free;                  // failures that cost nothing
    int together;              // attempts going on and failures, before it is one at a time
    std::int64_t wait_max_ms;  // of what follows: 1 s, 2 s, 4 s, …
  };
  struct Count {
    int failures = 0;
    int pending = 0;
    std::int64_t last_ms = 0;
    std::int64_t open_at_ms = 0;
    std::int64_t trusted_until_ms = 0;  // of an account from an address: others' failures do not count there
  };
  static constexpr Kind kPair{5, 20, 15LL * 60 * 1000};
  static constexpr Kind kAddress{50, 100, 15LL * 60 * 1000};
  static constexpr Kind kAccount{100, 150, 60LL * 1000};
  static constexpr std::int64_t kForgetMs = 60LL * 60 * 1000;
  static constexpr std::int64_t kTrustMs = 24LL * 60 * 60 * 1000;
  static constexpr std::size_t kCountsMax = 100'000;

  struct Counted {
    std::string key;
    const Kind* kind;
  };
  /// What an attempt counts for: the account from there, the address, the account.
  static std::array<Counted, 3> counted(std::string_view account, std::string_view address);
  struct Wait {
    std::int64_t ms;  // 0: none
    const Kind* kind;
  };
  Wait wait_of(const std::array<Counted, 3>& keys, std::int64_t now_ms) const;
  static std::unexpected<Error> refuse(const Wait& wait);
  Count& count_of(const std::string& key, std::int64_t now_ms);
  void raise(const std::string& key, const Kind& kind, std::int64_t now_ms);
  void end(const Attempt& attempt);
  void make_room(std::int64_t now_ms);

  mutable std::mutex mutex_;  // guards: counts_
  std::unordered_map<std::string, Count> counts_;
};

}  // namespace berth::auth
