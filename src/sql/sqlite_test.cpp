#include "sql/connection.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <fstream>

namespace berth::sql {
namespace {

constexpr struct {
  std::string_view script;
  std::string_view expanded;
  std::string_view why;
} kTypes[] = {
    {"id $PK", "id INTEGER PRIMARY KEY", "key"},
    {"id $UPK", "id INTEGER PRIMARY KEY AUTOINCREMENT", "key that is never given out twice"},
    {"a $I, b $B, c $T, d $J", "a INTEGER, b BLOB, c TEXT, d TEXT", "columns"},
    {") $S; ) $W;", ") STRICT; ) STRICT, WITHOUT ROWID;", "table options"},
    {"costs $5 and $", "costs $5 and $", "anything else stays"},
    {"", "", "empty"},
};

TEST(SqliteTypes, MacrosExpand) {
  for (const auto& row : kTypes) EXPECT_EQ(expand_sqlite_types(row.script), row.expanded) << row.why;
}

class Sqlite : public ::testing::Test {
 protected:
  Sqlite() {
    EXPECT_TRUE(writer_->run_script("CREATE TABLE t(id INTEGER PRIMARY KEY, raw BLOB, name TEXT)").has_value());
  }
  std::unique_ptr<Connection> open(SqliteOptions::Mode mode) {
    return *open_sqlite({.path = dir_ / "t.db", .mode = mode});
  }
  static std::int64_t count(Connection& db) {
    std::int64_t n = -1;
    EXPECT_TRUE(db.query("SELECT count(*) FROM t", {}, [&](const Row& row) { n = row.int64(0); }).has_value());
    return n;
  }

