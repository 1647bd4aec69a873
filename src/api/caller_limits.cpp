#include "api/caller_limits.h"

#include "io/address_group.h"

namespace berth::api {

bool limits_callers(const Services& services) {
  return services.budgets.is_on() || services.limits.sessions_per_subject_max != 0;
}

std::string caller_of(const auth::Identity* identity, std::string_view address) {
  if (identity == nullptr || identity->is_anonymous()) return "address " + io::address_group(address);
  if (identity->is_external)
    return "token " + identity->subject.name;  // of another server: no account stands behind it
  return "account " + std::to_string(identity->subject.id);
}

Result<void> take_request(Context& context, const auth::Identity* identity) {
  auth::SubjectBudgets& budgets = context.services.budgets;
  if (!budgets.is_on()) return {};
  const auto payer = budgets.payer_of(caller_of(identity, context.address));
  BERTH_TRYV(budgets.admit(payer));
  context.payer = payer;
  return {};
}

Result<auth::IdentityPtr> found_or_charged(Context& context, Result<auth::IdentityPtr> found) {
  if (!found && found.error().code == Errc::unauthorized) BERTH_TRYV(take_request(context, nullptr));
  return found;
}

}  // namespace berth::api
