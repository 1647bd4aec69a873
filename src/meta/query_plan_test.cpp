// Every statement of this room is a seek: EXPLAIN QUERY PLAN on a migrated database shows no scan and no sort. What a
// statement costs must not grow with the store. And every statement is of the subset that both engines share, as far as
// that can be told from its text.
#include "meta/migrations.h"
#include "sql/connection.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

namespace berth::meta {
namespace {

struct Statement {
  std::string file;  // "tags.cpp"
  std::string name;  // "kList"
  std::string text;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Every `sql::Sql kName = R"(…)"` of a source text.
std::vector<Statement> statements_in(const std::string& file, const std::string& source) {
  constexpr std::string_view kType = "sql::Sql ";
  std::vector<Statement> out;
  for (std::size_t at = source.find(kType); at != std::string::npos; at = source.find(kType, at + 1)) {
    const std::size_t name = at + kType.size();
    const std::size_t equals = source.find(" = R\"(", name);
    const std::size_t stop = source.find_first_of(" ,)(;", name);
    if (equals == std::string::npos || equals != stop) continue;  // a parameter, not a definition
    const std::size_t text = equals + 6;
    out.push_back({file, source.substr(name, equals - name), source.substr(text, source.find(")\"", text) - text)});
  }
  return out;
}

std::vector<Statement> all_statements() {
  std::vector<Statement> out;
  for (const auto& entry : std::filesystem::directory_iterator("src/meta")) {
    const std::string file = entry.path().filename();
    if (!file.ends_with(".cpp") || file.ends_with("_test.cpp")) continue;
    for (auto& statement : statements_in(file, read(entry.path()))) out.push_back(std::move(statement));
  }
  return out;
}

struct Allowed {
  std::string_view statement;
  std::string_view reason;
};
constexpr Allowed kAllowed[] = {
    {"migrations.cpp kListVersions", "one row per migration"},
    {"uploads.cpp kRestart", "once after a power cut, over open sessions and young tombstones"},
    {"blobs.cpp kListDoomed", "the table holds what is to be unlinked right now, and the walk has a limit"},
    {"usage.cpp kTotals", "for the metrics, once a minute in the background"},
    {"usage.cpp kTotalBytes", "likewise"},
    {"audit.cpp kLast", "one row: the table is read from its end"},
    {"referrers.cpp kCount", "counts a range of one index, of one subject, and no further than the quota"},
};

bool is_allowed(const Statement& statement) {
  if (statement.file.starts_with("fsck")) return true;  // walks the store on purpose, in pages
  return std::ranges::any_of(
      kAllowed, [&](const Allowed& row) { return row.statement == statement.file + " " + statement.name; });
}

class QueryPlan : public ::testing::Test {
 protected:
  QueryPlan() {
    auto db = *sql::open_sqlite({.path = dir_ / "meta.db", .mode = sql::SqliteOptions::Mode::writer});
    EXPECT_TRUE(migrate(*db, 1).has_value());
    EXPECT_TRUE(db->run_script("CREATE TABLE big(id INTEGER PRIMARY KEY, x INTEGER)").has_value());
  }
  /// Lines of the plan that cost more than a seek.
  std::vector<std::string> costly(const std::string& sql) {
    std::string error;
    auto lines = probe_.plan(sql, error);
    if (!error.empty()) return {error};
    std::erase_if(lines, [](const std::string& line) {
      return !line.starts_with("SCAN") && !line.contains("USE TEMP B-TREE") && !line.contains("AUTOMATIC");
    });
    std::erase(lines, "SCAN CONSTANT ROW");
    return lines;
  }

