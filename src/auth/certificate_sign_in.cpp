#include "auth/certificate_sign_in.h"

#include "auth/directory.h"

#include <algorithm>
#include <cstring>

namespace berth::auth {

namespace {

constexpr std::int64_t kNotedMs = 60LL * 60 * 1000;  // a client that connects all day is one line an hour
constexpr std::size_t kNotedMax = 1'000;
constexpr std::size_t kNameShownBytesMax = 300;

/// What the identity follows from: the certificate, and the rules it was looked at by.
std::string key_of(const crypto::ClientCertificate& certificate, std::uint64_t generation) {
  std::string key(certificate.fingerprint.size() + sizeof generation, '\0');
  std::memcpy(key.data(), certificate.fingerprint.data(), certificate.fingerprint.size());
  std::memcpy(key.data() + certificate.fingerprint.size(), &generation, sizeof generation);
  return key;
}

}  // namespace

CertificateSignIn::CertificateSignIn(Deps deps, Rules rules) : deps_(deps), cache_(deps_.store.epochs(), kCacheBytes) {
  replace(std::move(rules));
}

void CertificateSignIn::replace(Rules rules) {
  const std::lock_guard lock(rules_mutex_);
  const std::uint64_t generation = rules_ ? rules_->generation + 1 : 1;
  rules_ = std::make_shared<const RuleSet>(RuleSet{std::move(rules), generation});
}

IdentityPtr CertificateSignIn::find_cached(const crypto::ClientCertificate& certificate) {
  const auto now = rules();
  return now->rules.empty() ? nobody_ : find_cached(certificate, now->generation);
}

IdentityPtr CertificateSignIn::find_cached(const crypto::ClientCertificate& certificate, std::uint64_t generation) {
  const std::int64_t now_ms = deps_.clock.now_ms();
  if (certificate.not_after_ms <= now_ms) return nobody_;  // the connection, or the session it resumed, is older
  auto found = cache_.find({}, key_of(certificate, generation));
  return found && found->valid_until_ms <= now_ms ? nullptr : found;
}

Result<IdentityPtr> CertificateSignIn::identify(const crypto::ClientCertificate& certificate,
                                                std::string_view address) {
  const auto now = rules();
  if (now->rules.empty()) return nobody_;
  if (auto known = find_cached(certificate, now->generation)) return known;
  const std::int64_t now_ms = deps_.clock.now_ms();
  const auto stamp = deps_.store.epochs().stamp_with_accounts(meta::Epochs::kAccounts);
  Identity out;
  out.valid_until_ms = certificate.not_after_ms;
  if (const auto match = match_certificate(now->rules, certificate.names)) {
    BERTH_TRY(const auto principal,
              deps_.store.peek([&](sql::Connection& db) { return meta::find_principal(db, match->account); }));
    auto subject = principal ? subject_of(*principal, now_ms) : std::nullopt;
    note(*match, subject, address);
    if (subject) {
      out.subject = *std::move(subject);
      out.credential = Credential::certificate;
      out.certificate_name = match->name;
      out.valid_until_ms = std::min(out.valid_until_ms, principal->expires_at_ms.value_or(INT64_MAX));
    }
  }
  auto identity = std::make_shared<const Identity>(std::move(out));
  const std::size_t bytes = sizeof(Identity) + identity->subject.name.size() + identity->certificate_name.size();
  if (stamp) cache_.put({}, key_of(certificate, now->generation), *stamp, identity, bytes);
  return identity;
}

void CertificateSignIn::note(const CertificateMatch& match, const std::optional<Subject>& subject,
                             std::string_view address) {
  const std::string shown = match.name.substr(0, kNameShownBytesMax);
  if (!is_worth_a_note((subject ? "+" : "-") + match.account + "\n" + shown)) return;
  meta::AuditEntry entry;
  entry.at_ms = deps_.clock.now_ms();
  entry.action = "sign_in";
  entry.actor = match.account;
  if (subject) entry.actor_id = subject->id;
  entry.target = entry.actor;
  entry.allowed = subject.has_value();
  entry.rule = "certificate " + shown;
  if (!subject) entry.rule += ": there is no such account, or it is disabled or has ended";
  entry.peer = address;
  deps_.audit.note(std::move(entry));
}

bool CertificateSignIn::is_worth_a_note(const std::string& what) {
  const std::lock_guard lock(noted_mutex_);
  const std::int64_t now_ms = deps_.clock.mono_ms();
  if (noted_.size() >= kNotedMax) {
    std::erase_if(noted_, [&](const auto& entry) { return now_ms - entry.second >= kNotedMs; });
    if (noted_.size() >= kNotedMax && !noted_.contains(what)) return false;
  }
  const auto [entry, is_new] = noted_.try_emplace(what, now_ms);
  if (!is_new && now_ms - entry->second < kNotedMs) return false;
  entry->second = now_ms;
  return true;
}

}  // namespace berth::auth
