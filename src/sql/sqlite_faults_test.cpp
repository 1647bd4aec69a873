// What the disk below SQLite says, in the words of this room.
#include "sql/connection.h"
#include "support/faulty_sqlite_disk.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace berth::sql {
namespace {

class SqliteFaults : public ::testing::Test {
 protected:
  SqliteFaults() {
    EXPECT_TRUE(writer_->run_script("CREATE TABLE t(id INTEGER PRIMARY KEY, raw BLOB)").has_value());
    disk_.database.writes = disk_.database.syncs = 0;
  }
  std::unique_ptr<Connection> open(SqliteOptions::Mode mode) {
    return *open_sqlite({.path = dir_ / "t.db", .mode = mode, .log_pages_max = 50});
  }
  std::uint64_t size_of(const char* name) const { return std::filesystem::file_size(dir_ / name); }
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

TEST_F(SqliteFaults, ALongLogIsBroughtIntoTheDatabaseByMaintenanceAndByNothingElse) {
  ASSERT_TRUE(insert(10).has_value());
  ASSERT_TRUE(writer_->maintain().has_value());
  EXPECT_EQ(disk_.database.writes, 0) << "short";
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(insert(100'000).has_value());
  EXPECT_EQ(disk_.database.writes, 0) << "COMMIT would keep its failure to itself";
  ASSERT_TRUE(writer_->maintain().has_value());
  EXPECT_GT(disk_.database.writes, 200);
  EXPECT_EQ(disk_.database.syncs, 1);
  const auto log_bytes = size_of("t.db-wal");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(insert(10).has_value());
  EXPECT_EQ(size_of("t.db-wal"), log_bytes) << "the log begins anew in the same place";
  ASSERT_TRUE(writer_->maintain().has_value());
  EXPECT_EQ(disk_.database.syncs, 1);
}

TEST_F(SqliteFaults, AReaderThatLooksAwayLetsTheLogBeginAnew) {
  const auto reader = open(SqliteOptions::Mode::reader);
  const auto fill_and_maintain = [&] {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(insert(100'000).has_value());
    ASSERT_TRUE(writer_->needs_maintenance());
    ASSERT_TRUE(writer_->maintain().has_value());
    EXPECT_FALSE(writer_->needs_maintenance());
  };
  ASSERT_TRUE(insert(10).has_value());
  ASSERT_TRUE(reader->look_at(1).has_value());
  ASSERT_TRUE(reader->query("SELECT id FROM t", {}, [](const Row&) {}).has_value());
  ASSERT_NO_FATAL_FAILURE(fill_and_maintain());
  const auto held = size_of("t.db-wal");
  ASSERT_NO_FATAL_FAILURE(fill_and_maintain());
  EXPECT_GT(size_of("t.db-wal"), held) << "what somebody looks at stays";
  reader->look_away();
  EXPECT_FALSE(reader->in_transaction());
  ASSERT_NO_FATAL_FAILURE(fill_and_maintain());
  const auto free = size_of("t.db-wal");
  ASSERT_NO_FATAL_FAILURE(fill_and_maintain());
  EXPECT_EQ(size_of("t.db-wal"), free);
}

TEST_F(SqliteFaults, AFailedSyncInMaintenanceIsHeardOf) {
  ASSERT_TRUE(insert(1'000'000).has_value());
  for (auto* file : {&disk_.log, &disk_.database}) {
    file->sync_errno = EIO;
    const auto failed = writer_->maintain();
    disk_.repair();
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code, Errc::sync_failed);
    ASSERT_NE(writer_->engine_failure(), nullptr);
    EXPECT_EQ(writer_->engine_failure()->code, Errc::sync_failed);
    ASSERT_TRUE(insert(1'000'000).has_value());  // the driver leaves it to its caller to stop
  }
}

TEST_F(SqliteFaults, AfterAFailedSyncClosingLeavesDatabaseAndLogAsTheyAre) {
  ASSERT_TRUE(insert(100'000).has_value());
  disk_.log.sync_errno = EIO;
  ASSERT_FALSE(insert(100'000).has_value());
  disk_.repair();
  const auto before = std::pair(size_of("t.db"), size_of("t.db-wal"));
  writer_.reset();
  EXPECT_EQ(std::pair(size_of("t.db"), size_of("t.db-wal")), before);
  EXPECT_EQ(disk_.database.writes, 0);
}

TEST_F(SqliteFaults, WhatIsCommittedAfterARestartSurvivesAPowerCutThoughTheLastProcessFailedToSync) {
  ASSERT_TRUE(writer_->set_durable_commits(false).has_value());
  ASSERT_TRUE(insert(1'000).has_value());  // not synced yet: the next sync has to do it
  ASSERT_TRUE(writer_->set_durable_commits(true).has_value());
  disk_.log.sync_errno = EIO;
  ASSERT_FALSE(insert(1'000).has_value());
  disk_.repair();
  writer_.reset();
  writer_ = open(SqliteOptions::Mode::writer);
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES(777)").has_value()) << "acknowledged";
  disk_.database.cut_power(dir_ / "cut.db");
  disk_.log.cut_power(dir_ / "cut.db-wal");
  auto after = open_sqlite({.path = dir_ / "cut.db", .mode = SqliteOptions::Mode::writer});
  ASSERT_TRUE(after.has_value());
  std::int64_t found = 0;
  ASSERT_TRUE((*after)->query("SELECT count(*) FROM t WHERE id = 777", {}, [&](const Row& r) { found = r.int64(0); }));
  EXPECT_EQ(found, 1);
}

TEST_F(SqliteFaults, ALogThatCannotBeMadeDurableRefusesTheStart) {
  disk_.log.sync_errno = EIO;
  ASSERT_FALSE(insert(1'000).has_value());
  writer_.reset();
  const auto refused = open_sqlite({.path = dir_ / "t.db", .mode = SqliteOptions::Mode::writer});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::sync_failed);
}

TEST_F(SqliteFaults, OnlyTheFramesThatCountAreWrittenAnewAtAStart) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(insert(100'000).has_value());
  ASSERT_TRUE(writer_->maintain().has_value());
  ASSERT_TRUE(insert(10).has_value());  // one or two frames of a new log in front of hundreds of the old one
  ASSERT_GT(size_of("t.db-wal"), 1'000'000U);
  disk_.log.sync_errno = EIO;  // keeps the log when it is closed
  ASSERT_FALSE(insert(10).has_value());
  disk_.repair();
  writer_.reset();
  const auto before = disk_.log.writes.load();
  writer_ = open(SqliteOptions::Mode::writer);
  EXPECT_GT(disk_.log.writes, before);
  EXPECT_LT(disk_.log.writes, before + 20);
}

TEST_F(SqliteFaults, TheEngineTellsItsOwnFullDiskUntilTheNextTransaction) {
  ASSERT_TRUE(writer_->begin().has_value());
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES(1)").has_value());
  EXPECT_EQ(writer_->engine_failure(), nullptr);
  disk_.log.write_errno = EDQUOT;
  ASSERT_FALSE(writer_->commit().has_value());
  disk_.repair();
  ASSERT_NE(writer_->engine_failure(), nullptr);
  EXPECT_EQ(writer_->engine_failure()->code, Errc::no_space);
  ASSERT_TRUE(writer_->begin().has_value());
  EXPECT_EQ(writer_->engine_failure(), nullptr);
  ASSERT_FALSE(writer_->execute("INSERT INTO t(id) VALUES(1), (1)").has_value());
  EXPECT_EQ(writer_->engine_failure(), nullptr) << "a constraint is the caller's own";
  ASSERT_TRUE(writer_->rollback().has_value());
}

}  // namespace
}  // namespace berth::sql
