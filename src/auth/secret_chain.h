#pragma once
// Secrets that were made by secrets: what a login or a token makes ends with it, and so with all that it was made by.

#include "meta/tokens.h"
#include "sql/connection.h"

#include <cstdint>
#include <optional>

namespace berth::auth {

/// How long a chain may get, whose every link is looked up with each use.
inline constexpr int kSecretChainMax = 8;

/// Neither taken back nor over.
bool is_live(const meta::TokenRow& row, std::int64_t now_ms);

/// The secrets that stand behind one, each made by the next.
struct Makers {
  int count = 0;
  std::int64_t end_ms = INT64_MAX;  // of the first of them to end
};
/// nullopt: one of them is not live any more, or there are more than kSecretChainMax. Whether the secret itself is live
/// is not looked at.
Result<std::optional<Makers>> find_makers(sql::Connection& db, const meta::TokenRow& row, std::int64_t now_ms);

}  // namespace berth::auth
