#pragma once
// For this room only: what SQLite says went wrong, in the words of the domain.

#include "base/result.h"

#include <sqlite3.h>

#include <string_view>

namespace berth::sql {

/// extended: an extended result code. system_error: the errno behind it, looked at only where SQLite has one.
Errc errc_of_sqlite(int extended, int system_error);

/// The failure of the call that has just returned; `doing` is for the log. The caller set errno to 0 before that call.
std::unexpected<Error> sqlite_error(sqlite3* db, std::string_view doing);

/// The same for a call that goes around the connection.
std::unexpected<Error> sqlite_error(int extended, int system_error, std::string_view text, std::string_view doing);

}  // namespace berth::sql
