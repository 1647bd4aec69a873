#pragma once
// The scopes that people give their access tokens, as they are written:
//
//   acme/web:read,write      rights on repositories, REPOSITORY:RIGHTS
//   repo:read,write:acme/**  the same in another spelling
//   org:admin:acme           to administer the namespace acme
//   user                     one's own profile and sessions
//   admin:read, admin:write  to look at, or to administer the registry
//
// A token has no more than its owner, and of that what its scopes name.

#include "auth/decision.h"
#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

/// Whether that may stand before the first '/' of a repository's name.
bool is_namespace_name(std::string_view text);

/// Adds what the scope leaves. Errors: account_invalid with a sentence.
Result<void> add_scope(Narrowing& narrowing, std::string_view text);
/// As add_scope() reads them again.
std::vector<std::string> scopes_of(const Narrowing& narrowing);

}  // namespace berth::auth
