#pragma once
// Tokens of another server (A12, A14): docker's token authentication with the registry as the one who only checks. What
// such a token says in `access` is all its bearer may do; no account is asked, and none need exist.

#include "auth/identity.h"
#include "auth/jwt.h"
#include "crypto/verify_key.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

class ExternalTokens {
 public:
  using Keys = std::vector<crypto::VerifyKey>;
  /// What a token must say: who made it (iss) and for whom (aud); and how far its times may be off (A12).
  struct Expected {
    std::string issuer;
    std::string service;
    std::int64_t leeway_s = kTokenLeewayS;
  };

  ExternalTokens(Expected expected, Keys keys) : expected_(std::move(expected)) { replace(std::move(keys)); }

  const std::string& service() const { return expected_.service; }
  /// What was verified by the keys before is not believed any longer.
  void replace(Keys keys);
  /// grace_s: how long after its end a token counts all the same.
  /// Errors: unauthorized, as verify_token(); the cause tells what is wrong.
  Result<Identity> check(std::string_view token, std::int64_t now_ms, std::int64_t grace_s) const;
  /// Whether the keys in force verified it.
  bool is_current(const Identity& identity) const {
    return identity.key_generation == generation_.load(std::memory_order_acquire);
  }

 private:
  struct KeySet {
    Keys keys;
    std::uint64_t generation = 0;
  };
  std::shared_ptr<const KeySet> keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

  Expected expected_;
  mutable std::mutex mutex_;            // guards: keys_
  std::shared_ptr<const KeySet> keys_;  // shared: requests use the keys they began with
  std::atomic<std::uint64_t> generation_{0};
};

/// The entries of `access` that speak of repositories and of the catalog. One without actions was asked for and denied,
/// which is another thing than not to be there.
std::vector<Scope> external_scopes(const std::vector<Access>& access);

}  // namespace berth::auth
