#include "base/random.h"

#include "base/assert.h"
#include "base/hex.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace berth {

std::uint64_t Random::u64() {
  std::uint64_t out = 0;
  fill(std::as_writable_bytes(std::span(&out, 1)));
  return out;
}

std::string Random::hex(std::size_t bytes) {
  std::array<std::byte, 64> raw{};
  BERTH_ASSERT(bytes <= raw.size(), "random hex ids are short");
  fill(std::span(raw).first(bytes));
  return to_hex(std::span<const std::byte>(raw).first(bytes));
}

void SystemRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    BERTH_ASSERT(got > 0, "the kernel gives random bytes");
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void SeededRandom::fill(std::span<std::byte> out) {
  const std::lock_guard lock(mutex_);
  while (!out.empty()) {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    const std::size_t n = std::min(out.size(), sizeof z);
    std::memcpy(out.data(), &z, n);
    out = out.subspan(n);
  }
}

}  // namespace berth
