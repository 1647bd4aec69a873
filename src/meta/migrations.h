#pragma once

#include "base/result.h"
#include "sql/connection.h"

#include <span>
#include <string_view>

namespace berth::meta {

/// A numbered file of `migrations/`, compiled into the binary.
struct EmbeddedMigration {
  std::string_view name;  // "0001_init.sql"
  std::string_view sql;
};

/// In order of their numbers.
std::span<const EmbeddedMigration> embedded_migrations();

/// Brings the database up to date, forward only, each file in a transaction of its own. A migration that was applied
/// and has changed since, or one this binary does not know, refuses the start with a sentence (Errc::unavailable).
Result<void> migrate(sql::Connection& db, std::int64_t now_ms);

}  // namespace berth::meta
