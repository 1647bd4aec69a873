#include "sql/failing_connection.h"

#include "support/temp_dir.h"

#include <gtest/gtest.h>

namespace berth::sql {
namespace {

class FailingConnectionTest : public ::testing::Test {
 protected:
  FailingConnectionTest() : db_(*open_sqlite({.path = dir_ / "t.db", .mode = SqliteOptions::Mode::writer}), plan_) {
    EXPECT_TRUE(db_.run_script("CREATE TABLE t(x INTEGER)").has_value());
  }
  std::int64_t count() {
    std::int64_t n = 0;
    EXPECT_TRUE(db_.query("SELECT count(*) FROM t", {}, [&](const Row& row) { n = row.int64(0); }).has_value());
    return n;
  }

  test::TempDir dir_;
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  FailingConnection db_;
};

TEST_F(FailingConnectionTest, FailsExactlyTheNthCallWithoutRunningIt) {
  plan_->calls = 0;
  plan_->fail_at = 2;
  plan_->error = Errc::no_space;
  EXPECT_TRUE(db_.execute("INSERT INTO t VALUES(1)").has_value());
  const auto second = db_.execute("INSERT INTO t VALUES(2)");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::no_space);
  EXPECT_TRUE(db_.execute("INSERT INTO t VALUES(3)").has_value());
  EXPECT_EQ(count(), 2);
}

TEST_F(FailingConnectionTest, UnarmedItOnlyCounts) {
  plan_->calls = 0;
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(plan_->calls, 2);
}

}  // namespace
}  // namespace berth::sql
