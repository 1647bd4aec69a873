#pragma once
// The audit log: entries in a chain of hashes.

#include "crypto/hash.h"
#include "meta/ids.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::meta {

struct AuditEntry {
  std::int64_t seq = 0;  // given by append_audit
  std::int64_t at_ms = 0;
  std::string actor;  // empty: an anonymous caller
  std::optional<PrincipalId> actor_id;
  std::string action;  // "manifest.push", "createUser"
  std::string target;  // "acme/web:1.0", "users/ann"
  bool allowed = true;
  std::string rule;           // what allowed or refused it
  std::string peer;           // the client's address
  std::string request;        // the log's name for the request
  std::string detail = "{}";  // a JSON object
  crypto::Sha256Sum prev{};
  crypto::Sha256Sum hash{};
};

/// The entry as one line of JSON: what is exported, and, without its last member `hash`, what is hashed.
std::string audit_line(const AuditEntry& entry);

/// Adds an entry behind the last one. Only inside the writer's transactions, so that nobody comes between.
Result<void> append_audit(sql::Connection& db, AuditEntry entry);

struct AuditFilter {
  std::string actor;
  std::string target;  // exactly, or everything below a repository: "acme/web" finds "acme/web:1.0"
  std::string action;
  std::int64_t since_ms = 0;
};
/// Newest first, before `before` (exclusive; 0: from the newest), at most `limit` that pass, of at most `scan_max`
/// looked at. `last`: the last one looked at, 0 at the end.
Result<std::vector<AuditEntry>> list_audit(sql::Connection& db, const AuditFilter& filter, std::int64_t before,
                                           std::int64_t limit, std::int64_t scan_max, std::int64_t& last);
/// Oldest first, after `after` (exclusive).
Result<std::vector<AuditEntry>> read_audit(sql::Connection& db, std::int64_t after, std::int64_t limit);
/// What was refused to the request of that name, newest first. A proxy may have given several requests one name.
Result<std::vector<AuditEntry>> find_refusals(sql::Connection& db, std::string_view request, std::int64_t limit);

/// The number of an entry that stands where none can: at or before `seq`, which was forgotten or never was.
Result<std::optional<std::int64_t>> find_entry_up_to(sql::Connection& db, std::int64_t seq);

struct AuditAnchor {
  std::int64_t seq = 0;      // of the last entry that was forgotten; 0: none ever was
  crypto::Sha256Sum hash{};  // its hash
};
Result<AuditAnchor> audit_anchor(sql::Connection& db);
/// Forgets entries older than that, at most `limit`, and remembers where the chain begins now. How many.
Result<std::int64_t> forget_audit(sql::Connection& db, std::int64_t before_ms, std::int64_t limit);

/// Checks a stretch of the chain as it is walked from the oldest entry on.
class AuditVerifier {
 public:
  explicit AuditVerifier(const AuditAnchor& anchor) : seq_(anchor.seq), hash_(anchor.hash) {}
  /// nullopt: fine. Else what is wrong with this entry, or with what should stand before it.
  std::optional<std::string> check(const AuditEntry& entry);
  std::int64_t seq() const { return seq_; }
  const crypto::Sha256Sum& head() const { return hash_; }

 private:
  std::int64_t seq_;
  crypto::Sha256Sum hash_;
};

}  // namespace berth::meta
