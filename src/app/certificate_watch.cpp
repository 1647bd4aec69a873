#include "app/certificate_watch.h"

#include <utility>

namespace berth::app {

namespace {

constexpr std::int64_t kHourMs = 60LL * 60 * 1000;
constexpr std::int64_t kAgainMs = 24 * kHourMs;
constexpr std::int64_t kSoonMs = 14 * 24 * kHourMs;

}  // namespace

void CertificateWatch::use(std::vector<crypto::TlsCertificate> certificates) {
  const std::lock_guard lock(mutex_);
  certificates_ = std::move(certificates);
  due_ms_ = clock_.mono_ms() + kAgainMs;
  say();
}

void CertificateWatch::look() {
  const std::lock_guard lock(mutex_);
  if (clock_.mono_ms() < due_ms_) return;
  due_ms_ = clock_.mono_ms() + kAgainMs;
  say();
}

void CertificateWatch::say() const {
  for (const auto& certificate : certificates_) {
    const std::int64_t left_ms = certificate.not_after_ms - clock_.now_ms();
    if (left_ms > kSoonMs) continue;
    log_.warn(left_ms < 0 ? "tls.certificate_expired" : "tls.certificate_expires_soon",
              {f("file", certificate.path), f("subject", certificate.subject), f("hours_left", left_ms / kHourMs)});
  }
}

}  // namespace berth::app
