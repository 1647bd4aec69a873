#pragma once
// From a client's certificate to an identity: rules name the account, and the account must be there and live. What was
// found out is kept while no account changes (meta/epochs.h), so that a request costs a lookup in memory, and who is
// disabled is nobody from the next request on.

#include "auth/audit_log.h"
#include "auth/certificate_rule.h"
#include "auth/identity.h"
#include "base/clock.h"
#include "crypto/client_certificate.h"
#include "meta/read_cache.h"
#include "meta/store.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace berth::auth {

class CertificateSignIn {
 public:
  using Rules = std::vector<CertificateRule>;
  struct Deps {
    meta::Store& store;
    const Clock& clock;
    AuditLog& audit;
  };
  CertificateSignIn(Deps deps, Rules rules);

  void replace(Rules rules);
  /// Who it is, if that is remembered; nullptr says nothing. An anonymous identity: the certificate is nobody's.
  IdentityPtr find_cached(const crypto::ClientCertificate& certificate);
  /// Errors: those of the database.
  Result<IdentityPtr> identify(const crypto::ClientCertificate& certificate, std::string_view address);

 private:
  static constexpr std::size_t kCacheBytes = 4 * 1024 * 1024;

  struct RuleSet {
    Rules rules;
    std::uint64_t generation = 0;
  };
  std::shared_ptr<const RuleSet> rules() const {
    const std::lock_guard lock(rules_mutex_);
    return rules_;
  }
  IdentityPtr find_cached(const crypto::ClientCertificate& certificate, std::uint64_t generation);
  void note(const CertificateMatch& match, const std::optional<Subject>& subject, std::string_view address);
  bool is_worth_a_note(const std::string& what);

  Deps deps_;
  meta::ReadCache<Identity> cache_;
  IdentityPtr nobody_ = std::make_shared<const Identity>();
  mutable std::mutex rules_mutex_;                       // guards: rules_
  std::shared_ptr<const RuleSet> rules_;                 // shared: requests use the rules they began with
  std::mutex noted_mutex_;                               // guards: noted_
  std::unordered_map<std::string, std::int64_t> noted_;  // what the record was told, and when
};

}  // namespace berth::auth
