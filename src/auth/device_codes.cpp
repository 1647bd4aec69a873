#include "auth/device_codes.h"

#include "crypto/hmac.h"
#include "io/address_group.h"

#include <algorithm>
#include <array>

namespace berth::auth {

namespace {

/// Consonants that are not mistaken for each other and make no words (RFC 8628 6.1): 20^8 codes.
constexpr std::string_view kLetters = "BCDFGHJKLMNPQRSTVWXZ";
constexpr std::size_t kLettersMax = 8;
constexpr std::size_t kClientBytesMax = 100;

std::string make_user_code(Random& random) {
  constexpr std::size_t kUsable = 256 / kLetters.size() * kLetters.size();
  std::string out;
  std::array<std::byte, 32> drawn{};
  while (out.size() < kLettersMax) {
    random.fill(drawn);
    for (const std::byte b : drawn) {
      const auto value = std::to_integer<std::size_t>(b);
      if (value < kUsable && out.size() < kLettersMax) out += kLetters[value % kLetters.size()];
    }
  }
  return out;
}

/// As it was typed: "bdwp hqpk". Anything that is no letter of ours is passed over.
std::string normal_form(std::string_view typed) {
  std::string out;
  for (char c : typed.substr(0, 4 * kLettersMax)) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (kLetters.contains(c)) out += c;
  }
  return out;
}

std::string as_shown(std::string_view code) {
  return std::string(code.substr(0, kLettersMax / 2)) + "-" + std::string(code.substr(kLettersMax / 2));
}

}  // namespace

void DeviceCodes::forget_old() {
  std::erase_if(waiting_, [now_ms = clock_.mono_ms()](const Waiting& w) { return w.ends_ms <= now_ms; });
}

Result<DeviceCodes::Begun> DeviceCodes::begin(Asking asking, Random& random) {
  Waiting next;
  Begun out;
  out.device_code = make_secret(SecretKind::login, random);
  next.device_hash = secret_hash(out.device_code);
  next.user_code = make_user_code(random);
  out.user_code = as_shown(next.user_code);
  asking.client.resize(std::min(asking.client.size(), kClientBytesMax));
  const std::lock_guard lock(mutex_);
  forget_old();
  const std::string group = io::address_group(asking.address);
  const auto from_there =
      std::ranges::count_if(waiting_, [&](const Waiting& w) { return io::address_group(w.asking.address) == group; });
  const bool is_full = waiting_.size() >= kWaitingMax || static_cast<std::size_t>(from_there) >= kWaitingPerAddressMax;
  // One in 20^8 meets another's; then the person begins anew.
  const bool is_taken = std::ranges::find(waiting_, next.user_code, &Waiting::user_code) != waiting_.end();
  if (is_full || is_taken) {
    constexpr std::uint64_t kAgainS = 60;
    return fail(
        Error(Errc::too_many_requests, "too many sign-ins are waiting for their code to be typed; try again later")
            .with_number(kAgainS));
  }
  next.asking = std::move(asking);
  next.ends_ms = clock_.mono_ms() + kLifeMs;
  waiting_.push_back(std::move(next));
  return out;
}

std::optional<DeviceCodes::Asking> DeviceCodes::find(std::string_view user_code) const {
  const std::string code = normal_form(user_code);
  const std::lock_guard lock(mutex_);
  for (const Waiting& w : waiting_) {
    if (w.user_code == code && w.ends_ms > clock_.mono_ms() && !w.is_decided) return w.asking;
  }
  return std::nullopt;
}

bool DeviceCodes::decide(std::string_view user_code, IdentityPtr person) {
  const std::string code = normal_form(user_code);
  const std::lock_guard lock(mutex_);
  forget_old();
  const auto found = std::ranges::find(waiting_, code, &Waiting::user_code);
  if (found == waiting_.end() || found->is_decided) return false;
  found->is_decided = true;
  found->person = std::move(person);
  return true;
}

DeviceCodes::Answer DeviceCodes::poll(std::string_view device_code) {
  const crypto::Sha256Sum hash = secret_hash(device_code);
  const std::lock_guard lock(mutex_);
  forget_old();
  const auto found = std::ranges::find_if(
      waiting_, [&](const Waiting& w) { return crypto::equal_in_constant_time(w.device_hash, hash); });
  if (found == waiting_.end()) return {};
  if (found->is_decided) {
    Answer out{found->person ? State::agreed : State::denied, std::move(found->person), found->asking.client};
    waiting_.erase(found);
    return out;
  }
  const std::int64_t now_ms = clock_.mono_ms();
  const bool is_early = found->polled_ms != 0 && now_ms - found->polled_ms < found->interval_ms;
  found->polled_ms = now_ms;
  if (!is_early) return {State::pending, {}, {}};
  found->interval_ms += kIntervalMs;  // RFC 8628 3.5
  return {State::slow_down, {}, {}};
}

}  // namespace berth::auth
