#pragma once
// The one place where a failure becomes a status, an OCI code, headers and a body (table 1.9 of the protocol notes).

#include "base/error.h"
#include "http/message.h"

#include <string>
#include <string_view>
#include <utility>

namespace berth::api {

/// Head and JSON body of the answer. Codes in 4xx are the specification's only; 5xx say UNKNOWN or UNAVAILABLE and
/// nothing internal. `allow`: the methods a 405 lists, unless the error brings them.
std::pair<http::Response, std::string> error_response(const Error& error, std::string_view allow = "GET, HEAD");

/// Headers of every answer below /v2/ (H1).
/// The status of its answer.
int status_of_error(const Error& error);
void add_common_headers(http::Response& response);

}  // namespace berth::api
