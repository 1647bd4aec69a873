#pragma once
// The administration of a stopped server's data folder: the same operations as over /api/v1, by whoever owns the
// folder, which is more than any account could prove.

#include "api/admin/admin_api.h"
#include "app/data_dir.h"
#include "base/log.h"

#include <memory>
#include <string>

namespace berth::app {

class OfflineAdmin {
 public:
  /// Opens and locks the folder; makes one if there is none. Errors: as DataDir::open(); busy with the server's pid.
  static Result<std::unique_ptr<OfflineAdmin>> open(const std::string& data_path);
  ~OfflineAdmin();

  api::AdminReply call(const api::AdminRequest& request);

 private:
  OfflineAdmin() : log_(LogLevel::off) {}
  Result<void> start(const std::string& data_path);

  SystemClock clock_;
  SystemRandom random_;
  auth::SignInLimiter limiter_;
  Log log_;
  std::unique_ptr<DataDir> data_;
  std::unique_ptr<meta::Store> store_;
  std::unique_ptr<io::BlockingPool> passwords_;
  std::unique_ptr<auth::Directory> directory_;
  std::unique_ptr<auth::AuditLog> audit_;
  std::unique_ptr<auth::SetupToken> setup_;  // never made
  std::unique_ptr<api::AdminApi> api_;
};

}  // namespace berth::app
