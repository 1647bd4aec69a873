#pragma once
// Entity tags, and what is asked for by them (RFC 9110 13): If-Match, If-None-Match.

#include "api/admin/admin_api.h"

namespace berth::api {

/// Of what has a version, by which If-Match compares it. id: of the row, since what is made anew under the same name is
/// another thing. What shows it has more to it, that comes and goes without a version: an answer that shows it gets a
/// part of its own behind a '.' (see tell_shown), and that counts for If-None-Match.
std::string etag_of(std::int64_t id, std::int64_t version);
/// Of what has no version: by `state`, which is everything that makes it what it is. When it was used is not of it.
std::string etag_of(const JsonObject& state);
/// What If-Match asks for; empty: anything, and "*": anything that is there.
std::string if_match_of(const AdminCall& call);
/// For the inside of the transaction that changes it. Errors: precondition_failed unless `wanted` names its tag.
Result<void> check_match(std::string_view wanted, std::string_view etag);
/// The same of what a PUT may find, or not: nullopt. Errors: precondition_failed.
Result<void> check_found(std::string_view wanted, const std::optional<std::string>& etag);
/// Whether a PUT is to create and never to replace: If-None-Match: *
bool must_be_new(const AdminCall& call);
/// Of a PUT that is_there already. Errors: precondition_failed.
Result<void> check_new(bool must_be_new, bool is_there);

// ---- for who sends the answers

/// Of an answer that shows what has a version, with all that is in it.
void tell_shown(AdminReply& reply);
/// Who has it already is told so (RFC 9110 13.1.2).
void answer_if_unchanged(const AdminCall& call, AdminReply& reply);

}  // namespace berth::api
