#pragma once
// CI without a stored secret: a job brings the ID token that its platform made for it, and is the robot that a trust
// rule names for such jobs, for as long as the token lives. What the robot may do is its grants' business.

#include "auth/audit_log.h"
#include "auth/identity.h"
#include "auth/issuer_keys.h"
#include "auth/jwt.h"
#include "auth/trust_rule.h"
#include "auth/trusted_issuers.h"
#include "meta/principals.h"
#include "meta/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

class Trust {
 public:
  struct Deps {
    meta::Store& store;
    IssuerKeys& issuers;
    const Clock& clock;
    AuditLog& audit;
    std::int64_t leeway_s = kTokenLeewayS;  // A12
    TrustedIssuers trusted = {};
  };
  explicit Trust(Deps deps) : deps_(std::move(deps)) {}

  /// Whether rules about that issuer count.
  bool allows(std::string_view issuer) const { return deps_.trusted.allows(issuer); }

  /// Who a job is. robot: whose rules are meant, and the only ones that are looked at; empty: all about the token's
  /// issuer and audience, if they are of one namespace, and those that match about one robot.
  /// The identity lives as long as the token, an hour at most; the same token may be brought again.
  /// Errors: unauthorized, with the reason in the cause and in the audit log; unavailable: the issuer's keys cannot be
  /// had.
  io::Task<Result<IdentityPtr>> sign_in(std::string robot, std::string token, std::string address);

 private:
  struct Job {
    std::string robot;  // as it was asked for
    std::string address;
    IdToken token;
  };
  using Rules = std::vector<meta::TrustRule>;
  Result<Rules> rules_of(std::string_view robot, std::string_view issuer);
  io::Task<Result<std::optional<Rules>>> rules_about(Claims claims);  // nullopt: of several namespaces
  Result<IdentityPtr> judge(const Job& job, const Rules& rules);
  Result<IdentityPtr> accept(const Job& job, const meta::TrustRule& rule);
  std::unexpected<Error> refuse(std::string_view robot, std::string_view address, const std::string& why,
                                std::string_view message);

  Deps deps_;
};

/// The message of every refusal but these two: whose rules there are is nobody's business.
inline constexpr std::string_view kJobRefused = "the ID token is not accepted here; the registry's audit log says why";
inline constexpr std::string_view kJobExpired = "the ID token has expired; have a new one made";
inline constexpr std::string_view kJobNeedsName =
    "the ID token alone does not say who you are here; sign in with the robot's name, as acme+ci";

}  // namespace berth::auth
