#include "auth/recent_credentials.h"

#include "crypto/hmac.h"

#include <sodium.h>

#include <cstring>
#include <memory>
#include <span>

namespace berth::auth {

namespace {

/// Held, or not, from construction to destruction.
class Claim {
 public:
  explicit Claim(std::atomic_flag& flag) : flag_(flag), is_held_(!flag.test_and_set(std::memory_order_acquire)) {}
  ~Claim() {
    if (is_held_) flag_.clear(std::memory_order_release);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  bool is_held() const { return is_held_; }

 private:
  std::atomic_flag& flag_;
  bool is_held_;
};

/// Of the calling thread, among those that ask here.
std::size_t thread_number() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t kMine = next.fetch_add(1, std::memory_order_relaxed);
  return kMine;
}

std::uint64_t word_at(std::string_view text, std::size_t at) {
  std::uint64_t out = 0;
  std::memcpy(&out, text.data() + at, sizeof out);
  return out;
}

}  // namespace

RecentCredentials::RecentCredentials(const meta::Epochs& epochs, Random& random) : epochs_(epochs), key_() {
  random.fill(std::as_writable_bytes(std::span(key_)));
}

IdentityPtr RecentCredentials::find(std::string_view authorization) {
  if (authorization.size() < kHeaderBytesMin || authorization.size() > kHeaderBytesMax) return nullptr;
  Table& table = mine();
  const Claim claim(table.is_taken);
  if (!claim.is_held()) return nullptr;
  Slot& slot = slot_of(table, authorization);
  const bool is_same = crypto::equal_in_constant_time(std::as_bytes(std::span(slot.authorization)),
                                                      std::as_bytes(std::span(authorization)));
  if (!is_same) return nullptr;
  if (epochs_.holds(slot.stamp)) return slot.identity;
  forget(slot);
  return nullptr;
}

void RecentCredentials::forget(Slot& slot) {
  ::sodium_memzero(slot.authorization.data(), slot.authorization.size());
  slot.authorization.clear();
  slot.identity = nullptr;
}

void RecentCredentials::put(std::string_view authorization, const meta::Epochs::Stamp& stamp,
                            const IdentityPtr& identity) {
  if (authorization.size() < kHeaderBytesMin || authorization.size() > kHeaderBytesMax) return;
  Table& table = mine();
  const Claim claim(table.is_taken);
  if (!claim.is_held()) return;
  Slot& slot = slot_of(table, authorization);
  forget(slot);
  slot.authorization.assign(authorization);
  slot.stamp = stamp;
  // Counted by itself: cores that count references to the same identity would take the line from each other.
  auto own = std::make_shared<const IdentityPtr>(identity);
  slot.identity = IdentityPtr(std::move(own), identity.get());
}

RecentCredentials::Table& RecentCredentials::mine() { return tables_[thread_number() % kTables]; }

/// By the beginning, where the names of Basic are, and the end, where the signature of a token is.
RecentCredentials::Slot& RecentCredentials::slot_of(Table& table, std::string_view authorization) const {
  constexpr std::size_t kBegin = sizeof("Basic");
  const std::uint64_t begin = word_at(authorization, kBegin) ^ key_[0];
  const std::uint64_t end = word_at(authorization, authorization.size() - sizeof(std::uint64_t)) ^ key_[1];
  const std::uint64_t mixed = (begin * (key_[1] | 1) + end) * (key_[0] | 1);
  return table.slots[mixed >> (64 - kSlotBits)];
}

}  // namespace berth::auth
