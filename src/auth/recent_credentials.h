#pragma once
// The Authorization headers that a thread saw last, and who they were: a client sends the same one with every request,
// so that comparing it with the one before is all there is to do. What is not here any more, or never was, is in the
// authenticator's own cache, under a keyed hash of the header; this only saves that hash, which at the length of a
// token is the larger part of knowing who asks.
//
// Tokens are kept as they came, in a table of fixed size, for as long as they count; passwords are not kept here. They
// are compared in a time that tells nothing of where they differ, and where one is kept depends on a key that nobody
// knows.

#include "auth/identity.h"
#include "base/random.h"
#include "meta/epochs.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth::auth {

/// Thread-safe; never waits.
class RecentCredentials {
 public:
  RecentCredentials(const meta::Epochs& epochs, Random& random);

  /// nullptr says nothing.
  IdentityPtr find(std::string_view authorization);
  /// stamp: taken before the identity was found, wherever that was.
  void put(std::string_view authorization, const meta::Epochs::Stamp& stamp, const IdentityPtr& identity);

 private:
  static constexpr std::size_t kTables = 32;
  static constexpr std::size_t kSlotBits = 5;         // of each table: 32 headers
  static constexpr std::size_t kHeaderBytesMin = 16;  // of what is worth a place
  static constexpr std::size_t kHeaderBytesMax = 2048;

  struct Slot {
    std::string authorization;  // empty: nothing
    meta::Epochs::Stamp stamp;
    IdentityPtr identity;
  };
  static void forget(Slot& slot);
  /// Of one thread, as a rule; two that share one do not wait for each other but do without.
  struct alignas(64) Table {
    std::atomic_flag is_taken;
    std::array<Slot, std::size_t{1} << kSlotBits> slots;
  };

  Table& mine();
  Slot& slot_of(Table& table, std::string_view authorization) const;

  const meta::Epochs& epochs_;
  std::array<std::uint64_t, 2> key_;
  std::array<Table, kTables> tables_;
};

}  // namespace berth::auth
