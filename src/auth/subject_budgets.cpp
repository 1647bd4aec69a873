#include "auth/subject_budgets.h"

#include "base/human_text.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace berth::auth {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kAheadMaxNs = 24 * 3600 * kSecondNs;  // nobody waits for longer, whatever was transferred

/// How long `amount` takes at `per_second`.
std::int64_t time_of(double amount, std::int64_t per_second) {
  constexpr double kMax = static_cast<double>(kAheadMaxNs);
  return static_cast<std::int64_t>(
      std::min(kMax, amount * static_cast<double>(kSecondNs) / static_cast<double>(per_second)));
}

/// By how much a clock that runs ahead is beyond what the burst allows.
std::int64_t over(std::int64_t ahead_ns, std::int64_t now_ns, std::int64_t burst, std::int64_t per_second) {
  return ahead_ns - now_ns - time_of(static_cast<double>(burst), per_second);
}

/// A limit as who meets it is told: so much at once, and again after so many seconds.
struct Limit {
  const char* name;
  const char* unit;  // empty: requests
  std::int64_t burst;
  std::int64_t per_second;
};

std::unexpected<Error> refuse(std::int64_t over_ns, const Limit& limit, const std::string& rule) {
  const std::int64_t seconds = std::max<std::int64_t>((over_ns + kSecondNs - 1) / kSecondNs, 1);
  const std::int64_t window_s = std::max<std::int64_t>((limit.burst + limit.per_second - 1) / limit.per_second, 1);
  return fail(Error(Errc::too_many_requests, rule + "; try again in " + std::to_string(seconds) + " s")
                  .with_number(static_cast<std::uint64_t>(seconds))
                  .with_items({limit.name, std::to_string(limit.burst), std::to_string(window_s), limit.unit}));
}

}  // namespace

SubjectBudgets::SubjectBudgets(Deps deps)
    : deps_(deps),
      key_(),
      by_requests_(deps.metrics.counter("berth_subject_limited_total", "Requests refused to callers over their limits.",
                                        {{"limit", "requests"}})),
      by_bandwidth_(deps.metrics.counter("berth_subject_limited_total",
                                         "Requests refused to callers over their limits.", {{"limit", "bandwidth"}})) {
  deps_.random.fill(std::as_writable_bytes(std::span(key_)));
}

SubjectBudgets::Payer SubjectBudgets::payer_of(std::string_view caller) const {
  std::uint64_t out = 0;
  static_assert(crypto_shorthash_siphash24_BYTES == sizeof(out));
  crypto_shorthash_siphash24(reinterpret_cast<unsigned char*>(&out),
                             reinterpret_cast<const unsigned char*>(caller.data()), caller.size(), key_.data());
  return out | 1;
}

Result<void> SubjectBudgets::admit(Payer payer) {
  const std::int64_t requests = deps_.limits.requests_per_second;
  const std::int64_t bytes = deps_.limits.bytes_per_second;
  if ((requests == 0 && bytes == 0) || payer == 0) return {};
  const std::int64_t now = now_ns();
  Shard& shard = table()[payer / 2 % kShards];
  const std::lock_guard lock(shard.mutex);
  Account& account = account_in(shard.sets[payer / 2 / kShards % kSetsPerShard], payer);
  if (bytes != 0) {
    const std::int64_t over_ns = over(account.bytes_ns, now, deps_.limits.bytes_burst, bytes);
    if (over_ns > 0) {
      by_bandwidth_.add();
      return refuse(over_ns, {"bandwidth", "content-bytes", deps_.limits.bytes_burst, bytes},
                    "more was transferred than the " + size_text(static_cast<std::uint64_t>(bytes)) +
                        " a second that limits.subject_bandwidth allows");
    }
  }
  if (requests == 0) return {};
  const std::int64_t next_ns = std::max(account.requests_ns, now) + time_of(1, requests);
  const std::int64_t over_ns = over(next_ns, now, std::max<std::int64_t>(deps_.limits.requests_burst, 1), requests);
  if (over_ns > 0) {
    by_requests_.add();
    return refuse(
        over_ns, {"requests", "", std::max<std::int64_t>(deps_.limits.requests_burst, 1), requests},
        "more requests than the " + std::to_string(requests) + " a second that limits.subject_requests allows");
  }
  account.requests_ns = next_ns;
  return {};
}

void SubjectBudgets::spend(Payer payer, std::uint64_t bytes) {
  const std::int64_t per_second = deps_.limits.bytes_per_second;
  if (per_second == 0 || payer == 0) return;
  const std::int64_t now = now_ns();
  Shard& shard = table()[payer / 2 % kShards];
  const std::lock_guard lock(shard.mutex);
  Account& account = account_in(shard.sets[payer / 2 / kShards % kSetsPerShard], payer);
  account.bytes_ns =
      std::min(std::max(account.bytes_ns, now) + time_of(static_cast<double>(bytes), per_second), now + kAheadMaxNs);
}

SubjectBudgets::Table& SubjectBudgets::table() {
  std::call_once(made_, [this] { table_ = std::make_unique<Table>(); });
  return *table_;
}

SubjectBudgets::Account& SubjectBudgets::account_in(Set& set, Payer payer) {
  const auto known = std::ranges::find(set, payer, &Account::payer);
  if (known != set.end()) return *known;
  Account& least = *std::ranges::min_element(
      set, {}, [](const Account& account) { return std::max(account.requests_ns, account.bytes_ns); });
  least = Account{.payer = payer};
  return least;
}

}  // namespace berth::auth
