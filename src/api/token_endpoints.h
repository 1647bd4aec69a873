#pragma once
// The token service (A6-A9, A15) and the public halves of its keys.

#include "api/context.h"
#include "http/exchange.h"

namespace berth::api {

io::Task<Result<void>> get_token(Context& context, http::Exchange& exchange);   // GET: credentials by Basic, or none
io::Task<Result<void>> post_token(Context& context, http::Exchange& exchange);  // POST: a form, as OAuth 2 has it

io::Task<Result<void>> get_jwks(Context& context, http::Exchange& exchange);

}  // namespace berth::api
