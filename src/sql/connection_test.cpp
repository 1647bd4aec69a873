#include "sql/connection.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace berth::sql {
namespace {

class SqliteConnection : public ::testing::Test {
 protected:
  SqliteConnection() {
    std::string pattern = (std::filesystem::temp_directory_path() / "berth-sql-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    writer_ = *open_sqlite({.path = dir_ + "/t.db", .mode = SqliteOptions::Mode::writer});
    EXPECT_TRUE(writer_->run_script("CREATE TABLE t(id $PK, name $T UNIQUE, raw $B) $S").has_value());
  }
  ~SqliteConnection() override {
    writer_.reset();
    std::filesystem::remove_all(dir_);
  }

  std::string dir_;
  std::unique_ptr<Connection> writer_;
};

TEST_F(SqliteConnection, PlaceholdersBindByNumberWhateverTheirOrderInTheText) {
  ASSERT_TRUE(writer_->execute("INSERT INTO t(name, id) VALUES($2, $1)", {7, "seven"}).has_value());
  std::string name;
  ASSERT_TRUE(writer_
                  ->query("SELECT name FROM t WHERE name=$2 AND id=$1", {7, "seven"},
                          [&](const Row& row) { name = row.text(0); })
                  .has_value());
  EXPECT_EQ(name, "seven");
}

TEST_F(SqliteConnection, EmptyTextAndBlobAreNotNull) {
  ASSERT_TRUE(
      writer_->execute("INSERT INTO t(name, raw) VALUES($1, $2)", {std::string_view{}, std::span<const std::byte>{}})
          .has_value());
  int rows = 0;
  ASSERT_TRUE(writer_
                  ->query("SELECT name, raw FROM t", {},
                          [&](const Row& row) {
                            EXPECT_FALSE(row.is_null(0));
                            EXPECT_FALSE(row.is_null(1));
                            ++rows;
                          })
                  .has_value());
  EXPECT_EQ(rows, 1);
}

TEST_F(SqliteConnection, ReaderCannotWrite) {
  auto reader = *open_sqlite({.path = dir_ + "/t.db"});
  EXPECT_FALSE(reader->execute("INSERT INTO t(name) VALUES('x')").has_value());
}

TEST_F(SqliteConnection, AReaderLooksAnewWheneverTheMomentIsAnother) {
  const auto reader = *open_sqlite({.path = dir_ + "/t.db"});
  const auto seen_at = [&](std::optional<std::uint64_t> moment) {
    EXPECT_TRUE(reader->look_at(moment).has_value());
    std::int64_t count = -1;
    EXPECT_TRUE(reader->query("SELECT count(*) FROM t", {}, [&](const Row& row) { count = row.int64(0); }).has_value());
    return count;
  };
  const auto add = [&] { ASSERT_TRUE(writer_->execute("INSERT INTO t(name) VALUES(NULL)").has_value()); };
  EXPECT_EQ(seen_at(0), 0);
  add();
  EXPECT_EQ(seen_at(0), 0) << "it was promised that nothing is new";
  EXPECT_EQ(seen_at(2), 1);
  add();
  EXPECT_EQ(seen_at(std::nullopt), 2);
  add();
  EXPECT_EQ(seen_at(std::nullopt), 3) << "no moment is never the same";
  EXPECT_EQ(seen_at(2), 3) << "nor is one from before it";
  add();
  reader->look_away();
  EXPECT_EQ(seen_at(2), 4);
}

TEST_F(SqliteConnection, UniqueViolationIsAnErrorAndLeavesTheTransactionAlive) {
  ASSERT_TRUE(writer_->execute("BEGIN IMMEDIATE").has_value());
  ASSERT_TRUE(writer_->execute("INSERT INTO t(name) VALUES($1)", {"a"}).has_value());
  const auto again = writer_->execute("INSERT INTO t(name) VALUES($1)", {"a"});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::internal);
  EXPECT_TRUE(writer_->in_transaction());
  ASSERT_TRUE(writer_->execute("ROLLBACK").has_value());
}

TEST_F(SqliteConnection, AFileThatIsNoDatabaseIsRefusedAsDamaged) {
  std::filesystem::create_directories(dir_ + "/bad");
  FILE* f = std::fopen((dir_ + "/bad/t.db").c_str(), "w");
  std::fputs(std::string(4096, 'x').c_str(), f);
  std::fclose(f);
  const auto opened = open_sqlite({.path = dir_ + "/bad/t.db", .mode = SqliteOptions::Mode::writer});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace berth::sql
