#pragma once
// POST with an Idempotency-Key: sent again, it is done once and answered alike.

#include "api/admin/admin_api.h"

namespace berth::api {

/// The key that a call came with, if it is one to be kept: of a POST whose route takes it, by an account.
/// Errors: parameter_invalid.
Result<std::optional<meta::CallKey>> call_key(const AdminCall& call, const AdminRoute& route);
/// What the call before answered. Errors: account_invalid if that asked for something else; state_conflict if it is not
/// known.
Result<AdminReply> replay(const meta::KeptCall& kept, const meta::CallKey& key);
/// What is kept of an answer: no secret is told twice.
meta::KeptAnswer answer_to_keep(const AdminReply& reply);

}  // namespace berth::api
