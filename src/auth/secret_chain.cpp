#include "auth/secret_chain.h"

namespace berth::auth {

bool is_live(const meta::TokenRow& row, std::int64_t now_ms) {
  return !row.revoked_at_ms && (!row.expires_at_ms || *row.expires_at_ms > now_ms);
}

Result<std::optional<int>> count_live_makers(sql::Connection& db, const meta::TokenRow& row, std::int64_t now_ms) {
  meta::TokenId next = row.made_by;
  for (int count = 0; count <= kSecretChainMax; ++count) {
    if (next == 0) return count;
    BERTH_TRY(const auto maker, meta::find_token(db, next));
    if (!maker || !is_live(*maker, now_ms)) return std::nullopt;
    next = maker->made_by;
  }
  return std::nullopt;
}

}  // namespace berth::auth
