#pragma once
// Passwords that were right a moment ago, for when something else about the accounts has changed: a grant to somebody
// makes the authenticator look up everybody anew, and that should cost a lookup and not the slow hash of a password, or
// a question to the directory. What a password was right for is kept with it: after a change of that it counts no more.
//
// Of a fixed size. The password itself is not here, only a keyed hash of the header it came in.

#include "crypto/hash.h"
#include "meta/principals.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace berth::auth {

/// Thread-safe.
class VerifiedPasswords {
 public:
  using Key = std::array<std::byte, 16>;  // where it lies depends on a secret: nobody picks whom it puts out

  void put(const Key& key, const meta::Principal& principal, std::int64_t until_ms) {
    const std::lock_guard lock(mutex_);
    if (slots_.empty()) slots_.resize(kSlots);
    slots_[index_of(key)] = {key, principal.id, proof_of(principal), until_ms};
  }

  /// Until when it counts, if it was verified for that very account as it is; nullopt says nothing.
  std::optional<std::int64_t> find(const Key& key, const meta::Principal& principal, std::int64_t now_ms) const {
    const std::lock_guard lock(mutex_);
    if (slots_.empty()) return std::nullopt;
    const Slot& slot = slots_[index_of(key)];
    if (slot.until_ms <= now_ms || slot.key != key || slot.proof != proof_of(principal)) return std::nullopt;
    return slot.until_ms;
  }
  /// The account to look up for find(): whom a directory knows by a name in any case.
  std::optional<meta::PrincipalId> account_of(const Key& key, std::int64_t now_ms) const {
    const std::lock_guard lock(mutex_);
    if (slots_.empty()) return std::nullopt;
    const Slot& slot = slots_[index_of(key)];
    return slot.until_ms > now_ms && slot.key == key ? std::optional(slot.account) : std::nullopt;
  }

 private:
  static constexpr std::size_t kSlots = 4096;

  struct Slot {
    Key key{};
    meta::PrincipalId account = 0;
    crypto::Sha256Sum proof{};
    std::int64_t until_ms = 0;
  };

  /// All that makes a password right or wrong for an account, and whatever else somebody changed of it.
  static crypto::Sha256Sum proof_of(const meta::Principal& principal) {
    const std::string text = std::to_string(principal.id) + "\n" + std::to_string(principal.version) + "\n" +
                             principal.password_hash + "\n" + principal.issuer + "\n" + principal.external_id;
    return crypto::sha256(std::as_bytes(std::span(text)));
  }
  static std::size_t index_of(const Key& key) {
    std::uint64_t word = 0;
    std::memcpy(&word, key.data(), sizeof(word));
    return word % kSlots;
  }

  mutable std::mutex mutex_;  // guards: what follows
  std::vector<Slot> slots_;
};

}  // namespace berth::auth
