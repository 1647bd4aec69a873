#pragma once
// Which account a client's certificate stands for: rules such as
//   uri:spiffe://acme.example/ci/*=acme+ci      dns:*.build.acme.example=acme+build      email:*@acme.example=*
// A pattern is compared with the whole of a name of the certificate's subject alternative names, as
// crypto/client_certificate.h gives them. It may hold one `*`, which stands for at least one character, and for no more
// than one part of the name: of a URI no '/', of a host no '.', of an e-mail address no '@'. An account `*` is what the
// star took, which can only be a user: who hands out addresses must not be able to hand out robots.

#include "base/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

class CertificateRule {
 public:
  /// Errors: parameter_invalid with a sentence.
  static Result<CertificateRule> parse(std::string_view text);

  /// The account for a name such as "dns:build7.acme.example"; nullopt if it does not match. What a star took may be no
  /// name at all: then there is no such account.
  std::optional<std::string> account_of(std::string_view name) const;

 private:
  std::string before_;  // with the kind: "uri:spiffe://acme.example/ci/"
  std::string after_;
  bool has_star_ = false;
  char boundary_ = '/';
  std::string account_;  // "*": what the star took
};

/// Errors: those of the first that is wrong.
Result<std::vector<CertificateRule>> parse_certificate_rules(std::span<const std::string> texts);

struct CertificateMatch {
  std::string name;  // of the certificate
  std::string account;
};
/// The first rule that any of the names matches.
std::optional<CertificateMatch> match_certificate(std::span<const CertificateRule> rules,
                                                  std::span<const std::string> names);

}  // namespace berth::auth
