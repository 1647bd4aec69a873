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
  struct Options {
    DataDir::Create create = DataDir::Create::never;
    std::string user = {};  // as whom; empty: as the owner of the folder, who has no account
  };
  /// Opens and locks the folder. Errors: as DataDir::open(); busy with the server's pid; account_unknown: no such user,
  /// or a disabled one.
  static Result<std::unique_ptr<OfflineAdmin>> open(const std::string& data_path, const Options& options);
  ~OfflineAdmin();

  api::AdminReply call(const api::AdminRequest& request);
  /// As app::rotate_token_keys(), and on record.
  Result<std::string> rotate_token_keys(std::int64_t keep_ms);

 private:
  OfflineAdmin() : log_(LogLevel::off) {}
  Result<void> start(const std::string& data_path, const Options& options);
  Result<void> become(const std::string& user);

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
  auth::Identity identity_;
};

}  // namespace berth::app
