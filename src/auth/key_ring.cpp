#include "auth/key_ring.h"

namespace berth::auth {

void KeyRing::replace(const std::vector<crypto::SigningKey>& keys) {
  std::vector<crypto::VerifyKey> verifying;
  for (const auto& key : keys) verifying.push_back(key.public_key());
  auto next = std::make_shared<const Keys>(Keys{keys.front(), std::move(verifying)});
  const std::lock_guard lock(mutex_);
  keys_ = std::move(next);
}

std::string KeyRing::jwks() const {
  std::string out = R"({"keys":[)";
  const KeysPtr now = keys();
  for (const auto& key : now->verifying) {
    if (&key != &now->verifying.front()) out += ',';
    out += key.jwk();
  }
  return out + "]}";
}

}  // namespace berth::auth
