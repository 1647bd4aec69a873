#include "auth/audit_log.h"

#include "base/json_text.h"

#include <algorithm>

namespace berth::auth {

meta::AuditEntry AuditLog::entry(const Identity& identity, std::string_view peer, std::string_view request) const {
  meta::AuditEntry out;
  out.at_ms = clock_.now_ms();
  out.actor = identity.subject.name;
  if (identity.subject.id != 0) out.actor_id = identity.subject.id;
  out.peer = peer;
  out.request = request;
  if (identity.via != 0) out.detail = "{\"via\":" + std::to_string(identity.via) + "}";
  if (identity.trust_rule != 0) out.detail = "{\"trust_rule\":" + std::to_string(identity.trust_rule) + "}";
  if (!identity.certificate_name.empty())
    out.detail = "{\"certificate\":" + json_string(identity.certificate_name) + "}";
  return out;
}

void AuditLog::note(meta::AuditEntry entry) {
  if (!entry.allowed) {
    std::int64_t left_out = 0;
    if (!take(left_out)) return;
    if (left_out > 0) entry.detail = joined_objects(entry.detail, "{\"left_out\":" + std::to_string(left_out) + "}");
  }
  store_.write_later([entry = std::move(entry)](sql::Connection& db) { return meta::append_audit(db, entry); });
}

bool AuditLog::take(std::int64_t& left_out) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now_ms = clock_.mono_ms();
  const std::int64_t earned = (now_ms - filled_ms_) * kPerSecond / 1000;
  if (earned > 0) {
    tokens_ = std::min(kBurst, tokens_ + earned);
    filled_ms_ = now_ms;
  }
  if (tokens_ == 0) {
    ++left_out_;
    return false;
  }
  --tokens_;
  left_out = std::exchange(left_out_, 0);
  return true;
}

}  // namespace berth::auth
