#pragma once
// Who a client's certificate says that it is: its subject alternative names (RFC 5280 4.2.1.6), and nothing else. The
// common name is not looked at: it is free text, which a CA need not have checked.

#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace berth::crypto {

struct ClientCertificate {
  /// "dns:build7.acme.example", "uri:spiffe://acme.example/ci/web", "email:ann@acme.example", in the certificate's
  /// order, hosts in lower case. Names of other kinds, and those that could be read in two ways (a NUL, other control
  /// characters, anything that is not ASCII, a wildcard) are left out.
  std::vector<std::string> names;
  std::array<std::byte, 32> fingerprint{};  // SHA-256 of its DER
  std::int64_t not_after_ms = 0;
};

/// Whether the certificate is to be believed was found out before (crypto/tls.h).
/// Errors: parameter_invalid for what is no certificate.
Result<ClientCertificate> parse_client_certificate(std::span<const std::byte> der);

}  // namespace berth::crypto
