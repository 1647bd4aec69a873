#pragma once
// Calls that were sent with a key of their own (Idempotency-Key), for a day: so that one which is sent again, since its
// answer got lost, is done once.

#include "crypto/hash.h"
#include "meta/ids.h"

#include <optional>
#include <string>

namespace berth::meta {

inline constexpr std::int64_t kKeptCallMs = 24LL * 60 * 60 * 1000;
inline constexpr std::int64_t kKeptCallsMax = 1'000;  // of one principal

struct CallKey {
  PrincipalId principal = 0;
  crypto::Sha256Sum key{};
  crypto::Sha256Sum request{};  // of everything that was asked for

  bool is_same_call(const CallKey& other) const { return principal == other.principal && key == other.key; }
};

struct KeptAnswer {
  std::int64_t status = 0;  // 0: it was done, but what was answered is not known
  std::string location;
  std::string etag;
  std::string body;
};
struct KeptCall {
  crypto::Sha256Sum request{};
  KeptAnswer answer;
};

/// nullopt: there was none within the day before `now_ms`.
Result<std::optional<KeptCall>> find_kept_call(sql::Connection& db, const CallKey& key, std::int64_t now_ms);
/// For the transaction that does what was asked for. Errors: too_many_requests, with the seconds until there is room as
/// its number, and the limit as its items.
Result<void> keep_call(sql::Connection& db, const CallKey& key, std::int64_t now_ms);
/// What it answered.
Result<void> keep_answer(sql::Connection& db, const CallKey& key, const KeptAnswer& answer);
/// Of calls before `before_ms` the oldest, at most `limit`.
Result<void> forget_kept_calls(sql::Connection& db, std::int64_t before_ms, std::int64_t limit);

}  // namespace berth::meta
