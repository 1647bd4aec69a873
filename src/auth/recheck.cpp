#include "auth/recheck.h"

#include "auth/directory.h"
#include "auth/secret_chain.h"
#include "meta/principals.h"

namespace berth::auth {

namespace {

std::unexpected<Error> ended() {
  return fail(
      Errc::unauthorized,
      "the account, or what you came with, was changed or ended while the request was under way; sign in again");
}

}  // namespace

Result<void> check_still_stands(sql::Connection& db, const Identity& identity, std::int64_t now_ms) {
  if (identity.subject.id == 0 || identity.is_external) return {};
  BERTH_TRY(const auto principal, meta::find_principal(db, identity.subject.id));
  const auto subject = principal ? subject_of(*principal, now_ms) : std::nullopt;
  if (!subject || (identity.subject.is_admin && !subject->is_admin)) return ended();
  if (identity.verified_by && identity.verified_by->differs(VerifiedBy::of(*principal))) return ended();
  if (identity.via != 0) {
    BERTH_TRY(const auto secret, meta::find_token(db, identity.via));
    if (!secret || secret->principal != principal->id || !is_live(*secret, now_ms)) return ended();
    BERTH_TRY(const auto makers, find_makers(db, *secret, now_ms));
    if (!makers) return ended();
  }
  if (identity.trust_rule != 0) {
    BERTH_TRY(const auto rule, meta::find_trust_rule(db, identity.trust_rule));
    if (!rule || rule->is_disabled || rule->robot != principal->id) return ended();
  }
  return {};
}

}  // namespace berth::auth
