#pragma once
// A Connection for tests that breaks the n-th call: the fail-the-n-th-operation loop of the metadata tests.

#include "sql/connection.h"

#include <atomic>
#include <optional>

namespace berth::sql {

/// Counts statements, begin, commit and rollback; when the counter reaches `fail_at` (1 = the next call), that call
/// returns `error` instead of running.
struct FaultPlan {
  std::atomic<std::int64_t> fail_at{0};  // 0 = never
  std::atomic<std::int64_t> calls{0};
  std::atomic<bool> fail_maintain{false};  // not counted: every call of maintain() returns `error`
  Errc error = Errc::io_failed;

  bool hit() { return ++calls == fail_at.load(); }
};

class FailingConnection final : public Connection {
 public:
  FailingConnection(std::unique_ptr<Connection> inner, std::shared_ptr<FaultPlan> plan)
      : inner_(std::move(inner)), plan_(std::move(plan)) {}

  Result<std::int64_t> run(Sql sql, std::span<const Bind> binds, RowSink* sink) override {
    BERTH_TRYV(go(sql.text()));
    return inner_->run(sql, binds, sink);
  }
  Result<void> run_script(const std::string& script) override { return inner_->run_script(script); }
  Result<void> begin() override {
    failure_.reset();
    BERTH_TRYV(go("begin"));
    return inner_->begin();
  }
  Result<void> commit() override {
    BERTH_TRYV(go("commit"));
    return inner_->commit();
  }
  Result<void> rollback() override {
    BERTH_TRYV(go("rollback"));
    return inner_->rollback();
  }
  bool in_transaction() const override { return inner_->in_transaction(); }
  const Error* engine_failure() const override { return failure_ ? &*failure_ : inner_->engine_failure(); }
  Result<void> set_durable_commits(bool durable) override { return inner_->set_durable_commits(durable); }
  Result<void> maintain() override {
    if (plan_->fail_maintain) return fail(plan_->error, "injected", "maintain");
    return inner_->maintain();
  }
  bool needs_maintenance() const override { return plan_->fail_maintain || inner_->needs_maintenance(); }
  Result<void> look_at(std::optional<std::uint64_t> moment) override { return inner_->look_at(moment); }
  void look_away() override { inner_->look_away(); }

 private:
  Result<void> go(std::string_view doing) {
    if (!plan_->hit()) return {};
    Error error(plan_->error, "injected", std::string(doing.substr(0, 60)));
    if (error.code == Errc::no_space || error.code == Errc::sync_failed) failure_ = error;
    return fail(std::move(error));
  }

  std::unique_ptr<Connection> inner_;
  std::optional<Error> failure_;
  std::shared_ptr<FaultPlan> plan_;  // shared with the test that arms it
};

}  // namespace berth::sql
