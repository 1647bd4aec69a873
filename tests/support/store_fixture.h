#pragma once
// For tests of meta::Store and of transactions through it: a store whose writer can be broken, watched and held up.

#include "meta/settings.h"
#include "meta/store.h"
#include "sql/failing_connection.h"
#include "support/run_task.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"
#include "support/watched_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <string>

namespace berth::test {

class StoreFixture : public ::testing::Test {
 protected:
  StoreFixture() : probe_(path()) {}

  std::string path() const { return dir_ / "meta.db"; }

  void open(meta::Store::Hooks hooks = {}, meta::Store::Options options = {}) {
    options.path = path();
    hooks.wrap = [this, first = true](std::unique_ptr<sql::Connection> inner) mutable {
      if (!std::exchange(first, false)) return inner;  // readers stay whole: faults are for the writer
      return std::unique_ptr<sql::Connection>(std::make_unique<sql::FailingConnection>(
          std::make_unique<WatchedConnection>(std::move(inner), watch_), plan_));
    };
    auto opened = meta::Store::open(std::move(options), std::move(hooks), clock_, log_);
    ASSERT_TRUE(opened.has_value()) << opened.error().cause;
    store_ = *std::move(opened);
  }

  /// The n-th statement of the writer from now on fails.
  void fail_at(std::int64_t n, Errc error) {
    plan_->error = error;
    plan_->calls = 0;
    plan_->fail_at = n;
  }
  bool struck() const { return plan_->fail_at != 0 && plan_->calls >= plan_->fail_at; }

  /// Holds the writer inside a transaction of its own until go_on(): what is queued meanwhile is one batch.
  void hold_writer(std::function<void()> inside = [] {}) {
    held_ = std::make_unique<std::latch>(1);
    std::latch running(1);
    store_->write_later([&running, inside = std::move(inside), held = held_.get()](sql::Connection&) -> Result<void> {
      inside();
      running.count_down();
      held->wait();
      return {};
    });
    running.wait();
  }
  io::Task<Result<int>> go_on() {
    held_->count_down();
    co_return 0;
  }

  /// Writes key = value and returns `value`.
  io::Task<Result<int>> put(std::string key, int value, meta::WriteOptions options = {}) {
    return store_->write(
        [key = std::move(key), value](sql::Connection& db) -> Result<int> {
          BERTH_TRYV(meta::put_setting(db, key, std::to_string(value)));
          return value;
        },
        options);
  }
  /// Writes, then thinks better of it.
  io::Task<Result<int>> put_and_fail(std::string key) {
    return store_->write([key = std::move(key)](sql::Connection& db) -> Result<int> {
      BERTH_TRYV(meta::put_setting(db, key, "never"));
      return fail(Errc::referenced, "on purpose");
    });
  }
  Result<void> put_now(std::string_view key, meta::WriteOptions options = {}) {
    return store_->write_blocking([&](sql::Connection& db) { return meta::put_setting(db, key, "x"); }, options);
  }
  bool has(const std::string& key) const {
    return probe_.number("SELECT count(*) FROM meta WHERE key = '" + key + "'") == 1;
  }

  TempDir dir_{TempDir::Where::memory};
  ManualClock clock_;
  Log log_{LogLevel::off};
  SqliteProbe probe_;
  std::shared_ptr<sql::FaultPlan> plan_ = std::make_shared<sql::FaultPlan>();
  std::shared_ptr<SqlWatch> watch_ = std::make_shared<SqlWatch>();
  std::unique_ptr<std::latch> held_;
  std::unique_ptr<meta::Store> store_;
};

}  // namespace berth::test
