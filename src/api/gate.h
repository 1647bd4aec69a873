#pragma once
// The only chain of checks between a request and its endpoint, in this order: method, admission, name.

#include "api/context.h"
#include "http/message.h"

namespace berth::api {

/// Errors: method_unknown with the allowed methods as the only item; unauthorized.
Result<void> admit(const Services& services, Endpoint endpoint, const http::Request& request);

/// The repository of the route. Errors: name_invalid (G1).
Result<oci::RepoName> repo_of(const Route& route);
/// For a request that may create it: name and the host the client used must together stay within what clients can name.
Result<oci::RepoName> repo_to_write(const Context& context, std::string_view host);

}  // namespace berth::api
