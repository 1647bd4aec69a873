#pragma once
// Says in the log which certificates end within 14 days: when they are loaded, and each day as long as they are in use.

#include "base/clock.h"
#include "base/log.h"
#include "crypto/tls.h"

#include <cstdint>
#include <mutex>
#include <vector>

namespace berth::app {

class CertificateWatch {
 public:
  CertificateWatch(const Clock& clock, const Log& log) : clock_(clock), log_(log) {}

  /// These are in use from now on, in the place of those before. From any thread.
  void use(std::vector<crypto::TlsCertificate> certificates);
  /// To be called now and then: a server that runs for months sees neither a start nor a reload.
  void look();

 private:
  void say() const;

  const Clock& clock_;
  const Log& log_;
  std::mutex mutex_;  // guards: the rest; a reload changes what housekeeping looks at
  std::vector<crypto::TlsCertificate> certificates_;
  std::int64_t due_ms_ = 0;  // by the monotonic clock
};

}  // namespace berth::app
