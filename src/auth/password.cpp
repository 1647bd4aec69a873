#include "auth/password.h"

#include "base/assert.h"

#include <crypt.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>

namespace berth::auth {

namespace {

/// 56 ms on one core of a small virtual machine; RFC 9106 (4) proposes 64 MiB for servers that cannot spare 2 GiB.
constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemoryBytes = 64 * 1024 * 1024;

constexpr std::uint64_t kMemoryKibMax = 1024 * 1024;    // 1 GiB
constexpr std::uint64_t kWorkKibMax = 4 * 1024 * 1024;  // over all passes: about 2 s
constexpr int kBcryptCostMin = 4;
constexpr int kBcryptCostMax = 14;  // 1 s; each step doubles it
constexpr std::size_t kBcryptBytes = 60;
static_assert(kGivenPasswordBytesMax < CRYPT_MAX_PASSPHRASE_SIZE);

constexpr std::string_view kArgon2id = "$argon2id$v=19$";

std::unexpected<Error> refuse(std::string message) { return fail(Errc::parameter_invalid, std::move(message)); }

void start_sodium() {
  static const bool kStarted = ::sodium_init() >= 0;
  BERTH_ASSERT(kStarted, "libsodium starts");
}

/// `text` begins with "<name><number>": the number, and it is cut off.
std::optional<std::uint64_t> take_number(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// Looks at the cost alone; the library reads the rest.
Result<void> check_argon2id(std::string_view stored) {
  std::string_view rest = stored.substr(kArgon2id.size());
  const auto memory_kib = take_number(rest, "m=");
  const auto passes = memory_kib ? take_number(rest, ",t=") : std::nullopt;
  const auto lanes = passes ? take_number(rest, ",p=") : std::nullopt;
  const bool well_formed = lanes && rest.starts_with('$') && stored.size() < crypto_pwhash_STRBYTES;
  if (!well_formed) return refuse("the argon2id hash is malformed");
  if (*memory_kib > kMemoryKibMax || *passes > kWorkKibMax || *memory_kib * *passes > kWorkKibMax) {
    return refuse("the argon2id hash costs more memory or time than is accepted");
  }
  return {};
}

constexpr bool is_bcrypt_digit(char c) {
  return c == '.' || c == '/' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr bool is_decimal(char c) { return c >= '0' && c <= '9'; }

/// $2b$10$ and 53 characters: salt and hash.
Result<void> check_bcrypt(std::string_view stored) {
  const bool well_formed = stored.size() == kBcryptBytes && is_decimal(stored[4]) && is_decimal(stored[5]) &&
                           stored[6] == '$' && std::ranges::all_of(stored.substr(7), is_bcrypt_digit);
  if (!well_formed) return refuse("the bcrypt hash is malformed");
  const int cost = (stored[4] - '0') * 10 + (stored[5] - '0');
  if (cost < kBcryptCostMin) return refuse("the bcrypt hash is malformed");
  if (cost > kBcryptCostMax) {
    return refuse("the bcrypt hash has the cost " + std::to_string(cost) + "; at most 14 is accepted");
  }
  return {};
}

/// What people find in password files, by its beginning. One without a beginning is the old crypt of 13 characters, or
/// the password itself.
constexpr struct {
  std::string_view prefix;
  std::string_view name;
} kOthers[] = {
    {"$apr1$", "MD5 (apr1)"}, {"{SHA}", "SHA-1"},         {"{SSHA}", "salted SHA-1"},
    {"$1$", "MD5 (crypt)"},   {"$5$", "SHA-256 (crypt)"}, {"$6$", "SHA-512 (crypt)"},
    {"$y$", "yescrypt"},      {"$7$", "scrypt"},          {"$2x$", "broken bcrypt ($2x$)"},
    {"$argon2i$", "argon2i"}, {"$argon2d$", "argon2d"},   {"$argon2id$", "argon2id of another version"},
};

std::unexpected<Error> refuse_scheme(std::string_view stored) {
  for (const auto& other : kOthers) {
    if (stored.starts_with(other.prefix)) return refuse("the scheme " + std::string(other.name) + " is not accepted");
  }
  return refuse("neither argon2id nor bcrypt: plain text or a scheme that is not accepted");
}

bool verify_bcrypt(std::string_view stored, const std::string& given) {
  if (given.contains('\0')) return false;  // crypt would read up to there, and "secret\0x" would match "secret"
  const auto data = std::make_unique<crypt_data>();
  const std::string setting(stored);
  const char* made = ::crypt_rn(given.c_str(), setting.c_str(), data.get(), sizeof(crypt_data));
  const bool good = made != nullptr && std::string_view(made).size() == stored.size() &&
                    ::sodium_memcmp(made, stored.data(), stored.size()) == 0;
  ::sodium_memzero(data.get(), sizeof(crypt_data));
  return good;
}

bool verify_argon2id(std::string_view stored, const std::string& given) {
  const std::string text(stored);
  return ::crypto_pwhash_str_verify(text.c_str(), given.data(), given.size()) == 0;
}

}  // namespace

Result<void> check_new_password(std::string_view text) {
  if (text.size() < kPasswordBytesMin) {
    return refuse("a password has at least " + std::to_string(kPasswordBytesMin) + " bytes");
  }
  if (text.size() > kPasswordBytesMax) {
    return refuse("a password has at most " + std::to_string(kPasswordBytesMax) + " bytes");
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::any_of(text, is_control)) {
    return refuse("a password has no control characters, such as tabs and line ends");
  }
  return {};
}

std::string hash_password(std::string_view text) {
  start_sodium();
  std::array<char, crypto_pwhash_STRBYTES> out{};
  const int result = ::crypto_pwhash_str_alg(out.data(), text.data(), text.size(), kPasses, kMemoryBytes,
                                             crypto_pwhash_ALG_ARGON2ID13);
  BERTH_ASSERT(result == 0, "64 MiB for a hash");  // out of memory ends the process elsewhere too
  return out.data();
}

bool is_bcrypt(std::string_view stored) {
  return stored.starts_with("$2a$") || stored.starts_with("$2b$") || stored.starts_with("$2y$");
}

Result<void> check_password_hash(std::string_view stored) {
  if (stored.contains('\0')) return refuse("the hash is malformed");  // the libraries would read up to there
  if (stored.starts_with(kArgon2id)) return check_argon2id(stored);
  if (is_bcrypt(stored)) return check_bcrypt(stored);
  return refuse_scheme(stored);
}

bool verify_password(std::string_view stored, std::string_view given) {
  start_sodium();
  if (given.size() > kGivenPasswordBytesMax || !check_password_hash(stored).has_value()) return false;
  std::string copy(given);
  const bool good = is_bcrypt(stored) ? verify_bcrypt(stored, copy) : verify_argon2id(stored, copy);
  ::sodium_memzero(copy.data(), copy.size());
  return good;
}

bool is_verified_faster(std::string_view stored) {
  return is_bcrypt(stored) && check_bcrypt(stored).has_value() && stored.substr(4, 2) < "10";
}

bool needs_rehash(std::string_view stored) {
  start_sodium();
  const std::string text(stored);
  return ::crypto_pwhash_str_needs_rehash(text.c_str(), kPasses, kMemoryBytes) != 0;
}

std::string_view dummy_hash() {
  return "$argon2id$v=19$m=65536,t=2,p=1$z9nX9OqNaaX3kBz6nAwVQw$vMwjUYIT+HCUb95j5WJ2gL/N7K+YIDREwZwPV+hRgy8";
}

}  // namespace berth::auth
