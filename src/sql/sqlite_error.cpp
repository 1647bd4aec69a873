#include "sql/sqlite_error.h"

#include <cerrno>
#include <string>

namespace berth::sql {

namespace {

/// SQLite knows only a failed write's ENOSPC for what it is. A quota, and any failure to grow the log's index or to
/// create a file, is an I/O error to it.
Errc errc_of_system(int system_error) {
  switch (system_error) {
    case ENOSPC:
    case EDQUOT: return Errc::no_space;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return Errc::unavailable;
    default: return Errc::io_failed;
  }
}

std::string_view message_for(Errc code) {
  switch (code) {
    case Errc::no_space: return "the disk is full";
    case Errc::io_failed:
    case Errc::sync_failed: return "the metadata store failed";
    case Errc::corrupt: return "the metadata store is damaged";
    case Errc::unavailable: return "the metadata store is busy";
    default: return {};
  }
}

}  // namespace

Errc errc_of_sqlite(int extended, int system_error) {
  switch (extended) {
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC: return Errc::sync_failed;  // whatever the reason: what was not synced may be gone
    case SQLITE_IOERR_NOMEM: return Errc::unavailable;      // comes without an errno
    default: break;
  }
  switch (extended & 0xFF) {
    case SQLITE_FULL: return Errc::no_space;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: return errc_of_system(system_error);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT: return Errc::unavailable;
    default: return Errc::internal;
  }
}

std::unexpected<Error> sqlite_error(sqlite3* db, std::string_view doing) {
  // SQLite 3.40 keeps the errno of a failed statement, but not that of a failed COMMIT: there it has an older one. What
  // it does after the failure (locks, memory) leaves errno alone.
  const int system_error = errno != 0 ? errno : sqlite3_system_errno(db);
  return sqlite_error(sqlite3_extended_errcode(db), system_error, sqlite3_errmsg(db), doing);
}

std::unexpected<Error> sqlite_error(int extended, int system_error, std::string_view text, std::string_view doing) {
  const Errc code = errc_of_sqlite(extended, system_error);
  std::string cause = "sqlite " + std::to_string(extended) + " " + std::string(text) + " in: ";
  cause.append(doing.substr(0, 160));
  return fail(code, std::string(message_for(code)), std::move(cause));
}

}  // namespace berth::sql
