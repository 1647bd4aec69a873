#pragma once
// A second, raw look at a database for tests: everything in it as text, counts, query plans. Sees what is committed.
// Header only, so that test binaries of rooms below sql need not link SQLite.

#include "base/assert.h"
#include "base/hex.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {

namespace probe {

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Db = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

inline Db open(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Db db(raw);
  BERTH_ASSERT(code == SQLITE_OK, "the probe opens the database");
  sqlite3_busy_timeout(raw, 5000);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return db;
}

inline std::string column_text(sqlite3_stmt* statement, int column) {
  if (sqlite3_column_type(statement, column) == SQLITE_NULL) return "NULL";
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement, column));
  if (sqlite3_column_type(statement, column) == SQLITE_BLOB) {
    return to_hex(std::span(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))));
  }
  return reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
}

inline std::vector<std::string> select(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  const Statement statement(raw);
  BERTH_ASSERT(code == SQLITE_OK, "the probe's query is SQL");
  std::vector<std::string> out;
  while (sqlite3_step(raw) == SQLITE_ROW) {
    std::string row;
    for (int column = 0; column < sqlite3_column_count(raw); ++column) {
      if (column > 0) row += '|';
      row += column_text(raw, column);
    }
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace probe

class SqliteProbe {
 public:
  explicit SqliteProbe(std::string path) : path_(std::move(path)) {}

  /// All rows of a query, columns joined by `|`; blobs as hex, NULL as "NULL".
  std::vector<std::string> rows(std::string_view sql) const;
  std::int64_t number(std::string_view sql) const;
  /// Every row of every table in primary key order, `tables_left_out` aside: two equal texts are two equal databases.
  std::string dump(const std::vector<std::string>& tables_left_out = {}) const;
  /// The lines of EXPLAIN QUERY PLAN. Empty with a message in `error` if the text is no statement.
  std::vector<std::string> plan(const std::string& sql, std::string& error) const;
  /// Runs a script on a writing connection of its own: to damage things.
  void force(const std::string& script) const;

 private:
  std::string path_;
};

inline std::vector<std::string> SqliteProbe::rows(std::string_view sql) const {
  return probe::select(probe::open(path_, SQLITE_OPEN_READONLY).get(), sql);
}

inline std::int64_t SqliteProbe::number(std::string_view sql) const {
  const auto found = rows(sql);
  BERTH_ASSERT(found.size() == 1, "one number is asked for");
  return found[0] == "NULL" ? 0 : std::stoll(found[0]);
}

inline std::string SqliteProbe::dump(const std::vector<std::string>& tables_left_out) const {
  const probe::Db db = probe::open(path_, SQLITE_OPEN_READONLY);
  std::string out;
  for (const std::string& table :
       probe::select(db.get(), "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")) {
    if (std::ranges::find(tables_left_out, table) != tables_left_out.end()) continue;
    auto rows = probe::select(db.get(), "SELECT * FROM \"" + table + "\"");
    std::ranges::sort(rows);
    out += "-- " + table + "\n";
    for (const std::string& row : rows) out += row + "\n";
  }
  return out;
}

inline std::vector<std::string> SqliteProbe::plan(const std::string& sql, std::string& error) const {
  const probe::Db db = probe::open(path_, SQLITE_OPEN_READWRITE);
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db.get(), ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    error = sqlite3_errmsg(db.get());
    return {};
  }
  const probe::Statement statement(raw);
  std::vector<std::string> out;
  while (sqlite3_step(raw) == SQLITE_ROW) out.push_back(probe::column_text(raw, 3));
  return out;
}

inline void SqliteProbe::force(const std::string& script) const {
  const probe::Db db = probe::open(path_, SQLITE_OPEN_READWRITE);
  const int code = sqlite3_exec(db.get(), script.c_str(), nullptr, nullptr, nullptr);
  BERTH_ASSERT(code == SQLITE_OK, "the probe's script is SQL");
}

}  // namespace berth::test
