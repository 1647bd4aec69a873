#pragma once
// Signing in a program on a machine without a browser (RFC 8628): it asks for a code, shows it, and asks until somebody
// has agreed to it in a browser (api/pages/device.cpp). What it gets then is an access token of that person, which is
// listed among the others and can be revoked there.

#include "api/context.h"
#include "http/exchange.h"
#include "http/target.h"

#include <string_view>

namespace berth::api {

inline constexpr std::string_view kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

/// POST /token/device. client_id: what the program calls itself.
io::Task<Result<void>> begin_device_sign_in(Context& context, http::Exchange& exchange);
/// POST /token with grant_type=kDeviceGrant.
// borrows: form outlives the awaiting frame
io::Task<Result<void>> answer_device_grant(Context& context, http::Exchange& exchange, const http::Query& form);

}  // namespace berth::api
