#include "sql/connection.h"
#include "sql/sqlite_error.h"
#include "sql/sqlite_log.h"

#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace berth::sql {

namespace {

struct CloseDb {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct Finalize {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using Db = std::unique_ptr<sqlite3, CloseDb>;
using Stmt = std::unique_ptr<sqlite3_stmt, Finalize>;

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* s) : s_(s) {}
  bool is_null(int c) const override { return sqlite3_column_type(s_, c) == SQLITE_NULL; }
  std::int64_t int64(int c) const override { return sqlite3_column_int64(s_, c); }
  std::string_view text(int c) const override {
    // The same bytes as sqlite3_column_text(), which would copy them for the sake of a zero after the last.
    const auto* p = static_cast<const char*>(sqlite3_column_blob(s_, c));
    return {p, static_cast<std::size_t>(sqlite3_column_bytes(s_, c))};
  }
  std::span<const std::byte> blob(int c) const override {
    const auto* p = static_cast<const std::byte*>(sqlite3_column_blob(s_, c));
    return {p, static_cast<std::size_t>(sqlite3_column_bytes(s_, c))};
  }

 private:
  sqlite3_stmt* s_;
};

/// A prepared statement with the map from $n to SQLite's own numbering (it numbers names by first appearance).
struct Prepared {
  Stmt stmt;
  std::vector<int> index_of;
};

class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(Db db) : db_(std::move(db)) {}

  /// Makes this the connection that checkpoints, when maintain() is called and not by itself: SQLite would do it inside
  /// COMMIT and keep a failure to itself.
  void take_over_checkpoints(int log_pages_max) {
    log_pages_max_ = log_pages_max;
    sqlite3_wal_hook(
        db_.get(),
        [](void* self, sqlite3*, const char*, int log_pages) {
          static_cast<SqliteConnection*>(self)->log_pages_ = log_pages;
          return SQLITE_OK;
        },
        this);
  }

  Result<std::int64_t> run(Sql sql, std::span<const Bind> binds, RowSink* sink) override {
    BERTH_TRY(Prepared * prepared, prepare(sql));
    sqlite3_stmt* stmt = prepared->stmt.get();
    // Whatever happens below, the statement is reset: an open read statement would pin its snapshot.
    struct Reset {
      sqlite3_stmt* s;
      ~Reset() { sqlite3_reset(s); }
    } reset{stmt};
    for (std::size_t i = 0; i < binds.size(); ++i)
      bind(stmt, i < prepared->index_of.size() ? prepared->index_of[i] : 0, binds[i]);
    const SqliteRow row(stmt);
    for (;;) {
      errno = 0;
      const int rc = sqlite3_step(stmt);
      if (rc == SQLITE_DONE) return sqlite3_changes64(db_.get());
      if (rc != SQLITE_ROW) return failed(sql.text());
      if (sink != nullptr && !sink->on_row(row)) return 0;
    }
  }

