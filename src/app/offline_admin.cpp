#include "app/offline_admin.h"

#include "io/run_blocking.h"
#include "lifecycle/recovery.h"

namespace berth::app {

Result<std::unique_ptr<OfflineAdmin>> OfflineAdmin::open(const std::string& data_path) {
  std::unique_ptr<OfflineAdmin> out(new OfflineAdmin());
  BERTH_TRYV(out->start(data_path));
  return out;
}

OfflineAdmin::~OfflineAdmin() {
  if (store_) store_->stop();
  if (passwords_) passwords_->stop();
}

Result<void> OfflineAdmin::start(const std::string& data_path) {
  BERTH_TRY(data_, DataDir::open(data_path, DataDir::Create::if_missing, random_));
  BERTH_TRY(store_, meta::Store::open({.path = data_->database_path()}, {}, clock_, log_));
  BERTH_TRYV(data_->files().sync_dir("."));
  BERTH_TRYV(lifecycle::claim_store(*store_, data_->store_id(), data_path));
  passwords_ = std::make_unique<io::BlockingPool>("passwords", 1, 10);
  directory_ = std::make_unique<auth::Directory>(*store_, auth::Rights());
  audit_ = std::make_unique<auth::AuditLog>(*store_, clock_);
  setup_ = std::make_unique<auth::SetupToken>(clock_);
  api_ = std::make_unique<api::AdminApi>(
      api::AdminDeps{*store_, *directory_, *audit_, *setup_, *passwords_, clock_, random_, limiter_});
  return {};
}

api::AdminReply OfflineAdmin::call(const api::AdminRequest& request) {
  auth::Identity owner;
  owner.subject.kind = auth::Subject::Kind::user;
  owner.subject.name = "(owner of the data folder)";
  owner.subject.is_admin = true;
  owner.credential = auth::Credential::password;
  return io::run_blocking(api_->handle(owner, request, "offline"));
}

}  // namespace berth::app
