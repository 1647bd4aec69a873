#include "app/certificate_watch.h"

#include <gmock/gmock.h>

#include <functional>
#include <string>

namespace berth::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t kHourMs = 60LL * 60 * 1000;
constexpr std::int64_t kDayMs = 24 * kHourMs;

class CertificatesNearTheirEnd : public ::testing::Test {
 protected:
  crypto::TlsCertificate ends_in_days(const char* file, int days) const {
    return {.path = file, .subject = "CN=reg", .key_kind = "EC", .not_after_ms = clock_.now_ms() + days * kDayMs};
  }
  static std::string logged(const std::function<void()>& act) {
    ::testing::internal::CaptureStderr();
    act();
    return ::testing::internal::GetCapturedStderr();
  }
  std::string after_days(int days) {
    clock_.advance_ms(days * kDayMs);
    return logged([this] { watch_.look(); });
  }

  ManualClock clock_;
  Log log_{LogLevel::warn};
  CertificateWatch watch_{clock_, log_};
};

TEST_F(CertificatesNearTheirEnd, AreNamedWhenTheyAreLoaded) {
  const std::string text = logged([this] { watch_.use({ends_in_days("near.crt", 13), ends_in_days("far.crt", 15)}); });
  EXPECT_THAT(text, AllOf(HasSubstr("tls.certificate_expires_soon"), HasSubstr("near.crt"), Not(HasSubstr("far.crt"))));
}

TEST_F(CertificatesNearTheirEnd, AreNamedOnceADayWhileTheServerRuns) {
  EXPECT_THAT(logged([this] { watch_.use({ends_in_days("reg.crt", 16)}); }), IsEmpty());
  EXPECT_THAT(after_days(1), IsEmpty()) << "15 days";
  EXPECT_THAT(after_days(1), HasSubstr("tls.certificate_expires_soon"));
  EXPECT_THAT(after_days(0), IsEmpty()) << "it has been said today";
  EXPECT_THAT(after_days(1), HasSubstr("tls.certificate_expires_soon"));
  EXPECT_THAT(after_days(20), HasSubstr("tls.certificate_expired"));
}

TEST_F(CertificatesNearTheirEnd, AreNotNamedAnyMoreOnceReplaced) {
  EXPECT_THAT(logged([this] { watch_.use({ends_in_days("reg.crt", 3)}); }), HasSubstr("expires_soon"));
  EXPECT_THAT(logged([this] { watch_.use({ends_in_days("reg.crt", 90)}); }), IsEmpty());
  EXPECT_THAT(after_days(2), IsEmpty());
}

}  // namespace
}  // namespace berth::app
