// What the disk below SQLite says, in the words of this room.
#include "sql/connection.h"
#include "support/faulty_sqlite_disk.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::sql {
namespace {

class SqliteFaults : public ::testing::Test {
 protected:
  SqliteFaults() { EXPECT_TRUE(writer_->run_script("CREATE TABLE t(id INTEGER PRIMARY KEY, raw BLOB)").has_value()); }
  std::unique_ptr<Connection> open(SqliteOptions::Mode mode) {
    return *open_sqlite({.path = dir_ / "t.db", .mode = mode});
  }
  Result<std::int64_t> insert(std::size_t size_bytes) {
    const std::string raw(size_bytes, 'x');
    return writer_->execute("INSERT INTO t(raw) VALUES($1)", {std::as_bytes(std::span(raw))});
  }

  test::TempDir dir_{test::TempDir::Where::memory};
  test::FaultySqliteDisk disk_;  // before the connections: they close through it
  std::unique_ptr<Connection> writer_ = open(SqliteOptions::Mode::writer);
};

constexpr struct {
  int system;
  Errc expected;
  std::string_view why;
} kWriteErrors[] = {
    {ENOSPC, Errc::no_space, "the disk is full"},
    {EDQUOT, Errc::no_space, "the owner's share of it is"},
    {EMFILE, Errc::unavailable, "passes when connections close"},
    {ENFILE, Errc::unavailable, "the same, for the machine"},
    {ENOMEM, Errc::unavailable, "passes as well"},
    {EIO, Errc::io_failed, "the disk is broken"},
};

TEST_F(SqliteFaults, AFailedWriteAtCommitIsWhatTheSystemSaid) {
  for (const auto& row : kWriteErrors) {
    disk_.log.write_errno = row.system;
    const auto failed = insert(10);
    disk_.repair();
    ASSERT_FALSE(failed.has_value()) << row.why;
    EXPECT_EQ(failed.error().code, row.expected) << row.why << ": " << failed.error().cause;
    EXPECT_TRUE(insert(10).has_value()) << row.why;
  }
}

TEST_F(SqliteFaults, AFailedWriteInsideAStatementIsWhatTheSystemSaid) {
  for (const auto& row : kWriteErrors) {
    ASSERT_TRUE(writer_->execute("BEGIN IMMEDIATE").has_value());
    disk_.log.write_errno = row.system;
    const auto failed = insert(40'000'000);  // more than the cache: spilled to the log before COMMIT
    disk_.repair();
    ASSERT_FALSE(failed.has_value()) << row.why;
    EXPECT_EQ(failed.error().code, row.expected) << row.why << ": " << failed.error().cause;
    if (writer_->in_transaction()) ASSERT_TRUE(writer_->execute("ROLLBACK").has_value());
  }
}

TEST_F(SqliteFaults, AFailedSyncIsOneWhateverTheSystemSaid) {
  for (const int system : {EIO, ENOSPC, EDQUOT}) {
    disk_.log.sync_errno = system;
    const auto failed = insert(10);
    disk_.repair();
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code, Errc::sync_failed) << "what the log holds now is unknown";
  }
}

}  // namespace
}  // namespace berth::sql
