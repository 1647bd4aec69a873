#pragma once
// Secrets that Berth hands out: long, random, of one recognisable form, so that a scanner which finds one in a public
// repository knows what it is, and a mistyped one is refused without a look at the database.
//
//   berth_pat_ + 32 random characters + 6 characters of checksum
//
// Random characters are of 0-9A-Za-z, drawn without bias: 190 bits, 256 in refresh tokens (A15) and web sessions. The
// checksum is the CRC-32 (of zlib, PNG) of everything before it, in base 62 with those digits, most significant first,
// padded with 0. Only a hash is stored. A fast one is enough: there is no dictionary of 190 random bits.

#include "base/random.h"
#include "crypto/hash.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::auth {

enum class SecretKind : std::uint8_t {
  personal_token,  // pat: a person's scripts
  robot,           // rob: a robot's password
  login,           // lgn: a password for one login, minutes to hours
  refresh,         // ref: what docker keeps as identity token (A15)
  setup,           // set: makes the first account
  web,             // web: a browser's session, in its cookie
  invite,          // inv: lets somebody make an account of his own, once
};
/// "pat", "rob", "lgn", "ref", "set", "web", "inv"
std::string_view to_string(SecretKind kind);

std::string make_secret(SecretKind kind, Random& random);

/// nullopt unless `text` is well-formed and its checksum right. That says nothing about whether it was ever given out.
std::optional<SecretKind> parse_secret(std::string_view text);

/// What is stored and looked up: SHA-256 of the whole text.
crypto::Sha256Sum secret_hash(std::string_view text);

}  // namespace berth::auth
