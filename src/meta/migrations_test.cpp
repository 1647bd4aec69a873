#include "meta/migrations.h"

#include "support/sqlite_probe.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::meta {
namespace {

class Migrations : public ::testing::Test {
 protected:
  std::int64_t newest() const { return static_cast<std::int64_t>(embedded_migrations().size()); }

  test::TempDir dir_{test::TempDir::Where::memory};
  std::unique_ptr<sql::Connection> db_ =
      *sql::open_sqlite({.path = dir_ / "meta.db", .mode = sql::SqliteOptions::Mode::writer});
  test::SqliteProbe probe_{dir_ / "meta.db"};
};

TEST_F(Migrations, AreNumberedInOrderFromOne) {
  std::int64_t expected = 0;
  for (const auto& migration : embedded_migrations()) {
    EXPECT_EQ(std::stoll(std::string(migration.name.substr(0, 4))), ++expected) << migration.name;
    EXPECT_FALSE(migration.sql.empty());
  }
  EXPECT_GT(expected, 0);
}

TEST_F(Migrations, AFreshDatabaseGetsThemAllWithTheirTime) {
  ASSERT_TRUE(migrate(*db_, 12345).has_value());
  EXPECT_EQ(probe_.number("SELECT max(v) FROM schema_version"), newest());
  EXPECT_EQ(probe_.number("SELECT count(*) FROM schema_version WHERE applied_at = 12345"), newest());
  EXPECT_GT(probe_.number("SELECT count(*) FROM sqlite_master WHERE name = 'manifest'"), 0);
}

TEST_F(Migrations, ASecondRunChangesNothing) {
  ASSERT_TRUE(migrate(*db_, 1).has_value());
  const std::string before = probe_.dump();
  ASSERT_TRUE(migrate(*db_, 2).has_value());
  EXPECT_EQ(probe_.dump(), before);
}

TEST_F(Migrations, OneThatWasChangedSinceItWasAppliedRefusesTheStart) {
  ASSERT_TRUE(migrate(*db_, 1).has_value());
  probe_.force("UPDATE schema_version SET checksum = 'other' WHERE v = 1");
  const auto refused = migrate(*db_, 2);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(std::string(embedded_migrations()[0].name)));
}

TEST_F(Migrations, ANewerDatabaseRefusesTheStartWithASentence) {
  ASSERT_TRUE(migrate(*db_, 1).has_value());
  probe_.force("INSERT INTO schema_version VALUES(999, 1, 'x', 999)");
  const std::string before = probe_.dump();
  const auto refused = migrate(*db_, 2);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("newer"));
  EXPECT_EQ(probe_.dump(), before);
}

TEST_F(Migrations, OneThatFailsLeavesNothingBehind) {
  ASSERT_TRUE(db_->run_script("CREATE TABLE tag(x)").has_value());  // in the way of 0001
  EXPECT_FALSE(migrate(*db_, 1).has_value());
  EXPECT_EQ(probe_.number("SELECT count(*) FROM sqlite_master WHERE name IN ('repo', 'blob', 'manifest')"), 0);
  EXPECT_EQ(probe_.number("SELECT count(*) FROM schema_version"), 0);
  EXPECT_FALSE(db_->in_transaction());
}

TEST_F(Migrations, EveryTableIsStrict) {
  ASSERT_TRUE(migrate(*db_, 1).has_value());
  EXPECT_THAT(probe_.rows("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 "
                          "AND name NOT LIKE 'sqlite_%'"),
              ::testing::IsEmpty());
}

}  // namespace
}  // namespace berth::meta
