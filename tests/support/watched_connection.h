#pragma once
// A Connection that tells a test what goes through it: statements, commits, and which of them waited for the disk.

#include "sql/connection.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace berth::test {

/// What every watched connection of one test adds up to. Thread-safe.
struct SqlWatch {
  std::atomic<std::int64_t> statements{0};  // with begin, commit and rollback
  std::atomic<std::int64_t> connections{0};
  std::mutex mutex;                     // guards: commits
  std::vector<bool> commits;            // per COMMIT that succeeded: whether it waited for the disk
  std::function<void(bool)> on_commit;  // called after each, on the writer's thread
  std::function<void()> on_maintain;    // called before each, likewise
  bool take_last_commit() {
    const std::lock_guard lock(mutex);
    return commits.back();
  }
};

class WatchedConnection final : public sql::Connection {
 public:
  WatchedConnection(std::unique_ptr<sql::Connection> inner, std::shared_ptr<SqlWatch> watch)
      : inner_(std::move(inner)), watch_(std::move(watch)) {
    ++watch_->connections;
  }

  Result<std::int64_t> run(sql::Sql sql, std::span<const sql::Bind> binds, sql::RowSink* sink) override {
    ++watch_->statements;
    return inner_->run(sql, binds, sink);
  }
  Result<void> run_script(const std::string& script) override { return inner_->run_script(script); }
  Result<void> begin() override {
    ++watch_->statements;
    return inner_->begin();
  }
  Result<void> commit() override {
    ++watch_->statements;
    auto done = inner_->commit();
    if (done) note_commit();
    return done;
  }
  Result<void> rollback() override {
    ++watch_->statements;
    return inner_->rollback();
  }
  bool in_transaction() const override { return inner_->in_transaction(); }
  const Error* engine_failure() const override { return inner_->engine_failure(); }
  Result<void> set_durable_commits(bool durable) override {
    durable_ = durable;
    return inner_->set_durable_commits(durable);
  }
  Result<void> maintain() override {
    if (watch_->on_maintain) watch_->on_maintain();
    return inner_->maintain();
  }
  bool needs_maintenance() const override { return inner_->needs_maintenance(); }
  Result<void> look_at(std::optional<std::uint64_t> moment) override { return inner_->look_at(moment); }
  void look_away() override { inner_->look_away(); }

 private:
  void note_commit() {
    {
      const std::lock_guard lock(watch_->mutex);
      watch_->commits.push_back(durable_);
    }
    if (watch_->on_commit) watch_->on_commit(durable_);
  }

  std::unique_ptr<sql::Connection> inner_;
  std::shared_ptr<SqlWatch> watch_;  // shared with the test
  bool durable_ = true;
};

}  // namespace berth::test
