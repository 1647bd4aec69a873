#pragma once
// Passwords people choose. Stored as argon2id; bcrypt is read as well, for users that come from an htpasswd file.
//
// Hashing is slow on purpose (S26): never on an I/O thread, only on a bounded pool, each call with 64 MiB of memory for
// as long as it runs. For a user that does not exist, verify against dummy_hash(), so that the answer takes as long.
// A bcrypt user's answer takes bcrypt's time (62 ms at cost 10, twice that with each one more) until needs_rehash has
// led to a new hash.

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::auth {

inline constexpr std::size_t kPasswordBytesMin = 8;
inline constexpr std::size_t kPasswordBytesMax = 256;
/// A longer password never matches, whatever is stored: libxcrypt takes no longer one.
inline constexpr std::size_t kGivenPasswordBytesMax = 511;

/// What a new password must be: 8 to 256 bytes without control characters, which no login form or header can be trusted
/// with. Errors: parameter_invalid with a sentence for whoever chose it.
Result<void> check_new_password(std::string_view text);

/// argon2id in its usual text form ($argon2id$v=19$m=…), with a salt of its own. 56 ms.
std::string hash_password(std::string_view text);

/// Whether `stored` is a hash that verify_password would try: argon2id, or bcrypt as $2a$, $2b$, $2y$, and not of a
/// cost that would let one login occupy the machine (argon2id: 1 GiB, 4 GiB over all passes; bcrypt: 14, a second).
/// Errors: parameter_invalid with a sentence that names the scheme, not the hash.
Result<void> check_password_hash(std::string_view stored);
bool is_bcrypt(std::string_view stored);

/// False as well if `stored` does not pass check_password_hash. bcrypt reads the first 72 bytes of a password only:
/// against such a hash a longer one is as good as its beginning, as it is with every other server.
bool verify_password(std::string_view stored, std::string_view given);

/// Whether that takes clearly less time than against a hash of ours: bcrypt below the cost of ten.
bool is_verified_faster(std::string_view stored);

/// Whether a hash that has just been verified should be replaced by a new one of the same password.
bool needs_rehash(std::string_view stored);

/// A valid hash of no password anybody knows, with the cost of new ones.
std::string_view dummy_hash();

}  // namespace berth::auth
