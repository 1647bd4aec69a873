#pragma once
// Signing in on a machine without a browser (RFC 8628): the program shows a short code and waits, a person who is
// signed in types it in a browser elsewhere and agrees. The waiting are kept in memory: few, for minutes, and whoever
// waits across a restart begins anew.

#include "auth/identity.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "base/random.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

class DeviceCodes {
 public:
  static constexpr std::int64_t kLifeMs = 10LL * 60 * 1000;
  static constexpr std::int64_t kIntervalMs = 2'000;  // between two questions of the program
  static constexpr std::size_t kWaitingMax = 1'000;
  static constexpr std::size_t kWaitingPerAddressMax = 20;

  explicit DeviceCodes(const Clock& clock) : clock_(clock) {}

  /// What the person sees about who asks.
  struct Asking {
    std::string client;   // what the program calls itself, at most 100 bytes; nobody vouches for it
    std::string address;  // of the program
  };
  struct Begun {
    std::string device_code;  // the program's secret
    std::string user_code;    // "BDWP-HQPK"
  };
  /// Errors: too_many_requests.
  Result<Begun> begin(Asking asking, Random& random);

  /// Who waits with that code; typed in any case, with or without the dash.
  std::optional<Asking> find(std::string_view user_code) const;
  /// The word of whoever is signed in; nullptr: no. False: nobody waits with that code (any more), or it was decided
  /// before.
  bool decide(std::string_view user_code, IdentityPtr person);

  enum class State : std::uint8_t { pending, slow_down, denied, expired, agreed };
  struct Answer {
    State state = State::expired;
    IdentityPtr person;  // if agreed, once: the session that did
    std::string client;
  };
  Answer poll(std::string_view device_code);

 private:
  struct Waiting {
    crypto::Sha256Sum device_hash{};
    std::string user_code;  // without its dash
    Asking asking;
    std::int64_t ends_ms = 0;  // of the monotonic clock, as the next one
    std::int64_t polled_ms = 0;
    std::int64_t interval_ms = kIntervalMs;
    bool is_decided = false;
    IdentityPtr person;
  };
  void forget_old();

  const Clock& clock_;
  mutable std::mutex mutex_;  // guards: waiting_
  std::vector<Waiting> waiting_;
};

}  // namespace berth::auth