  test::TempDir dir_{test::TempDir::Where::memory};
  test::SqliteProbe probe_{dir_ / "meta.db"};
};

TEST_F(QueryPlan, EveryStatementIsASeek) {
  const auto statements = all_statements();
  ASSERT_GT(statements.size(), 50U) << "run from the repository's root";
  for (const Statement& statement : statements) {
    if (is_allowed(statement)) continue;
    EXPECT_EQ(costly(statement.text), std::vector<std::string>{})
        << statement.file << " " << statement.name << ":" << statement.text;
  }
}

constexpr struct {
  const char* pattern;
  const char* why;
} kForeign[] = {
    {R"(\bBEGIN\b|\bCOMMIT\b|\bROLLBACK;?$)", "begin(), commit(), rollback() of the connection"},
    {R"(\bSTRICT\b|WITHOUT ROWID|\b(INTEGER|BLOB)\b (PRIMARY|NOT))", "type macros, through run_script()"},
    {R"(ON CONFLICT[^]*\b(\w+) = \1 )", "PostgreSQL cannot tell the old row's column from the new one's"},
    {R"(coalesce\([^()]* = [^()]*, [01]\))", "a truth value is no number in PostgreSQL"},
    {R"(THEN (NOT )?EXISTS[^]*ELSE [01] END)", "the same"},
    {R"(INSERT OR|\bGLOB\b|\browid\b|\bifnull\()", "SQLite's own"},
};

std::vector<std::string> foreign(const std::string& sql) {
  std::vector<std::string> out;
  for (const auto& row : kForeign) {
    if (std::regex_search(sql, std::regex(row.pattern))) out.emplace_back(row.why);
  }
  return out;
}

TEST(PortableSql, EveryStatementIsOfTheCommonSubset) {
  for (const Statement& statement : all_statements()) {
    EXPECT_EQ(foreign(statement.text), std::vector<std::string>{}) << statement.file << " " << statement.name;
  }
}

TEST(PortableSql, TheCheckKnowsWhatIsNotWhenItSeesIt) {
  EXPECT_EQ(foreign("BEGIN IMMEDIATE").size(), 1U);
  EXPECT_EQ(foreign("CREATE TABLE t(v INTEGER PRIMARY KEY) STRICT").size(), 1U);
  EXPECT_EQ(foreign("INSERT INTO t(a) VALUES(1)\n ON CONFLICT(a) DO UPDATE SET n = n + 1").size(), 1U);
  EXPECT_EQ(foreign("INSERT INTO t(a) VALUES(1)\n ON CONFLICT(a) DO UPDATE SET n = t.n + 1").size(), 0U);
  EXPECT_EQ(foreign("SELECT coalesce(a.x = b.x AND a.y = 1, 0)").size(), 1U);
  EXPECT_EQ(foreign("SELECT coalesce(max(v), 0)").size(), 0U);
  EXPECT_EQ(foreign("CASE k WHEN 1 THEN NOT EXISTS(SELECT 1)\n ELSE 0 END").size(), 1U);
}

TEST_F(QueryPlan, EveryExceptionIsStillAStatement) {
  std::vector<std::string> names;
  for (const Statement& statement : all_statements()) names.push_back(statement.file + " " + statement.name);
  for (const Allowed& row : kAllowed) EXPECT_THAT(names, ::testing::Contains(std::string(row.statement)));
}

TEST_F(QueryPlan, TheCheckKnowsAScanAndASortWhenItSeesOne) {
  EXPECT_EQ(costly("SELECT x FROM big WHERE id = 1"), std::vector<std::string>{});
  EXPECT_EQ(costly("SELECT x FROM big WHERE x = 1").size(), 1U);
  EXPECT_EQ(costly("SELECT count(*) FROM tag").size(), 1U);
  EXPECT_EQ(costly("SELECT x FROM big WHERE id > 5 ORDER BY x").size(), 1U);
  EXPECT_EQ(costly("UPDATE big SET x = 2 WHERE x = 1").size(), 1U);
  EXPECT_EQ(costly("SELEKT").size(), 1U);
}

TEST_F(QueryPlan, TheReaderOfSourcesFindsDefinitionsOnly) {
  const auto found = statements_in("x.cpp",
                                   "constexpr sql::Sql kOne = R\"(\n SELECT 1)\";\n"
                                   "Result<int> find(sql::Connection& db, sql::Sql sql, std::string_view name) {}\n"
                                   "constexpr sql::Sql kTwo = R\"(SELECT 2)\";\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name + found[0].text, "kOne\n SELECT 1");
  EXPECT_EQ(found[1].name + found[1].text, "kTwoSELECT 2");
}

}  // namespace
}  // namespace berth::meta
