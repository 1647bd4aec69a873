#include "app/offline_admin.h"

#include "app/token_keys.h"
#include "io/run_blocking.h"
#include "lifecycle/recovery.h"

namespace berth::app {

Result<std::unique_ptr<OfflineAdmin>> OfflineAdmin::open(const std::string& data_path, const Options& options) {
  std::unique_ptr<OfflineAdmin> out(new OfflineAdmin());
  BERTH_TRYV(out->start(data_path, options));
  return out;
}

OfflineAdmin::~OfflineAdmin() {
  if (store_) store_->stop();
  if (passwords_) passwords_->stop();
}

Result<void> OfflineAdmin::start(const std::string& data_path, const Options& options) {
  BERTH_TRY(data_, DataDir::open(data_path, options.create, random_));
  BERTH_TRY(store_, meta::Store::open({.path = data_->database_path()}, {}, clock_, log_));
  BERTH_TRYV(data_->files().sync_dir("."));
  BERTH_TRYV(lifecycle::claim_store(*store_, data_->store_id(), data_path));
  passwords_ = std::make_unique<io::BlockingPool>("passwords", 1, 10);
  directory_ = std::make_unique<auth::Directory>(*store_, auth::Rights());
  audit_ = std::make_unique<auth::AuditLog>(*store_, clock_);
  setup_ = std::make_unique<auth::SetupToken>(clock_);
  api_ = std::make_unique<api::AdminApi>(
      api::AdminDeps{*store_, *directory_, *audit_, *setup_, *passwords_, clock_, random_, limiter_});
  return become(options.user);
}

Result<void> OfflineAdmin::become(const std::string& user) {
  identity_.credential = auth::Credential::password;
  if (user.empty()) {
    identity_.subject = {auth::Subject::Kind::user, 0, std::string(kFolderOwner), true};
    return {};
  }
  BERTH_TRY(const auto found, store_->peek([&](sql::Connection& db) { return meta::find_principal(db, user); }));
  const bool is_user = found && found->kind == meta::PrincipalKind::user;
  const auto subject = is_user ? auth::subject_of(*found, clock_.now_ms()) : std::nullopt;
  if (!subject) return fail(Errc::account_unknown, "there is no user '" + user + "', or it is disabled");
  identity_.subject = *subject;
  return {};
}

api::AdminReply OfflineAdmin::call(const api::AdminRequest& request) {
  return io::run_blocking(api_->handle(identity_, request, "offline"));
}

Result<std::string> OfflineAdmin::rotate_token_keys(std::int64_t keep_ms) {
  BERTH_TRY(const auto before, load_token_keys(data_->path(), clock_));
  BERTH_TRYV(record_token_keys(*store_, before, clock_));  // what is known of them is what is there now
  BERTH_TRY(auto kid, app::rotate_token_keys(data_->path(), clock_, keep_ms));
  BERTH_TRY(const auto after, load_token_keys(data_->path(), clock_));
  BERTH_TRYV(record_token_keys(*store_, after, clock_));
  return kid;
}

}  // namespace berth::app
