#pragma once
// Limits of single callers (auth/subject_budgets.h), as requests meet them.

#include "api/context.h"

#include <string>

namespace berth::api {

/// Whether any is set: then it must be known where a request comes from, whoever it is.
bool limits_callers(const Services& services);
/// Whom a request counts for: the account, or the address of a caller without one. nullptr: there are no accounts.
std::string caller_of(const auth::Identity* identity, std::string_view address);
/// One request of that caller, who from here on pays for what it transfers. Errors: too_many_requests.
Result<void> take_request(Context& context, const auth::Identity* identity);
/// What was found; if a credential proved nothing, its address pays for the request. Errors: too_many_requests then.
Result<auth::IdentityPtr> found_or_charged(Context& context, Result<auth::IdentityPtr> found);

}  // namespace berth::api
