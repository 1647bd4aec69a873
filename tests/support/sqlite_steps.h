#pragma once
// How much work SQLite does, without a clock: the steps of its virtual machine over all statements of connections that
// were opened while one of these lived. Rows that a statement walks cost steps, so a scan shows.

#include <sqlite3.h>

#include <atomic>
#include <cstdint>

namespace berth::test {

/// One at a time.
class SqliteSteps {
 public:
  struct Count {
    std::int64_t statements = 0;
    std::int64_t steps = 0;
    friend bool operator==(const Count&, const Count&) = default;
  };

  SqliteSteps() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(&attach)); }
  ~SqliteSteps() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&attach)); }
  SqliteSteps(const SqliteSteps&) = delete;
  SqliteSteps& operator=(const SqliteSteps&) = delete;

  /// What there was since the last call.
  static Count take() { return {statements_.exchange(0), steps_.exchange(0)}; }

 private:
  static int attach(sqlite3* db, char**, const void*) {
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, &on_end, nullptr);
  }
  /// Called when a statement has run.
  static int on_end(unsigned, void*, void* statement, void*) {
    ++statements_;
    steps_ += sqlite3_stmt_status(static_cast<sqlite3_stmt*>(statement), SQLITE_STMTSTATUS_VM_STEP, 1);
    return 0;
  }

  inline static std::atomic<std::int64_t> statements_{0};
  inline static std::atomic<std::int64_t> steps_{0};
};

}  // namespace berth::test
