#pragma once
// A Connection for tests that breaks the n-th call: the fail-the-n-th-operation loop of the metadata tests.

#include "sql/connection.h"

#include <atomic>

namespace berth::sql {

/// Counts calls; when the counter reaches `fail_at` (1 = the next call), that call returns `error` instead of running.
struct FaultPlan {
  std::atomic<std::int64_t> fail_at{0};  // 0 = never
  std::atomic<std::int64_t> calls{0};
  Errc error = Errc::io_failed;

  bool hit() { return ++calls == fail_at.load(); }
};

class FailingConnection final : public Connection {
 public:
  FailingConnection(std::unique_ptr<Connection> inner, std::shared_ptr<FaultPlan> plan)
      : inner_(std::move(inner)), plan_(std::move(plan)) {}

  Result<std::int64_t> run(Sql sql, std::span<const Bind> binds, RowSink* sink) override {
    if (plan_->hit()) return fail(plan_->error, "injected", std::string(sql.text().substr(0, 60)));
    return inner_->run(sql, binds, sink);
  }
  Result<void> run_script(const std::string& script) override { return inner_->run_script(script); }
  bool in_transaction() const override { return inner_->in_transaction(); }
  Result<void> set_durable_commits(bool durable) override { return inner_->set_durable_commits(durable); }

 private:
  std::unique_ptr<Connection> inner_;
  std::shared_ptr<FaultPlan> plan_;  // shared with the test that arms it
};

}  // namespace berth::sql
