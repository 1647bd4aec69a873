#include "auth/directory.h"

#include <array>
#include <cstring>

namespace berth::auth {

namespace {

/// The subject's part of a cache key: all of it that a decision looks at. Who was read before a change and asks after
/// it must find, and leave behind, nothing for who he is now.
class SubjectKey {
 public:
  explicit SubjectKey(const Subject& subject) {
    std::memcpy(bytes_.data(), &subject.id, sizeof subject.id);
    bytes_[sizeof subject.id] = static_cast<char>(subject.kind);
    bytes_[sizeof subject.id + 1] = subject.is_admin ? 1 : 0;
  }
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, sizeof(meta::PrincipalId) + 2> bytes_{};
};

std::size_t bytes_of(const meta::Place& place) {
  std::size_t sum = sizeof place;
  for (const meta::GrantRow& row : place.grants)
    sum += sizeof row + row.principal_name.capacity() + row.pattern.capacity();
  return sum;
}

/// A namespace may come into being with a push, which is no change of the accounts: that there is none is not kept. Nor
/// is that somebody has nothing to do with one, so that it takes him as long to ask about it as about none.
bool is_worth_keeping(const Subject& subject, const meta::Place& place) {
  if (!place.ns) return false;
  const bool is_owner = subject.id != 0 && place.ns->owner == subject.id;
  return subject.is_admin || is_owner || place.role || !place.grants.empty();
}

}  // namespace

void Directory::look_for_accounts() {
  if (has_accounts()) return;
  const auto found = store_.peek([](sql::Connection& db) { return meta::has_users(db); });
  if (found && *found) has_accounts_.store(true, std::memory_order_relaxed);
}

Result<RulingPtr> Directory::ruling(const Subject& subject, const oci::RepoName& repo) {
  if (auto known = find_ruling(subject, repo.str())) return known;
  const auto stamp = store_.epochs().stamp_with_accounts(meta::Epochs::stripe_of(repo));
  BERTH_TRY(const auto found, standing(subject, repo));
  auto made = std::make_shared<const Ruling>(rule(subject, found, repo, everybody_));
  if (stamp) rulings_.put(repo.str(), SubjectKey(subject).view(), *stamp, made, sizeof(Ruling));
  return made;
}

Result<meta::Standing> Directory::standing(const Subject& subject, const oci::RepoName& repo) {
  const SubjectKey key(subject);
  const auto stamp = store_.epochs().stamp_with_accounts(meta::Epochs::kAccounts);
  if (auto place = stamp ? places_.find(repo.first_component(), key.view()) : nullptr) {
    BERTH_TRY(const auto visibility, store_.peek([&](sql::Connection& db) { return meta::load_visibility(db, repo); }));
    // Else the two may be of different moments, and together allow what neither moment did.
    if (store_.epochs().holds(*stamp)) return meta::Standing{std::move(place), visibility};
  }
  const std::optional<meta::PrincipalId> id = subject.id != 0 ? std::optional(subject.id) : std::nullopt;
  BERTH_TRY(auto out, store_.peek([&](sql::Connection& db) { return meta::load_standing(db, id, repo); }));
  if (stamp && is_worth_keeping(subject, *out.place)) {
    places_.put(repo.first_component(), key.view(), *stamp, out.place, bytes_of(*out.place));
  }
  return out;
}

Result<Decision> Directory::decide(const Asker& asker, Act act, std::string_view ns) {
  if (!is_of_namespace(act)) return auth::decide(asker, act);
  const auto name = oci::RepoName::parse(ns);
  if (!name) return Decision();  // there is none of that name, and never will be
  BERTH_TRY(const auto found, standing(asker.subject, *name));
  return auth::decide(asker, act, ns, *found.place);
}

RulingPtr Directory::find_ruling(const Subject& subject, std::string_view repo) {
  return rulings_.find(repo, SubjectKey(subject).view());
}

std::optional<Subject> subject_of(const meta::Principal& principal, std::int64_t now_ms) {
  const bool is_over = principal.expires_at_ms && *principal.expires_at_ms <= now_ms;
  if (principal.kind == meta::PrincipalKind::team || principal.is_disabled || is_over) return std::nullopt;
  Subject out;
  out.kind = principal.kind == meta::PrincipalKind::robot ? Subject::Kind::robot : Subject::Kind::user;
  out.id = principal.id;
  out.name = principal.name;
  out.is_admin = principal.is_admin && out.kind == Subject::Kind::user;
  return out;
}

}  // namespace berth::auth
