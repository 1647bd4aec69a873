#pragma once
// What goes into the audit log, and how much of it: changes are written with the change itself, in its transaction;
// sign-ins and refusals by themselves, and not without measure, since a flood of refusals must not fill the disk.

#include "auth/identity.h"
#include "base/clock.h"
#include "meta/audit.h"
#include "meta/store.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace berth::auth {

class AuditLog {
 public:
  AuditLog(meta::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// An entry by the identity, to be completed by who writes it.
  meta::AuditEntry entry(const Identity& identity, std::string_view peer, std::string_view request) const;

  /// Writes it soon. Of refusals only so many a second; the next that is written tells how many were not.
  void note(meta::AuditEntry entry);

 private:
  static constexpr std::int64_t kBurst = 100;
  static constexpr std::int64_t kPerSecond = 10;

  bool take(std::int64_t& left_out);

  meta::Store& store_;
  const Clock& clock_;
  std::mutex mutex_;  // guards: what follows
  std::int64_t tokens_ = kBurst;
  std::int64_t filled_ms_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace berth::auth
