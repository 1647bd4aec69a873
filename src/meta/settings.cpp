#include "meta/settings.h"

namespace berth::meta {

namespace {

constexpr sql::Sql kGet = R"(
  SELECT value
  FROM meta
  WHERE key = $1)";

constexpr sql::Sql kPut = R"(
  INSERT INTO meta(key, value)
  VALUES($1, $2)
  ON CONFLICT(key) DO UPDATE SET value = excluded.value)";

}  // namespace

Result<std::optional<std::string>> get_setting(sql::Connection& db, std::string_view key) {
  std::optional<std::string> out;
  BERTH_TRYV(db.query(kGet, {key}, [&](const sql::Row& row) { out = row.text(0); }));
  return out;
}

Result<void> put_setting(sql::Connection& db, std::string_view key, std::string_view value) {
  BERTH_TRYV(db.execute(kPut, {key, value}));
  return {};
}

}  // namespace berth::meta
