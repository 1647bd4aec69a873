#pragma once
// Facts about the store as a whole: its id, the boot it was last opened in.

#include "sql/connection.h"

#include <optional>
#include <string>

namespace berth::meta {

Result<std::optional<std::string>> get_setting(sql::Connection& db, std::string_view key);
Result<void> put_setting(sql::Connection& db, std::string_view key, std::string_view value);

}  // namespace berth::meta
