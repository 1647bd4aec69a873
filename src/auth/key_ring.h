#pragma once
// The keys of the built-in token service: one signs, the others are remembered for what they signed before a rotation.

#include "crypto/signing_key.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace berth::auth {

class KeyRing {
 public:
  struct Keys {
    crypto::SigningKey signing;
    std::vector<crypto::VerifyKey> verifying;  // the signing key's among them
  };
  /// shared: requests use the keys they began with.
  using KeysPtr = std::shared_ptr<const Keys>;

  /// `keys`: at least one, the signing one first.
  explicit KeyRing(const std::vector<crypto::SigningKey>& keys) { replace(keys); }

  KeysPtr keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }
  void replace(const std::vector<crypto::SigningKey>& keys);
  /// {"keys":[…]}: the public halves, for whoever checks our tokens.
  std::string jwks() const;

 private:
  mutable std::mutex mutex_;  // guards: keys_
  KeysPtr keys_;
};

}  // namespace berth::auth
