#pragma once
// The database through a power cut. SQLite's file is not written through FaultFs; its log is what a cut can shorten.
// Every COMMIT is noted with the length of the log after it and whether it waited for the disk. After a cut the
// database stands at the last commit that did, or at any later one. (Torn and reordered log writes are tried on real
// files by sql/sqlite_test.cpp and tests/crash.)

#include "base/random.h"
#include "support/watched_connection.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace berth::sim {

class CrashingDatabase {
 public:
  CrashingDatabase() : watch_(std::make_shared<test::SqlWatch>()) {
    watch_->on_commit = [this](bool durable) { note_commit(durable); };
  }

  /// For the writer's connection.
  std::unique_ptr<sql::Connection> wrap(std::unique_ptr<sql::Connection> inner) {
    return std::make_unique<test::WatchedConnection>(std::move(inner), watch_);
  }
  /// A process has opened the database at `path` and written what opening writes, durably.
  void opened(const std::string& path) {
    path_ = path;
    lengths_ = {log_length()};
  }
  /// A disk that lies: no commit is durable. For tests of the tests.
  void ignore_syncs() { ignores_syncs_ = true; }

  /// Leaves at `to` what a power cut would. The process that has the database open must be idle.
  void cut_power(const std::string& to, Random& random) {
    const std::uint64_t length = lengths_[random.u64() % lengths_.size()];
    std::filesystem::copy_file(path_, to);
    if (!std::filesystem::exists(path_ + "-wal")) return;
    std::filesystem::copy_file(path_ + "-wal", to + "-wal");
    std::filesystem::resize_file(to + "-wal", length);
  }

 private:
  std::uint64_t log_length() const {
    std::error_code none;
    const auto size = std::filesystem::file_size(path_ + "-wal", none);
    return none ? 0 : size;
  }
  /// Runs on the writer's thread; the simulation waits for it before it looks.
  void note_commit(bool durable) {
    if (path_.empty()) return;
    if (durable && !ignores_syncs_) lengths_.clear();
    // A commit that changed nothing is no state of its own.
    if (const std::uint64_t now = log_length(); lengths_.empty() || lengths_.back() != now) lengths_.push_back(now);
  }

  std::shared_ptr<test::SqlWatch> watch_;
  std::string path_;
  std::vector<std::uint64_t> lengths_;  // the last durable commit first, then those that a cut may lose
  bool ignores_syncs_ = false;
};

}  // namespace berth::sim
