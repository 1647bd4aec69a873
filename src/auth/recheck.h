#pragma once
// Whether somebody who was let in may still do what he began: between the head of a request and its change lies the
// time that the body takes to come, which the sender chooses (A16).

#include "auth/identity.h"
#include "sql/connection.h"

namespace berth::auth {

/// For the inside of the transaction of a change: that the account, and the secret, password or rule that the caller
/// came with, are worth what they were when he was identified. What he may do in namespaces is not looked at.
/// Errors: unauthorized; those of the database.
Result<void> check_still_stands(sql::Connection& db, const Identity& identity, std::int64_t now_ms);

}  // namespace berth::auth
