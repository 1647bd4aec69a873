#pragma once
// Berth in this process: a whole server on a free port of 127.0.0.1 over a data folder of its own, with a clock the
// test moves, repeatable chance and a disk as full as the test says. Cheap: a few milliseconds.

#include "app/server.h"
#include "base/clock.h"
#include "base/random.h"
#include "meta/store.h"
#include "support/temp_dir.h"
#include "support/test_server_client.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace berth::test {

class TestServer {
 public:
  struct Options {
    api::Anonymous anonymous = api::Anonymous::write;
    api::Deletes deletes = api::Deletes::on;
    registry::Limits limits;
    auth::SubjectLimits subject_limits;
    http::ServerLimits http;
    std::uint64_t seed = 1;
    api::AuthMode auth_mode = api::AuthMode::token;
    std::string external_url = "https://reg.example.com";  // what realm and service of a challenge are made of
    std::vector<std::string> auth_hosts;
    std::function<void(app::ServeConfig&)> adjust;  // what else a test wants to be set
  };
  /// What the server is told about its disk.
  enum class Disk : std::uint8_t { roomy, nearly_full, full };

  TestServer();  // the defaults of Options
  explicit TestServer(Options options);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return server_->port(); }
  app::Server& server() { return *server_; }
  /// Of the running server.
  meta::Store& store() { return *store_; }
  const std::string& data_dir() const { return dir_.path(); }
  std::string database_path() const { return dir_.path() + "/meta.db"; }

  void set_disk(Disk disk) { disk_ = disk; }
  /// Ends the server; the data folder stays. start() brings up another over the same folder.
  void stop();
  void start();

  ManualClock clock;

 private:
  Options options_;
  TempDir dir_{TempDir::Where::memory};
  SeededRandom random_;
  std::atomic<Disk> disk_{Disk::roomy};
  std::unique_ptr<app::Server> server_;
  meta::Store* store_ = nullptr;
};

}  // namespace berth::test
