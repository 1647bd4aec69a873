#pragma once
// Public keys from a PEM file as registries are given them: keys and certificates in any number, of which only the keys
// count. Who signs tokens with one names it in one of two ways, so each key is there under both.

#include "crypto/verify_key.h"

#include <string>
#include <string_view>
#include <vector>

namespace berth::crypto {

/// Each key twice: named by its RFC 7638 thumbprint, and as docker's libtrust names it, which is what token servers
/// made for distribution put into `kid`. Blocks of other kinds are passed over. Errors: parameter_invalid with a
/// sentence: no key at all, one that is private or of a kind that checks no tokens.
Result<std::vector<VerifyKey>> parse_key_bundle(std::string_view pem);

/// The first 240 bits of the SHA-256 of a key's SubjectPublicKeyInfo (DER) in base32, "ABCD:EFGH:…", 12 groups.
std::string libtrust_kid(std::string_view public_key_der);

}  // namespace berth::crypto