  test::TempDir dir_{test::TempDir::Where::memory};
  std::unique_ptr<Connection> writer_ = open(SqliteOptions::Mode::writer);
};

TEST_F(Sqlite, EveryTypeComesBackAsItWent) {
  const std::string text("with \0 inside", 13);
  const std::array raw{std::byte{0}, std::byte{0xff}, std::byte{0}};
  ASSERT_TRUE(writer_
                  ->execute("INSERT INTO t(id, raw, name) VALUES($1, $2, $3)",
                            {INT64_MIN, std::span<const std::byte>(raw), std::string_view(text)})
                  .has_value());
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id, raw, name) VALUES($1, $2, $3)", {INT64_MAX, nullptr, nullptr}));
  int rows = 0;
  ASSERT_TRUE(writer_
                  ->query("SELECT id, raw, name FROM t ORDER BY id", {},
                          [&](const Row& row) {
                            if (rows++ == 1) {
                              EXPECT_EQ(row.int64(0), INT64_MAX);
                              EXPECT_TRUE(row.is_null(1) && row.is_null(2));
                              return;
                            }
                            EXPECT_EQ(row.int64(0), INT64_MIN);
                            EXPECT_TRUE(std::ranges::equal(row.blob(1), raw));
                            EXPECT_EQ(row.text(2), text);
                          })
                  .has_value());
  EXPECT_EQ(rows, 2);
}

TEST_F(Sqlite, ASinkThatSaysEnoughEndsTheQueryAndFreesItsSnapshot) {
  for (std::int64_t i = 1; i <= 5; ++i) ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES($1)", {i}).has_value());
  auto reader = open(SqliteOptions::Mode::reader);
  int rows = 0;
  ASSERT_TRUE(reader->query("SELECT id FROM t ORDER BY id", {}, [&](const Row&) { return ++rows < 2; }).has_value());
  EXPECT_EQ(rows, 2);
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES(6)").has_value());
  EXPECT_EQ(count(*reader), 6);
}

TEST_F(Sqlite, TheSameStatementMayBeRunAgainWithOtherValues) {
  for (std::int64_t i = 1; i <= 3; ++i) {
    const auto changed = writer_->execute("INSERT INTO t(id) VALUES($1)", {i});
    ASSERT_TRUE(changed.has_value());
    EXPECT_EQ(*changed, 1);
  }
  EXPECT_EQ(writer_->execute("UPDATE t SET name = 'x' WHERE id > $1", {1}).value(), 2);
  EXPECT_EQ(writer_->execute("DELETE FROM t WHERE id = $1", {99}).value(), 0);
}

TEST_F(Sqlite, ReadersSeeOnlyWhatIsCommitted) {
  auto reader = open(SqliteOptions::Mode::reader);
  ASSERT_TRUE(writer_->execute("BEGIN IMMEDIATE").has_value());
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES(1)").has_value());
  EXPECT_TRUE(writer_->in_transaction());
  EXPECT_EQ(count(*reader), 0);
  ASSERT_TRUE(writer_->execute("COMMIT").has_value());
  EXPECT_FALSE(writer_->in_transaction());
  EXPECT_EQ(count(*reader), 1);
}

TEST_F(Sqlite, ASecondWriterIsTurnedAwayAtOnce) {
  auto other = open(SqliteOptions::Mode::writer);
  ASSERT_TRUE(writer_->execute("BEGIN IMMEDIATE").has_value());
  const auto refused = other->execute("BEGIN IMMEDIATE");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  ASSERT_TRUE(writer_->execute("ROLLBACK").has_value());
}

TEST_F(Sqlite, ADatabaseThatMayNotGrowIsNoSpaceAndKeepsWhatItHad) {
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES(1)").has_value());
  ASSERT_TRUE(writer_->run_script("PRAGMA max_page_count=4").has_value());
  const std::string big(200'000, 'x');
  const auto refused = writer_->execute("INSERT INTO t(name) VALUES($1)", {std::string_view(big)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::no_space);
  ASSERT_NE(writer_->engine_failure(), nullptr) << "the writer tells the engine's refusal from a closure's";
  EXPECT_EQ(writer_->engine_failure()->code, Errc::no_space);
  EXPECT_EQ(count(*writer_), 1);
}

TEST_F(Sqlite, DurabilityIsSwitchedBetweenTransactions) {
  ASSERT_TRUE(writer_->set_durable_commits(false).has_value());
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES(1)").has_value());
  ASSERT_TRUE(writer_->set_durable_commits(true).has_value());
  ASSERT_TRUE(writer_->set_durable_commits(true).has_value());
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES(2)").has_value());
  EXPECT_EQ(count(*writer_), 2);
}

TEST_F(Sqlite, BadStatementsAreInternalAndNameTheText) {
  const auto bad = writer_->execute("SELEKT 1");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, Errc::internal);
  EXPECT_NE(bad.error().cause.find("SELEKT"), std::string::npos);
  EXPECT_TRUE(bad.error().message.empty()) << "statements are for the log only";
}

TEST_F(Sqlite, OpeningWithoutAFolderFails) {
  const auto opened = open_sqlite({.path = dir_ / "no/t.db", .mode = SqliteOptions::Mode::writer});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::io_failed);
}

TEST_F(Sqlite, AReaderDoesNotCreateADatabase) {
  const auto opened = open_sqlite({.path = dir_ / "new.db"});
  EXPECT_FALSE(opened.has_value());
  EXPECT_FALSE(std::filesystem::exists(dir_ / "new.db"));
}

TEST_F(Sqlite, ReadersNeverCheckpoint) {
  ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES(1)").has_value());
  const auto wal_bytes = [&] { return std::filesystem::file_size(dir_ / "t.db-wal"); };
  const auto before = wal_bytes();
  ASSERT_GT(before, 0U);
  {
    auto reader = open(SqliteOptions::Mode::reader);
    EXPECT_EQ(count(*reader), 1);
    EXPECT_FALSE(reader->run_script("PRAGMA wal_checkpoint(TRUNCATE)").has_value() && wal_bytes() == 0);
  }
  EXPECT_EQ(wal_bytes(), before);
}

TEST_F(Sqlite, ALogCutAnywhereOpensAtACommittedState) {
  for (std::int64_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(writer_->execute("BEGIN IMMEDIATE").has_value());
    // Two rows a transaction: half of one would show as an odd count.
    ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES($1)", {2 * i}).has_value());
    ASSERT_TRUE(writer_->execute("INSERT INTO t(id) VALUES($1)", {2 * i + 1}).has_value());
    ASSERT_TRUE(writer_->execute("COMMIT").has_value());
  }
  const auto size = std::filesystem::file_size(dir_ / "t.db-wal");
  std::int64_t last = 0;
  for (std::uint64_t cut = 0; cut <= size; cut += 1500) {
    std::filesystem::copy_file(dir_ / "t.db", dir_ / "cut.db", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(dir_ / "t.db-wal", dir_ / "cut.db-wal",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(dir_ / "cut.db-wal", cut);
    auto db = open_sqlite({.path = dir_ / "cut.db", .mode = SqliteOptions::Mode::writer});
    ASSERT_TRUE(db.has_value()) << cut;
    const auto tables = [&] {
      std::int64_t n = 0;
      EXPECT_TRUE((*db)->query("SELECT count(*) FROM sqlite_master WHERE name = 't'", {},
                               [&](const Row& row) { n = row.int64(0); }));
      return n;
    };
    if (tables() == 0) continue;  // the cut came before the table
    const std::int64_t now = count(**db);
    EXPECT_EQ(now % 2, 0) << cut;
    EXPECT_GE(now, last) << cut;
    last = now;
    db->reset();
    std::filesystem::remove(dir_ / "cut.db-wal");
    std::filesystem::remove(dir_ / "cut.db-shm");
  }
  EXPECT_GE(last, 38);
}

}  // namespace
}  // namespace berth::sql
