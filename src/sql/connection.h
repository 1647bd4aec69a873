#pragma once
// The one way to a SQL engine. Everything above speaks the subset that SQLite and PostgreSQL share: $1 placeholders,
// INSERT … ON CONFLICT, RETURNING, LIMIT, partial indexes, SAVEPOINT, RELEASE and ROLLBACK TO. Where the two differ
// there is a function. One connection is used by one thread at a time.

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace berth::sql {

/// Statement text. Only literals convert to it, so its address identifies it and a driver prepares it once per
/// connection; nothing that came from outside can ever become part of a statement.
class Sql {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): the literal is the statement
  consteval Sql(const char* literal) : text_(literal) {}
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// A parameter. Views must live until the call returns.
using Bind = std::variant<std::nullptr_t, std::int64_t, std::string_view, std::span<const std::byte>>;

/// The current row of a result, columns from 0. Views die with the callback.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t int64(int column) const = 0;
  virtual std::string_view text(int column) const = 0;  // data() of an empty one may be null
  virtual std::span<const std::byte> blob(int column) const = 0;
};

/// Called per row; false ends the query early.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual bool on_row(const Row& row) = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;

  /// Runs one statement, giving each row to `sink` (may be nullptr). Returns the number of rows changed.
  /// Errors: no_space, io_failed, sync_failed, corrupt, unavailable (locked, interrupted), internal (constraint, bad
  /// SQL).
  virtual Result<std::int64_t> run(Sql sql, std::span<const Bind> binds, RowSink* sink) = 0;
  /// Runs a script of several statements without parameters, its type macros ($PK, $UPK, $I, $B, $T, $J, $S, $W)
  /// replaced by the engine's words: migrations only. $UPK is a $PK whose numbers are never given out again, not even
  /// that of the row that was the last.
  virtual Result<void> run_script(const std::string& script) = 0;

  /// Begins a transaction that will write. While it is open another one fails to begin: unavailable.
  virtual Result<void> begin() = 0;
  /// Errors: as run(). After sync_failed it is unknown whether the transaction will be there after a restart.
  virtual Result<void> commit() = 0;
  virtual Result<void> rollback() = 0;
  /// False if the engine rolled the transaction back by itself (disk full, I/O error).
  virtual bool in_transaction() const = 0;
  /// What the engine itself met since begin() that makes the whole transaction worthless, whoever was told and whatever
  /// he made of it: no_space or sync_failed, the latter for good. nullptr: neither. Lives until the next call.
  virtual const Error* engine_failure() const = 0;
  /// Makes the next transactions wait for the disk at COMMIT, or not (process-crash safe only).
  virtual Result<void> set_durable_commits(bool durable) = 0;
  /// What the engine needs done between transactions, if it does not see to it by itself: for the writer, after each
  /// commit. SQLite brings a long log into the database file. Errors: sync_failed, which no commit must follow; others
  /// mean that nothing was lost and the next call tries again.
  virtual Result<void> maintain() = 0;
  /// Whether the next maintain() has anything to do.
  virtual bool needs_maintenance() const = 0;

  /// For readers: what is read from now on shows what is committed now. If it is asked for the moment that it was asked
  /// for before, nothing was committed since, and the engine may keep what it looks at: the beginning and the end of a
  /// read transaction cost SQLite more than a lookup. nullopt is no moment that was before.
  virtual Result<void> look_at(std::optional<std::uint64_t> moment) = 0;
  /// Lets go of what look_at() holds: a view that is held keeps the log from being begun anew.
  virtual void look_away() = 0;

  /// Runs a statement that returns nothing.
  Result<std::int64_t> execute(Sql sql, std::initializer_list<Bind> binds = {}) {
    return run(sql, std::span(binds.begin(), binds.size()), nullptr);
  }
  /// Calls each(row) for every row; each may return bool (false = enough) or void.
  template <class Each>
  Result<void> query(Sql sql, std::initializer_list<Bind> binds, Each&& each) {
    struct Sink final : RowSink {
      explicit Sink(Each& e) : each(e) {}
      Each& each;
      bool on_row(const Row& row) override {
        if constexpr (std::is_void_v<std::invoke_result_t<Each&, const Row&>>) {
          each(row);
          return true;
        } else {
          return each(row);
        }
      }
    } sink(each);
    auto done = run(sql, std::span(binds.begin(), binds.size()), &sink);
    if (!done) return fail(std::move(done).error());
    return {};
  }
};

/// What run_script() of a SQLite connection makes of a script.
std::string expand_sqlite_types(std::string_view script);

struct SqliteOptions {
  std::string path;
  enum class Mode : std::uint8_t { writer, reader } mode = Mode::reader;
  std::int64_t cache_bytes = 16 * 1024 * 1024;
  int log_pages_max = 8'000;  // the writer's log is brought into the database file when it is longer
};

/// The writer creates the file, switches it to WAL and is the only one that checkpoints (SQLite before 3.51.3 has a
/// data race when two connections write or checkpoint at once); readers cannot write. A log that the last process left
/// is made durable first (sql/sqlite_log.h). After a failed sync the writer leaves its log as it is when it closes.
Result<std::unique_ptr<Connection>> open_sqlite(const SqliteOptions& options);

}  // namespace berth::sql
