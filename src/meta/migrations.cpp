#include "meta/migrations.h"

#include "base/hex.h"
#include "crypto/hash.h"

#include <map>
#include <string>

namespace berth::meta {

namespace {

constexpr const char* kCreateVersions = R"(
  CREATE TABLE IF NOT EXISTS schema_version(
    v $PK, applied_at $I NOT NULL, checksum $T NOT NULL, min_reader $I NOT NULL) $S)";
constexpr sql::Sql kListVersions = R"(
  SELECT v, checksum
  FROM schema_version
  ORDER BY v)";
constexpr sql::Sql kInsertVersion = R"(
  INSERT INTO schema_version(v, applied_at, checksum, min_reader)
  VALUES($1, $2, $3, $4))";

std::string checksum(std::string_view text) { return to_hex(crypto::sha256(std::as_bytes(std::span(text)))); }

Result<void> apply(sql::Connection& db, std::int64_t number, const EmbeddedMigration& migration, std::int64_t now_ms) {
  BERTH_TRYV(db.begin());
  auto done = db.run_script(std::string(migration.sql));
  if (done) {
    auto inserted = db.execute(kInsertVersion, {number, now_ms, checksum(migration.sql), number});
    if (!inserted) done = fail(std::move(inserted).error());
  }
  if (done) done = db.commit();
  if (!done && db.in_transaction()) (void)db.rollback();
  return std::move(done).context(migration.name);
}

}  // namespace

Result<void> migrate(sql::Connection& db, std::int64_t now_ms) {
  BERTH_TRYV(db.run_script(kCreateVersions));
  std::map<std::int64_t, std::string> applied;
  BERTH_TRYV(db.query(kListVersions, {}, [&](const sql::Row& row) { applied[row.int64(0)] = row.text(1); }));
  const auto known = embedded_migrations();
  if (!applied.empty() && applied.rbegin()->first > static_cast<std::int64_t>(known.size())) {
    return fail(Errc::unavailable, "the data folder was written by a newer berth (schema " +
                                       std::to_string(applied.rbegin()->first) + "); start that version");
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i + 1);
    const auto found = applied.find(number);
    if (found == applied.end()) {
      BERTH_TRYV(apply(db, number, known[i], now_ms));
    } else if (found->second != checksum(known[i].sql)) {
      return fail(Errc::unavailable,
                  "migration " + std::string(known[i].name) + " differs from the one the data folder was made with");
    }
  }
  return {};
}

}  // namespace berth::meta
