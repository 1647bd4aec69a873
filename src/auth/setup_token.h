#pragma once
// The way in for the first administrator of a registry that was started without one: a secret printed at the start,
// good once and for an hour, while nobody has an account.

#include "auth/secret.h"
#include "base/clock.h"
#include "crypto/hmac.h"

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace berth::auth {

class SetupToken {
 public:
  static constexpr std::int64_t kLifeMs = 60LL * 60 * 1000;

  explicit SetupToken(const Clock& clock) : clock_(clock) {}

  /// A new one; the one before is good for nothing any more.
  std::string make(Random& random) {
    std::string secret = make_secret(SecretKind::setup, random);
    const std::lock_guard lock(mutex_);
    hash_ = secret_hash(secret);
    ends_ms_ = clock_.mono_ms() + kLifeMs;
    return secret;
  }
  bool is_right(std::string_view given) const {
    const std::lock_guard lock(mutex_);
    if (!hash_ || clock_.mono_ms() >= ends_ms_) return false;
    return crypto::equal_in_constant_time(*hash_, secret_hash(given));
  }
  void end() {
    const std::lock_guard lock(mutex_);
    hash_.reset();
  }

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards: what follows
  std::optional<crypto::Sha256Sum> hash_;
  std::int64_t ends_ms_ = 0;
};

}  // namespace berth::auth
