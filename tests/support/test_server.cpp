#include "support/test_server.h"

#include "base/assert.h"

#include <gtest/gtest.h>

namespace berth::test {

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

/// The real files, with an invented amount of free space. The disk looks too small for a ballast, which would cost
/// every test 64 MiB.
class SpaceFiles final : public io::FileSystem {
 public:
  SpaceFiles(std::unique_ptr<io::FileSystem> files, const std::atomic<TestServer::Disk>& disk)
      : files_(std::move(files)), disk_(disk) {}

  Result<std::unique_ptr<io::File>> open(const std::string& path, Mode mode) override {
    return files_->open(path, mode);
  }
  Result<void> rename(const std::string& from, const std::string& to) override { return files_->rename(from, to); }
  Result<void> unlink(const std::string& path) override { return files_->unlink(path); }
  Result<void> make_dir(const std::string& path) override { return files_->make_dir(path); }
  Result<std::vector<io::DirEntry>> list(const std::string& dir) override { return files_->list(dir); }
  Result<void> sync_dir(const std::string& dir) override { return files_->sync_dir(dir); }
  Result<io::Space> space() override {
    switch (disk_.load()) {
      case TestServer::Disk::roomy: break;
      case TestServer::Disk::nearly_full: return io::Space{1000 * kMiB, 50 * kMiB};
      case TestServer::Disk::full: return io::Space{1000 * kMiB, 10 * kMiB};
    }
    return io::Space{1000 * kMiB, 500 * kMiB};
  }

 private:
  std::unique_ptr<io::FileSystem> files_;
  const std::atomic<TestServer::Disk>& disk_;
};

}  // namespace

TestServer::TestServer() : TestServer(Options()) {}

TestServer::TestServer(Options options) : options_(options), random_(options.seed) { start(); }

TestServer::~TestServer() { stop(); }

void TestServer::stop() { server_.reset(); }

void TestServer::start() {
  app::ServeConfig config;
  config.listen = {{"127.0.0.1", 0}};
  config.data_dir = dir_.path();
  config.anonymous = options_.anonymous;
  config.deletes = options_.deletes;
  config.auth_mode = options_.auth_mode;
  config.external_url = options_.external_url;
  config.auth_hosts = options_.auth_hosts;
  config.limits = options_.limits;
  config.subject_limits = options_.subject_limits;
  config.http = options_.http;
  config.log_level = LogLevel::off;
  config.threads = 2;
  config.disk_threads = 2;
  config.scrub_bytes_per_second = 0;
  config.drain_ms = 0;
  if (options_.adjust) options_.adjust(config);
  app::ServerSeams seams;
  seams.clock = &clock;
  seams.random = &random_;
  seams.wrap_files = [this](auto files) { return std::make_unique<SpaceFiles>(std::move(files), disk_); };
  seams.housekeeping = false;
  seams.lend_store = [this](meta::Store& store) { store_ = &store; };
  auto started = app::Server::start(std::move(config), std::move(seams));
  if (!started) ADD_FAILURE() << "the server does not start: " << started.error().message << started.error().cause;
  BERTH_ASSERT(started.has_value(), "a test needs its server");
  server_ = *std::move(started);
}

}  // namespace berth::test
