#include "auth/sign_in_limiter.h"

#include "io/address_group.h"

#include <algorithm>
#include <array>

namespace berth::auth {

namespace {

/// Of a name that was given, which may be anything: longer than any account's it counts by its beginning, so that
/// strangers cannot fill the memory (S2).
constexpr std::size_t kNameBytesMax = 128;

// What is counted begins with a letter of its own: no name that somebody makes up counts as something else.
std::string pair_key(std::string_view account, std::string_view address) {
  return "p" + io::address_group(address) + '\n' + std::string(account.substr(0, kNameBytesMax));
}
std::string address_key(std::string_view address) { return "a" + io::address_group(address); }
std::string account_key(std::string_view account) { return "n" + std::string(account.substr(0, kNameBytesMax)); }

}  // namespace

Result<void> SignInLimiter::check(std::string_view account, std::string_view address, std::int64_t now_ms) const {
  const std::lock_guard lock(mutex_);
  std::int64_t open_at_ms = 0;
  for (const std::string& key : {pair_key(account, address), address_key(address), account_key(account)}) {
    const auto found = counts_.find(key);
    if (found != counts_.end()) open_at_ms = std::max(open_at_ms, found->second.open_at_ms);
  }
  if (open_at_ms <= now_ms) return {};
  const std::int64_t seconds = (open_at_ms - now_ms + 999) / 1000;
  return fail(Error(Errc::too_many_requests, "too many failed sign-ins; try again in " + std::to_string(seconds) + " s")
                  .with_number(static_cast<std::uint64_t>(seconds)));
}

void SignInLimiter::note_failure(std::string_view account, std::string_view address, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  raise(pair_key(account, address), kPair, now_ms);
  raise(address_key(address), kAddress, now_ms);
  raise(account_key(account), kAccount, now_ms);
}

void SignInLimiter::note_success(std::string_view account, std::string_view address) {
  const std::lock_guard lock(mutex_);
  counts_.erase(pair_key(account, address));
}

std::size_t SignInLimiter::size() const {
  const std::lock_guard lock(mutex_);
  return counts_.size();
}

void SignInLimiter::raise(std::string key, Kind kind, std::int64_t now_ms) {
  if (counts_.size() >= kCountsMax && !counts_.contains(key)) make_room(now_ms);
  Count& count = counts_[std::move(key)];
  if (now_ms - count.last_ms > kForgetMs) count = {};
  count.last_ms = now_ms;
  const int paid = ++count.failures - kind.free;
  if (paid <= 0) return;
  const std::int64_t wait_ms = std::min(kind.wait_max_ms, std::int64_t{1000} << std::min(paid - 1, 20));
  count.open_at_ms = now_ms + wait_ms;
}

/// What is forgotten anyway; if that is nothing, everything: an attacker with so many addresses is not stopped by
/// counting them.
void SignInLimiter::make_room(std::int64_t now_ms) {
  std::erase_if(counts_, [&](const auto& entry) { return now_ms - entry.second.last_ms > kForgetMs; });
  if (counts_.size() >= kCountsMax) counts_.clear();
}

}  // namespace berth::auth
