#include "auth/secret_chain.h"

#include <algorithm>

namespace berth::auth {

bool is_live(const meta::TokenRow& row, std::int64_t now_ms) {
  return !row.revoked_at_ms && (!row.expires_at_ms || *row.expires_at_ms > now_ms);
}

Result<std::optional<Makers>> find_makers(sql::Connection& db, const meta::TokenRow& row, std::int64_t now_ms) {
  Makers out;
  for (meta::TokenId next = row.made_by; next != 0; ++out.count) {
    if (out.count == kSecretChainMax) return std::nullopt;
    BERTH_TRY(const auto maker, meta::find_token(db, next));
    if (!maker || !is_live(*maker, now_ms)) return std::nullopt;
    out.end_ms = std::min(out.end_ms, maker->expires_at_ms.value_or(INT64_MAX));
    next = maker->made_by;
  }
  return out;
}

}  // namespace berth::auth
