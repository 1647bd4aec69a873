#pragma once
// The registry as a running thing: owns every service, in one tree, built in order and destroyed in reverse. The only
// code that names concrete back ends.

#include "app/config.h"
#include "base/random.h"
#include "base/result.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace berth::meta {
class Store;
}
namespace berth::sql {
class Connection;
}

namespace berth::app {

/// What a test may put in the place of the real thing. Empty members: the real one.
struct ServerSeams {
  const Clock* clock = nullptr;
  Random* random = nullptr;
  std::function<std::unique_ptr<sql::Connection>(std::unique_ptr<sql::Connection>)> wrap_connection;
  std::function<std::unique_ptr<io::FileSystem>(std::unique_ptr<io::FileSystem>)> wrap_files;
  bool housekeeping = true;  // false: the test calls run_housekeeping() itself
  /// Given the open store, which lives as long as the server: for what a test prepares without a request.
  std::function<void(meta::Store&)> lend_store;
};

class Server {
 public:
  /// Opens the data folder, recovers, listens. Errors: busy (`number` = pid of the owner), parameter_invalid, corrupt,
  /// unavailable, io_failed, all with a sentence for the person at the terminal.
  static Result<std::unique_ptr<Server>> start(ServeConfig config, ServerSeams seams = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Of the first TCP address.
  std::uint16_t port() const;
  /// Of each address of config().listen, in that order; 0 where there is none.
  const std::vector<std::uint16_t>& ports() const;
  /// 0 if the metrics have no address of their own.
  std::uint16_t metrics_port() const;
  /// What a reload did, by the keys of settings().
  struct ReloadReport {
    std::vector<std::string> applied;
    std::vector<std::string> need_restart;
  };
  /// Takes over what may change while running, and reads certificates anew; connections stay as they are. All or
  /// nothing: after an error everything is as it was. Not from two threads at once.
  Result<ReloadReport> reload(const ServeConfig& next);
  const ServeConfig& config() const;
  /// Whether anybody has an account.
  bool has_accounts() const;
  /// What makes the first administrator, within an hour; empty if there were accounts at the start.
  const std::string& setup_secret() const;
  const Log& log() const;
  /// Stops accepting, drains, closes. Blocks. Idempotent.
  void stop();
  /// One round of what the background threads do: space level, placement, expiry.
  void run_housekeeping();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace berth::app
