#pragma once
// /api/v1 on the wire; what it does is api/admin's.

#include "api/admin/admin_api.h"
#include "api/context.h"
#include "http/exchange.h"

namespace berth::api {

inline constexpr std::string_view kAdminPrefix = "/api/v1/";

io::Task<Result<void>> serve_admin(Context& context, http::Exchange& exchange, std::string request_id);

}  // namespace berth::api
