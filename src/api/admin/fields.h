#pragma once
// `fields` of a query: which members of an answer are wanted. What there are is what api/openapi.yaml says.

#include "api/admin/admin_api.h"

namespace berth::api {

/// Errors: parameter_invalid for one that the operation's answer does not have.
Result<std::vector<std::string>> wanted_fields(const AdminCall& call);
/// Leaves the object, or each item of the list, with these; none: as it is.
void trim_to(const std::vector<std::string>& fields, AdminReply& reply);

}  // namespace berth::api