  Result<void> run_script(const std::string& script) override {
    errno = 0;
    if (sqlite3_exec(db_.get(), expand_sqlite_types(script).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      return failed(script);
    }
    return {};
  }

  Result<void> begin() override {
    if (failure_ && failure_->code != Errc::sync_failed) failure_.reset();
    return nothing_of(execute("BEGIN IMMEDIATE"));
  }
  Result<void> commit() override { return nothing_of(execute("COMMIT")); }
  Result<void> rollback() override { return nothing_of(execute("ROLLBACK")); }
  const Error* engine_failure() const override { return failure_ ? &*failure_ : nullptr; }

  bool in_transaction() const override { return sqlite3_get_autocommit(db_.get()) == 0; }

  Result<void> set_durable_commits(bool durable) override {
    if (durable_ == durable) return {};
    // In WAL mode FULL syncs the log at every commit, NORMAL only at checkpoints.
    BERTH_TRYV(run_script(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
    durable_ = durable;
    return {};
  }

  bool needs_maintenance() const override { return log_pages_ >= log_pages_max_; }

  Result<void> look_at(std::optional<std::uint64_t> moment) override {
    if (moment && moment == moment_ && in_transaction()) return {};
    look_away();
    BERTH_TRYV(execute("BEGIN"));
    moment_ = moment;
    return {};
  }

  void look_away() override {
    if (in_transaction() && !commit()) (void)rollback();
    moment_.reset();
  }

  Result<void> maintain() override {
    if (!needs_maintenance()) return {};
    log_pages_ = 0;
    errno = 0;
    // Passive: waits for no reader. What one of them still needs is left for the next time.
    if (sqlite3_wal_checkpoint_v2(db_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) != SQLITE_OK) {
      return failed("checkpoint");
    }
    return {};
  }

 private:
  static Result<void> nothing_of(Result<std::int64_t> done) {
    if (!done) return fail(std::move(done).error());
    return {};
  }

  std::unexpected<Error> failed(std::string_view doing) {
    auto out = sqlite_error(db_.get(), doing);
    const Errc code = out.error().code;
    if (code == Errc::sync_failed) {
      // Pages of the log may be lost, though they still read well. Brought into the database file now, half of that
      // work could outlive a power cut, and the log it came from not.
      sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
      failure_ = out.error();
    } else if (code == Errc::no_space && !failure_) {
      failure_ = out.error();
    }
    return out;
  }

  Result<Prepared*> prepare(Sql sql) {
    const auto found = cache_.find(sql.text().data());
    if (found != cache_.end()) return &found->second;
    sqlite3_stmt* raw = nullptr;
    const auto text = sql.text();
    errno = 0;
    if (sqlite3_prepare_v3(db_.get(), text.data(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &raw,
                           nullptr) != SQLITE_OK) {
      return failed(text);
    }
    Prepared prepared{Stmt(raw), {}};
    const int count = sqlite3_bind_parameter_count(raw);
    for (int i = 1; i <= 32; ++i) {
      const std::string name = "$" + std::to_string(i);
      const int index = sqlite3_bind_parameter_index(raw, name.c_str());
      if (index == 0 && static_cast<int>(prepared.index_of.size()) >= count) break;
      prepared.index_of.push_back(index);
    }
    return &cache_.emplace(text.data(), std::move(prepared)).first->second;
  }

  static void bind(sqlite3_stmt* stmt, int index, const Bind& value) {
    if (index == 0) return;
    if (std::holds_alternative<std::nullptr_t>(value)) {
      sqlite3_bind_null(stmt, index);
    } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(stmt, index, *i);
    } else if (const auto* t = std::get_if<std::string_view>(&value)) {
      // An empty view may carry a null pointer, which SQLite would read as NULL.
      sqlite3_bind_text64(stmt, index, t->data() == nullptr ? "" : t->data(), t->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else {
      const auto& b = std::get<std::span<const std::byte>>(value);
      sqlite3_bind_blob64(stmt, index, b.data() == nullptr ? static_cast<const void*>("") : b.data(), b.size(),
                          SQLITE_STATIC);
    }
  }

  Db db_;
  bool durable_ = true;
  std::optional<std::uint64_t> moment_;  // of the view that is open, see look_at()
  int log_pages_ = 0;                    // of the log after the last commit, if nobody has looked since
  int log_pages_max_ = 0;                // writer only
  std::optional<Error> failure_;
  std::unordered_map<const char*, Prepared> cache_;  // destroyed before db_
};

/// SQLite counts what it allocates under one lock for all connections. Nobody asks for the figure. Without effect where
/// another part of the process has used SQLite before.
void stop_counting_memory() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)done;
}

}  // namespace

std::string expand_sqlite_types(std::string_view script) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kTypes = {{
      {"$PK", "INTEGER PRIMARY KEY"},
      {"$UPK", "INTEGER PRIMARY KEY AUTOINCREMENT"},
      {"$I", "INTEGER"},
      {"$B", "BLOB"},
      {"$T", "TEXT"},
      {"$J", "TEXT"},
      {"$S", "STRICT"},
      {"$W", "STRICT, WITHOUT ROWID"},
  }};
  std::string out;
  out.reserve(script.size() * 2);
  for (std::size_t i = 0; i < script.size();) {
    bool replaced = false;
    for (const auto& [macro, text] : kTypes) {
      if (script.substr(i).starts_with(macro)) {
        out.append(text);
        i += macro.size();
        replaced = true;
        break;
      }
    }
    if (!replaced) out.push_back(script[i++]);
  }
  return out;
}

Result<std::unique_ptr<Connection>> open_sqlite(const SqliteOptions& options) {
  stop_counting_memory();
  const bool writer = options.mode == SqliteOptions::Mode::writer;
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  sqlite3* raw = nullptr;
  errno = 0;
  const int rc = sqlite3_open_v2(options.path.c_str(), &raw, flags, nullptr);
  Db db(raw);
  if (rc != SQLITE_OK) return sqlite_error(db.get(), "open");
  // Only the writer may checkpoint, at close too.
  if (!writer) sqlite3_db_config(db.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3* const handle = db.get();
  auto connection = std::make_unique<SqliteConnection>(std::move(db));
  // No memory map: a read error of the disk would then be a signal that ends the process instead of a failed request.
  std::string setup = "PRAGMA cache_size=-" + std::to_string(options.cache_bytes / 1024) + ";";
  setup += writer ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; "
                    "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY; PRAGMA busy_timeout=0;"
                  : "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA busy_timeout=2000; ";
  BERTH_TRYV(connection->run_script(setup));
  if (writer) {
    connection->take_over_checkpoints(options.log_pages_max);
    BERTH_TRYV(renew_log(handle));
  }
  return connection;
}

}  // namespace berth::sql
