// The low-level SHA functions are deprecated in OpenSSL 3 but are the only ones whose state can be taken out and put
// back; they run at the same speed as EVP. This file is the only one that knows them.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <openssl/sha.h>

#include <cstring>

namespace berth::crypto {

namespace {

constexpr std::byte kVersion{1};

static_assert(sizeof(SHA256_CTX) <= 112);
static_assert(sizeof(SHA512_CTX) <= 216);

template <class Ctx>
Ctx* ctx(void* raw) {
  return static_cast<Ctx*>(raw);
}
template <class Ctx>
const Ctx* ctx(const void* raw) {
  return static_cast<const Ctx*>(raw);
}

template <class Int>
void put(std::vector<std::byte>& out, Int value) {
  for (int shift = static_cast<int>(sizeof(Int)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(value >> shift));
  }
}

template <class Int>
Int take(std::span<const std::byte>& in) {
  Int value = 0;
  for (std::size_t i = 0; i < sizeof(Int); ++i) value = static_cast<Int>(value << 8) | std::to_integer<Int>(in[i]);
  in = in.subspan(sizeof(Int));
  return value;
}

}  // namespace

Sha256::Sha256() { SHA256_Init(ctx<SHA256_CTX>(raw_.data())); }

void Sha256::update(std::span<const std::byte> bytes) {
  SHA256_Update(ctx<SHA256_CTX>(raw_.data()), bytes.data(), bytes.size());
}

Sha256Sum Sha256::sum() const {
  SHA256_CTX copy = *ctx<SHA256_CTX>(raw_.data());
  Sha256Sum out;
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &copy);
  return out;
}

std::vector<std::byte> Sha256::export_state() const {
  const SHA256_CTX& c = *ctx<SHA256_CTX>(raw_.data());
  std::vector<std::byte> out{kVersion};
  for (const auto word : c.h) put<std::uint32_t>(out, word);
  put<std::uint64_t>(out, (static_cast<std::uint64_t>(c.Nh) << 32) | c.Nl);
  put<std::uint8_t>(out, static_cast<std::uint8_t>(c.num));
  const auto* pending = reinterpret_cast<const std::byte*>(c.data);
  for (std::size_t i = 0; i < 64; ++i) out.push_back(i < c.num ? pending[i] : std::byte{0});
  return out;
}

std::optional<Sha256> Sha256::import_state(std::span<const std::byte> state) {
  if (state.size() != kStateBytes || state[0] != kVersion) return std::nullopt;
  state = state.subspan(1);
  Sha256 out;
  SHA256_CTX& c = *ctx<SHA256_CTX>(out.raw_.data());
  for (auto& word : c.h) word = take<std::uint32_t>(state);
  const auto bits = take<std::uint64_t>(state);
  c.Nh = static_cast<unsigned>(bits >> 32);
  c.Nl = static_cast<unsigned>(bits);
  c.num = take<std::uint8_t>(state);
  if (c.num >= 64 || c.num != (bits / 8) % 64) return std::nullopt;
  std::memcpy(c.data, state.data(), 64);
  return out;
}

Sha512::Sha512() { SHA512_Init(ctx<SHA512_CTX>(raw_.data())); }

void Sha512::update(std::span<const std::byte> bytes) {
  SHA512_Update(ctx<SHA512_CTX>(raw_.data()), bytes.data(), bytes.size());
}

Sha512Sum Sha512::sum() const {
  SHA512_CTX copy = *ctx<SHA512_CTX>(raw_.data());
  Sha512Sum out;
  SHA512_Final(reinterpret_cast<unsigned char*>(out.data()), &copy);
  return out;
}

std::vector<std::byte> Sha512::export_state() const {
  const SHA512_CTX& c = *ctx<SHA512_CTX>(raw_.data());
  std::vector<std::byte> out{kVersion};
  for (const auto word : c.h) put<std::uint64_t>(out, word);
  put<std::uint64_t>(out, c.Nh);
  put<std::uint64_t>(out, c.Nl);
  put<std::uint8_t>(out, static_cast<std::uint8_t>(c.num));
  const auto* pending = reinterpret_cast<const std::byte*>(&c.u);
  for (std::size_t i = 0; i < 128; ++i) out.push_back(i < c.num ? pending[i] : std::byte{0});
  return out;
}

std::optional<Sha512> Sha512::import_state(std::span<const std::byte> state) {
  if (state.size() != kStateBytes || state[0] != kVersion) return std::nullopt;
  state = state.subspan(1);
  Sha512 out;
  SHA512_CTX& c = *ctx<SHA512_CTX>(out.raw_.data());
  for (auto& word : c.h) word = take<std::uint64_t>(state);
  c.Nh = take<std::uint64_t>(state);
  c.Nl = take<std::uint64_t>(state);
  c.num = take<std::uint8_t>(state);
  if (c.num >= 128 || c.num != (c.Nl / 8) % 128) return std::nullopt;
  std::memcpy(&c.u, state.data(), 128);
  return out;
}

Sha256Sum sha256(std::span<const std::byte> bytes) {
  Sha256Sum out;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

Sha512Sum sha512(std::span<const std::byte> bytes) {
  Sha512Sum out;
  SHA512(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

}  // namespace berth::crypto
