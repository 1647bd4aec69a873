#pragma once
// Secrets that were made by secrets: what a login or a token makes ends with it, and so with all that it was made by.

#include "meta/tokens.h"
#include "sql/connection.h"

#include <optional>

namespace berth::auth {

/// How long a chain may get, whose every link is looked up with each use.
inline constexpr int kSecretChainMax = 8;

/// Neither taken back nor over.
bool is_live(const meta::TokenRow& row, std::int64_t now_ms);

/// How many secrets stand behind this one, each made by the next; nullopt: one of them is not live any more, or there
/// are more than kSecretChainMax. Whether the secret itself is live is not looked at.
Result<std::optional<int>> count_live_makers(sql::Connection& db, const meta::TokenRow& row, std::int64_t now_ms);

}  // namespace berth::auth
