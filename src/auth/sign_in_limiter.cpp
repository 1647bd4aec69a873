#include "auth/sign_in_limiter.h"

#include "io/address_group.h"

#include <algorithm>

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

std::unexpected<Error> SignInLimiter::refuse(const Wait& wait) {
  const std::int64_t seconds = (wait.ms + 999) / 1000;
  return fail(Error(Errc::too_many_requests, "too many attempts; try again in " + std::to_string(seconds) + " s")
                  .with_number(static_cast<std::uint64_t>(seconds))
                  // The one that is not free any more gets through, too: the next waits for it.
                  .with_items({"sign-in", std::to_string(wait.kind->free + 1), std::to_string(kForgetMs / 1000)}));
}

SignInLimiter::Attempt::~Attempt() {
  if (limiter_ != nullptr) limiter_->end(*this);
}

void SignInLimiter::Attempt::failed(std::int64_t now_ms) { limiter_->note_failure(account_, address_, now_ms); }

void SignInLimiter::Attempt::succeeded(std::int64_t now_ms) { limiter_->note_success(account_, address_, now_ms); }

std::array<SignInLimiter::Counted, 3> SignInLimiter::counted(std::string_view account, std::string_view address) {
  return {Counted{pair_key(account, address), &kPair}, Counted{address_key(address), &kAddress},
          Counted{account_key(account), &kAccount}};
}

SignInLimiter::Wait SignInLimiter::wait_of(const std::array<Counted, 3>& keys, std::int64_t now_ms) const {
  Wait out{0, &kPair};
  bool is_trusted = false;
  for (const auto& [key, kind] : keys) {
    const auto found = counts_.find(key);
    if (found == counts_.end() || (kind == &kAccount && is_trusted)) continue;
    const Count& count = found->second;
    if (kind == &kPair) is_trusted = count.trusted_until_ms > now_ms;
    const bool is_crowded = count.pending >= std::max(1, kind->together - count.failures);
    const std::int64_t wait_ms = std::max(count.open_at_ms - now_ms, std::int64_t{is_crowded ? 1000 : 0});
    if (wait_ms > out.ms) out = {wait_ms, kind};
  }
  return out;
}

Result<SignInLimiter::Attempt> SignInLimiter::begin(std::string_view account, std::string_view address,
                                                    std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const auto keys = counted(account, address);
  if (const Wait wait = wait_of(keys, now_ms); wait.ms > 0) return refuse(wait);
  for (const Counted& each : keys) ++count_of(each.key, now_ms).pending;
  return Attempt(*this, std::string(account.substr(0, kNameBytesMax)), std::string(address));
}

void SignInLimiter::end(const Attempt& attempt) {
  const std::lock_guard lock(mutex_);
  for (const Counted& each : counted(attempt.account_, attempt.address_)) {
    const auto found = counts_.find(each.key);  // not there: room was made
    if (found == counts_.end()) continue;
    Count& count = found->second;
    count.pending = std::max(0, count.pending - 1);
    if (count.pending == 0 && count.failures == 0 && count.trusted_until_ms == 0) counts_.erase(found);
  }
}

Result<void> SignInLimiter::check(std::string_view account, std::string_view address, std::int64_t now_ms) const {
  const std::lock_guard lock(mutex_);
  const Wait wait = wait_of(counted(account, address), now_ms);
  if (wait.ms > 0) return refuse(wait);
  return {};
}

void SignInLimiter::note_failure(std::string_view account, std::string_view address, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, kind] : counted(account, address)) raise(key, *kind, now_ms);
}

void SignInLimiter::note_success(std::string_view account, std::string_view address, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  Count& pair = count_of(pair_key(account, address), now_ms);
  pair.failures = 0;
  pair.open_at_ms = 0;
  pair.trusted_until_ms = now_ms + kTrustMs;
}

std::size_t SignInLimiter::size() const {
  const std::lock_guard lock(mutex_);
  return counts_.size();
}

/// Of what was forgotten, or never was: a new one.
SignInLimiter::Count& SignInLimiter::count_of(const std::string& key, std::int64_t now_ms) {
  if (counts_.size() >= kCountsMax && !counts_.contains(key)) make_room(now_ms);
  Count& count = counts_[key];
  if (now_ms - count.last_ms > kForgetMs) count.failures = 0;
  count.last_ms = now_ms;
  return count;
}

void SignInLimiter::raise(const std::string& key, const Kind& kind, std::int64_t now_ms) {
  Count& count = count_of(key, now_ms);
  const int paid = ++count.failures - kind.free;
  if (paid <= 0) return;
  const std::int64_t wait_ms = std::min(kind.wait_max_ms, std::int64_t{1000} << std::min(paid - 1, 20));
  count.open_at_ms = now_ms + wait_ms;
}

/// What is forgotten anyway; if that is nothing, everything: an attacker with so many addresses is not stopped by
/// counting them.
void SignInLimiter::make_room(std::int64_t now_ms) {
  std::erase_if(counts_, [&](const auto& entry) {
    const Count& count = entry.second;
    return count.pending == 0 && now_ms - count.last_ms > kForgetMs && count.trusted_until_ms <= now_ms;
  });
  if (counts_.size() >= kCountsMax) counts_.clear();
}

}  // namespace berth::auth
