#pragma once
// The files with the public keys of an external token server (auth.external_keys).

#include "crypto/verify_key.h"

#include <string>
#include <vector>

namespace berth::app {

/// Each file holds public keys and certificates in PEM form, in any number, or a JWK set.
/// Errors: parameter_invalid with a sentence that names the file.
Result<std::vector<crypto::VerifyKey>> load_external_keys(const std::vector<std::string>& paths);

}  // namespace berth::app
