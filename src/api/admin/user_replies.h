#pragma once
// What the handlers about users have in common.

#include "api/admin/admin_api.h"

namespace berth::api::admin {

AdminReply user_reply(const meta::Principal& user, int status = 200);
/// Errors: account_unknown.
Result<meta::Principal> load_user(sql::Connection& db, std::string_view name);
/// A new password, hashed where it holds up nobody. Errors: account_invalid at that member of the body.
io::Task<Result<std::string>> hash_on_pool(AdminCall& call, std::string pointer, std::string password);

}  // namespace berth::api::admin
